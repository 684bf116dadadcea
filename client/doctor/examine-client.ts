import type { Signer } from '../../contracts/wallet.ts';
import type { ClientConfig, JobConfig } from '../config/client-config.ts';
import { isLeftover, lockHolder } from '../lock/job-lock.ts';
import { stateFiles } from '../status/state-files.ts';
import type { TrainerFactory } from '../tasks/local-trainer.ts';
import { type Finding, good, type Outcome, warning } from './finding.ts';
import { lookAtCourt, lookAtJob, lookAtNodes } from './look-at-chain.ts';
import { lookAtCoordinator, lookAtManifest } from './look-at-coordinator.ts';
import { lookAtMachine } from './look-at-machine.ts';
import { lookAtPrivacy } from './look-at-privacy.ts';
import { lookAtTraining } from './look-at-training.ts';
import { openWard, type Ward } from './ward.ts';

/** What a doctor looks with. */
export interface ExamineOptions {
  /** The client's configuration. */
  readonly config: ClientConfig;
  /** Opens its wallet. */
  readonly openWallet: () => Promise<Signer>;
  /** Makes a job's trainer; tells what it found of data and backend. */
  readonly createTrainer: (
    job: JobConfig,
    onReady: (facts: Readonly<Record<string, unknown>>) => void,
  ) => TrainerFactory;
  /** Version of Node.js, such as `20.19.0`. */
  readonly nodeVersion: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** A clock that never goes back, in milliseconds. */
  readonly monotonicMs: () => number;
  /** Longest trial of the training, in milliseconds. */
  readonly mostTrialMs: number;
}

/**
 * Looks at everything that a client needs to take part in its jobs, and says what to do where something is amiss. Signs
 * nothing but a session, and changes nothing but a folder that it makes where the state is to be.
 */
export async function examineClient(options: ExamineOptions): Promise<readonly Finding[]> {
  const { config, now } = options;
  const ward = openWard();
  const wallet = await lookAtMachine(ward, { ...config, ...options });
  await lookAtNodes(ward, config.rpcUrls, now());
  for (const job of config.jobs) await lookAtPart(ward, job, wallet, options);
  return ward.findings;
}

async function lookAtPart(
  ward: Ward,
  job: JobConfig,
  wallet: Signer | undefined,
  options: ExamineOptions,
): Promise<void> {
  const { config, now, createTrainer, mostTrialMs, monotonicMs } = options;
  const own: Ward = {
    findings: ward.findings,
    // With several jobs each finding says whose it is.
    look: (name, remedy, work) => ward.look(config.jobs.length === 1 ? name : `${job.job} ${name}`, remedy, work),
  };
  if (wallet) {
    const { lock } = stateFiles(config.state, wallet.address, job.job);
    await own.look('lock', `remove ${lock}, or leave it: the next run does`, async () => [await checkLock(lock)]);
  }
  const found = await lookAtJob(own, config.rpcUrls, job, wallet);
  const coordinator = await lookAtCoordinator(own, config, job, found?.facts, wallet, now());
  if (!coordinator || !found || !wallet) return;
  try {
    const terms = await lookAtManifest(own, config, found.facts, coordinator, wallet);
    if (!terms) return;
    await lookAtCourt(own, found, terms.manifest.court);
    await lookAtPrivacy(own, config, terms.job, terms.manifest);
    await lookAtTraining(own, terms, coordinator, {
      ...{ createTrainer: (onReady) => createTrainer(job, onReady), mostMs: mostTrialMs, monotonicMs },
    });
  } finally {
    coordinator.session.close();
  }
}

async function checkLock(file: string): Promise<Outcome> {
  const holder = await lockHolder(file);
  if (holder) return good(`process ${holder.pid} is taking part`);
  return (await isLeftover(file)) ? warning('a process that is gone has left its lock') : good('nobody is taking part');
}
