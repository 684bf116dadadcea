import type { Command } from 'commander';
import type { Signer } from '../../contracts/wallet.ts';
import { usePlatformHashing } from '../../shared/runtime/platform-hashing.ts';
import { createCliLog, plainText } from '../cli-log.ts';
import { type ClientConfig, loadClientConfig } from '../config/client-config.ts';
import type { Log } from '../log.ts';
import type { ClientOutcome } from '../session/state.ts';
import type { Trainer } from '../trainers/trainer.ts';
import { machineMemoryBytes } from './memory.ts';
import { addRunOptions, type RunFlags } from './run-options.ts';
import { loadSigner } from './signer.ts';
import { sentence, takePart } from './take-part.ts';

/** Exit code of a program that was interrupted, by the custom of shells: 128 and the number of SIGINT. */
const INTERRUPTED = 130;

const STOP_SIGNALS: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM'];

/**
 * Gives a command the options of a client and what it does.
 *
 * @param command - the command
 * @param decorate - may wrap the trainer, as simulated attackers do; takes the options that the command has besides
 */
export function configureRun<Extra extends object>(
  command: Command,
  decorate: (trainer: Trainer, options: Extra) => Trainer = (trainer) => trainer,
): void {
  addRunOptions(command).action((flags: RunFlags & Extra) => run(flags, (trainer) => decorate(trainer, flags)));
}

/**
 * Takes part until every job has ended. The first signal ends it in good order: what is signed is delivered, a round in
 * work is declined. Nobody listens to the second, which therefore ends the process at once; what was signed is sent by the
 * next run.
 */
async function run(flags: RunFlags, decorate: (trainer: Trainer) => Trainer): Promise<void> {
  usePlatformHashing();
  const config = await loadClientConfig(flags, machineMemoryBytes());
  const log = createCliLog(config.logLevel, flags.json);
  const signer = await loadSigner(config.keyFile);
  const draining = new AbortController();
  const stop = (name: NodeJS.Signals): void => {
    for (const each of STOP_SIGNALS) process.removeListener(each, stop);
    log.info({ signal: name }, 'stopping: what is signed is delivered first; a second signal stops at once');
    draining.abort();
  };
  for (const each of STOP_SIGNALS) process.once(each, stop);
  try {
    await takePartInAll(config, signer, { decorate, log, drain: draining.signal, isJson: flags.json });
  } finally {
    for (const each of STOP_SIGNALS) process.removeListener(each, stop);
  }
}

interface RunContext {
  readonly decorate: (trainer: Trainer) => Trainer;
  readonly log: Log;
  readonly drain: AbortSignal;
  readonly isJson: boolean;
}

/** Each job has a session of its own; they share the key and take turns on the backend. What ends one ends no other. */
async function takePartInAll(config: ClientConfig, signer: Signer, context: RunContext): Promise<void> {
  const { decorate, log, drain, isJson } = context;
  const isOne = config.jobs.length === 1;
  const ends = await Promise.allSettled(
    config.jobs.map(async (job) => {
      const own = isOne ? log : labelled(log, job.job);
      const lifetime = new AbortController();
      try {
        const outcome = await takePart({ config, job, signer, decorate, log: own, drain, signal: lifetime.signal });
        tell(outcome, isJson, isOne ? undefined : job.job);
      } catch (error) {
        if (drain.aborted) return tell({ kind: 'aborted' }, isJson, isOne ? undefined : job.job);
        if (error instanceof Error) own.debug({ stack: error.stack }, 'where it came from');
        if (!isOne) own.error({ code: (error as { code?: string }).code }, (error as Error).message);
        throw error;
      } finally {
        lifetime.abort();
      }
    }),
  );
  const failed = ends.find(({ status }) => status === 'rejected') as PromiseRejectedResult | undefined;
  if (failed) throw failed.reason;
}

/** A log that names the job of each line. */
function labelled(log: Log, job: string): Log {
  const of = (level: keyof Log) => (fields: Readonly<Record<string, unknown>>, message: string) =>
    log[level]({ anchor: job, ...fields }, message);
  return { debug: of('debug'), info: of('info'), warn: of('warn'), error: of('error') };
}

/** Says how it ended on standard output, and by the exit code: 0 closed, 1 failed, 130 interrupted. */
function tell(outcome: ClientOutcome, isJson: boolean, job: string | undefined): void {
  const document = job === undefined ? outcome : { anchor: job, ...outcome };
  const words = plainText(job === undefined ? sentence(outcome) : `${job}: ${sentence(outcome)}`);
  process.stdout.write(`${isJson ? JSON.stringify(document) : words}\n`);
  if (outcome.kind === 'failed') process.exitCode = 1;
  if (outcome.kind === 'aborted') process.exitCode = INTERRUPTED;
}
