import { verifyCourt } from '../../contracts/deploy/verify-court.ts';
import type { JobFacts } from '../../contracts/ledger/facts.ts';
import { connectLedger, type Ledger } from '../../contracts/ledger/ledger.ts';
import { connectStakes } from '../../contracts/ledger/stakes.ts';
import { connectRpc, type Rpc } from '../../contracts/rpc.ts';
import type { Signer } from '../../contracts/wallet.ts';
import type { Manifest } from '../../shared/round/manifest.ts';
import { createEngine } from '../../shared/runtime/engine/create-engine.ts';
import type { ClientConfig, JobConfig } from '../config/client-config.ts';
import { type EnergyMeter, type EnergyMeterOptions, openEnergyMeter } from '../energy/energy-meter.ts';
import { checkWork } from '../limits/work-limits.ts';
import { lockJob } from '../lock/job-lock.ts';
import type { Log } from '../log.ts';
import { createPrivacyGuard, type PrivacyGuard } from '../privacy/privacy-guard.ts';
import { createPrivacyLedger } from '../privacy/privacy-ledger.ts';
import { type PrivacyOptions, requireOwnData } from '../privacy/privacy-options.ts';
import { publishesData } from '../public-data/published-source.ts';
import { type Client, type CourtDuty, createClient } from '../run.ts';
import type { ClientOutcome } from '../session/state.ts';
import { statusOfSession } from '../status/client-status.ts';
import { stateFiles } from '../status/state-files.ts';
import { openStatusFile, type StatusFile } from '../status/status-file.ts';
import type { Trainer } from '../trainers/trainer.ts';
import { createPublishedFactory } from './published-factory.ts';
import { createTrainerFactory } from './trainer-factory.ts';

/** What taking part in one job needs. */
export interface TakePartOptions {
  /** The whole client. */
  readonly config: ClientConfig;
  /** The job. */
  readonly job: JobConfig;
  /** The participant's key. */
  readonly signer: Signer;
  /** May wrap the trainer, as simulated attackers do. */
  readonly decorate: (trainer: Trainer) => Trainer;
  /** Where to tell what happens. */
  readonly log: Log;
  /** Ends it in good order. */
  readonly drain: AbortSignal;
  /** Ends it at once. */
  readonly signal: AbortSignal;
}

/**
 * Takes part in one job until it ends: reads the chain, holds the job to what the client gives, trains. One process at a
 * time does so for a key and a job in one state folder; while it does, a file there says how it is doing.
 *
 * @throws JobLockError, LedgerError, DeployError for a court that is not this product's, WorkLimitError, and what
 *   `Client.run` throws
 */
export async function takePart(options: TakePartOptions): Promise<ClientOutcome> {
  const { config, job, signer, log, drain, signal } = options;
  const files = stateFiles(config.state, signer.address, job.job);
  const calls = new AbortController();
  const hangUp = (): void => calls.abort();
  signal.addEventListener('abort', hangUp, { once: true });
  // Before there is a session nothing is on its way that would have to be delivered.
  drain.addEventListener('abort', hangUp, { once: true });
  const rpc = connectRpc({ urls: config.rpcUrls, signal: calls.signal });
  const ledger = await connectLedger({ rpc, anchor: job.job, signal: calls.signal });
  const facts = await ledger.facts();
  drain.removeEventListener('abort', hangUp);
  const unlock = await lockJob(files.lock);
  const status = openStatusFile(
    files.status,
    {
      ...{ anchor: job.job, job: facts.job, participant: signer.address, coordinator: job.coordinator },
      ...{ link: 'connecting', activity: 'idle' },
    },
    (error) => log.debug({ error: error.message }, 'the status file cannot be written'),
  );
  let court: CourtDuty | undefined;
  let energy: EnergyMeter | undefined;
  try {
    court = await courtDuty(ledger, facts, config.attest);
    energy = told(await openEnergyMeter(meterOptions(config)), status);
    log.info({ sources: energy.sources }, 'energy is counted by');
    const outcome = await createClientOf(options, { facts, rpc, court, status, energy }).run();
    status.update({ outcome: sentence(outcome) });
    return outcome;
  } catch (error) {
    status.update({ outcome: `it could not take part: ${(error as Error).message}` });
    throw error;
  } finally {
    status.update({ link: 'stopped', activity: 'stopped' });
    signal.removeEventListener('abort', hangUp);
    calls.abort();
    await court?.engine?.close();
    energy?.close();
    await status.close();
    await unlock();
  }
}

interface Found {
  readonly facts: JobFacts;
  readonly rpc: Rpc;
  readonly court: CourtDuty | undefined;
  readonly status: StatusFile;
  readonly energy: EnergyMeter;
}

function createClientOf(options: TakePartOptions, { facts, rpc, court, status, energy }: Found): Client {
  const { config, job, signer, decorate, log, drain, signal } = options;
  const ready = (told: Readonly<Record<string, unknown>>): void => {
    if (typeof told['backend'] === 'string') status.update({ backend: told['backend'] });
    log.info(told, 'ready to train');
  };
  const createTrainer = createTrainerFactory(config, job, ready, log);
  const createPublished = createPublishedFactory(config, job, signer, facts, ready);
  let round: number | undefined;
  return createClient({
    coordinatorUrl: job.coordinator,
    allowPlaintext: config.insecurePlaintext,
    facts,
    signer,
    createTrainer: async (manifest: Manifest, ...rest) => {
      const { name, rounds } = manifest;
      status.update({ name, rounds });
      checkWork(manifest, config.limits);
      requireOwnData(config.privacy, publishesData(manifest));
      // Money is at stake: what keeps it must be this product's code, on the terms of the manifest.
      if (court) {
        await verifyCourt(rpc, { anchor: job.job, stakes: facts.roster, disputes: facts.arbiter }, manifest.court);
      }
      const local = await (publishesData(manifest) ? createPublished : createTrainer)(manifest, ...rest);
      return { ...local, trainer: watched(decorate(local.trainer), status) };
    },
    stateDir: config.state,
    ...(job.seed === undefined ? {} : { seed: job.seed }),
    ...(court && { court }),
    energy,
    ...(config.privacy && { privacy: guardOf(config.privacy, config.state, log) }),
    onSession: (state) => {
      const changes = statusOfSession(state);
      status.update(changes.round === round ? changes : { ...changes, progress: undefined, loss: undefined });
      round = changes.round ?? round;
    },
    log,
    drain,
    signal,
  });
}

function guardOf(privacy: PrivacyOptions, state: string, log: Log): PrivacyGuard {
  return createPrivacyGuard({
    privacy,
    ledger: createPrivacyLedger(state),
    onSpent: ({ epsilon, delta, budget, updatesLeft }, { round, attempt }) =>
      log.info({ round, attempt, epsilon, delta, budget, updatesLeft }, 'privacy spent so far'),
  });
}

/** What a meter of this machine is told: on which cards the job is trained, and what a core draws where nothing tells. */
function meterOptions({ backend, device, wattsPerCore }: ClientConfig): EnergyMeterOptions {
  const isOnCpu = backend === 'wasm' || backend === 'cpu' || backend === 'node';
  return { nvidia: isOnCpu ? false : { device: numberedDevice(device) }, ...(wattsPerCore && { wattsPerCore }) };
}

/** The driver numbers its cards; other names are a backend's own. */
function numberedDevice(device: string | undefined): string | undefined {
  return device !== undefined && /^\d+$/.test(device) ? device : undefined;
}

/** A meter whose readings add up in the status. */
function told(meter: EnergyMeter, status: StatusFile): EnergyMeter {
  let [millijoules, estimated] = [0, false];
  return {
    sources: meter.sources,
    during: (work) => meter.during(work),
    take: () => {
      const used = meter.take();
      if (used) {
        millijoules += used.millijoules;
        estimated ||= used.estimated;
        status.update({ energy: { joules: millijoules / 1000, estimated } });
      }
      return used;
    },
    close: () => meter.close(),
  };
}

/** How a part in a job ended, in a sentence. */
export function sentence(outcome: ClientOutcome): string {
  switch (outcome.kind) {
    case 'closed':
      return `the job is closed after ${outcome.rounds} rounds; its model is ${outcome.modelRoot}`;
    case 'failed':
      return `the job failed: ${outcome.reason}`;
    case 'aborted':
      return 'stopped before the job ended: start again with the same --state to go on';
  }
}

/** A trainer whose progress is seen in the status. */
function watched(trainer: Trainer, status: StatusFile): Trainer {
  return {
    ...trainer,
    train: (task, signal) =>
      trainer.train(
        {
          ...task,
          onProgress: (progress) => {
            task.onProgress?.(progress);
            const { done, loss } = progress;
            status.update({ progress: done, ...(loss === undefined ? {} : { loss }) });
          },
        },
        signal,
      ),
    evaluate: async (weights, signal) => {
      const evaluation = await trainer.evaluate(weights, signal);
      status.update({ evaluation: { correct: evaluation.correct, total: evaluation.total } });
      return evaluation;
    },
  };
}

/** A job has a court if somebody keeps its stakes. */
async function courtDuty(ledger: Ledger, { roster }: JobFacts, attest: boolean): Promise<CourtDuty | undefined> {
  if (/^0x0*$/.test(roster)) return undefined;
  const stakes = await connectStakes({ rpc: ledger.rpc, stakes: roster });
  return { ledger, stakes, engine: attest ? createEngine() : null };
}
