import type { Command } from 'commander';
import { usePlatformHashing } from '../../shared/runtime/platform-hashing.ts';
import { createCliLog, plainText } from '../cli-log.ts';
import { loadClientConfig } from '../config/client-config.ts';
import { examineClient } from '../doctor/examine-client.ts';
import type { Finding } from '../doctor/finding.ts';
import { machineMemoryBytes } from './memory.ts';
import { addRunOptions, type RunFlags } from './run-options.ts';
import { loadSigner } from './signer.ts';
import { createTrainerFactory } from './trainer-factory.ts';

/** Exit code when something keeps the client from taking part. */
const ILL = 1;

/** Longest that training is tried, in milliseconds. */
const MOST_TRIAL_MS = 10_000;

const SIGNS: Readonly<Record<Finding['verdict'], string>> = { good: '✓', warning: '!', bad: '✗' };

/** Adds `doctor` to `fedanchor client`. It exits with 0 if nothing keeps the client from taking part, with 1 if something does. */
export function registerDoctorCommand(client: Command): void {
  addRunOptions(
    client.command('doctor').description('look at all that taking part needs, and say what to do about what is amiss'),
  ).action(doctor);
}

async function doctor(flags: RunFlags): Promise<void> {
  usePlatformHashing();
  const config = await loadClientConfig(flags, machineMemoryBytes());
  const log = createCliLog(config.logLevel, flags.json);
  const findings = await examineClient({
    config,
    openWallet: () => loadSigner(config.keyFile),
    createTrainer: (job, onReady) => createTrainerFactory(config, job, onReady, log),
    nodeVersion: process.versions.node,
    now: () => Date.now(),
    monotonicMs: () => performance.now(),
    mostTrialMs: MOST_TRIAL_MS,
  });
  const healthy = findings.every(({ verdict }) => verdict !== 'bad');
  const lines = findings.flatMap(({ name, verdict, message, remedy }) => [
    `${SIGNS[verdict]} ${name}: ${plainText(message)}`,
    ...(remedy === undefined ? [] : [`    ${remedy}`]),
  ]);
  process.stdout.write(flags.json ? `${JSON.stringify({ healthy, findings }, null, 2)}\n` : `${lines.join('\n')}\n`);
  if (!healthy) process.exitCode = ILL;
}
