import { onTestFinished } from 'vitest';
import type { DeployedJob } from '../../../contracts/deploy.ts';
import { connectLedger, type Ledger } from '../../../contracts/ledger/ledger.ts';
import type { Outbox } from '../../../contracts/outbox/outbox.ts';
import type { Signer } from '../../../contracts/wallet.ts';
import { type Host, hostJob, type OpenJob } from '../../../coordinator/host-job.ts';
import { prepareJob } from '../../../coordinator/job-folder.ts';
import type { JobState } from '../../../coordinator/round/state.ts';
import { fromHex, type Hex } from '../../../shared/bytes.ts';
import { updateDigest } from '../../../shared/commitments/contribution.ts';
import type { SigningDomain } from '../../../shared/commitments/typed-data.ts';
import { vectorBytes } from '../../../shared/commitments/vector-trees.ts';
import type { CourtTerms } from '../../../shared/round/court-terms.ts';
import type { JobTerms } from '../../../shared/round/job-terms.ts';
import { openUpdateBlocks } from '../../../shared/runtime/update-blocks.ts';
import { COURT, type CourtWorld, openCourtWorld } from '../../contracts/court-fixture.ts';
import { deployTestJob, startTestChain, type TestChain } from '../../contracts/harness.ts';
import { createFileEngine } from '../file-engine.ts';
import {
  COORDINATOR,
  createQuietLog,
  hash,
  offerOf,
  statementOf,
  type TestJobChoices,
  temporaryFolder,
  testJob,
  updateOf,
  WALLETS,
} from '../fixture.ts';

/** A job in a coordinator's folder, its contracts on a chain of their own. */
export interface HostedWorld {
  readonly chain: TestChain;
  /** The job's folder. */
  readonly folder: string;
  readonly terms: JobTerms;
  readonly contracts: DeployedJob;
  readonly ledger: Ledger;
  readonly domain: SigningDomain;
  readonly outbox: Outbox;
  /** Starts the coordinator on the folder; it ends with the test at the latest. */
  start(changes?: Partial<Host>): Promise<Hosted>;
}

/** A coordinator at work. */
export interface Hosted {
  readonly job: OpenJob;
  readonly log: ReturnType<typeof createQuietLog>;
  /** Ends it, as a crash would but for open files. */
  stop(): Promise<void>;
}

export interface WorldChoices extends TestJobChoices {
  readonly court?: Partial<CourtTerms>;
  readonly windowTicks?: number;
  /** What the manifest asks for as a bond, where it is not what the contracts' fixture posts twice. */
  readonly bondAsked?: string;
  /** May rewind, in a job without a court. */
  readonly arbiter?: Hex;
}

/** A job with a court, everyone staked, or one whose arbiter is whoever is named. */
export async function openHostedWorld(choices: WorldChoices): Promise<HostedWorld & { readonly court?: CourtWorld }> {
  const chain = await startTestChain();
  onTestFinished(() => chain.close());
  const folder = await temporaryFolder();
  const example = testJob(choices);
  const { version: _, initialModelRoot: _model, seedCommitment: _seed, ...manifest } = example.terms.manifest;
  const windowTicks = choices.windowTicks ?? 1000;
  const draft = {
    ...manifest,
    chain: { windowTicks },
    rewards: { pricePerRound: '100', score: 'confirmation' as const },
    ...(choices.court && {
      court: { ...COURT, ...choices.court, ...(choices.bondAsked && { coordinatorBond: choices.bondAsked }) },
    }),
  };
  const prepared = prepareJob(folder, draft, example.model, fromHex(hash('secret of the job'), 32));
  const { terms } = prepared;
  const job = {
    ...{ job: terms.job, manifestHash: terms.job, fixedPlanHash: terms.fixedPlanHash },
    ...{ tensorTableRoot: terms.tensorTableRoot, genesisModelRoot: terms.manifest.initialModelRoot },
    ...{ pricePerRound: 100n, maxRounds: terms.manifest.rounds, windowTicks },
  };
  let court: CourtWorld | undefined;
  let contracts: DeployedJob;
  let outbox: Outbox;
  if (choices.court) {
    const blocks = terms.layout.dimension / 64;
    const options = { blocks, court: choices.court, job, participants: WALLETS, coordinator: COORDINATOR };
    court = await openCourtWorld(chain, options);
    contracts = court.job;
    outbox = await court.outboxOf(COORDINATOR);
  } else {
    outbox = await chain.openOutbox(COORDINATOR);
    const arbiter = choices.arbiter === undefined ? {} : { arbiter: choices.arbiter };
    contracts = await deployTestJob(chain, outbox, {
      ...job,
      ...arbiter,
      ringSize: 16,
      coordinator: COORDINATOR.address,
    });
  }
  const { token, anchor, vault, stakes, disputes } = contracts;
  const { folder: jobFolder } = await prepared.commit({
    ...{ token, anchor, vault },
    ...(stakes && disputes && { stakes, disputes }),
  });
  // Times of anchoring are kept in ticks: whoever joined within the same one would count as too late.
  await chain.chain.increaseTime(16);
  const ledger = await connectLedger({ rpc: chain.rpc, anchor, vault });
  const start = async (changes: Partial<Host> = {}): Promise<Hosted> => {
    const controller = new AbortController();
    const log = createQuietLog();
    const opened = await hostJob(jobFolder, {
      ...{
        rpc: chain.rpc,
        signer: COORDINATOR,
        outbox,
        engine: createFileEngine(),
        openUpdates: openUpdateBlocks,
        now: () => Date.now(),
        log,
      },
      ...{ signal: controller.signal, courtPollMs: 20 },
      ...changes,
    });
    let closed: Promise<void> | undefined;
    const stop = (): Promise<void> => {
      controller.abort();
      closed ??= opened.close();
      return closed;
    };
    onTestFinished(stop);
    return { job: opened, log, stop };
  };
  const domain = { chainId: 31337n, anchor };
  return { chain, folder: jobFolder, terms, contracts, ledger, domain, outbox, start, ...(court && { court }) };
}

/** Resolves when a job's state is as asked. */
export function reached({ job: { runner } }: Hosted, isReached: (state: JobState) => boolean): Promise<JobState> {
  return new Promise((resolve) => {
    if (isReached(runner.state)) resolve(runner.state);
    const stop = runner.subscribe((_event, state) => {
      if (!isReached(state)) return;
      stop();
      resolve(state);
    });
  });
}

/** Everyone joins; `contribute` answers every round with updates that depend on the round alone until this holds. */
export async function play(
  world: HostedWorld,
  hosted: Hosted,
  isReached: (state: JobState) => boolean,
  signers: readonly Signer[] = WALLETS,
): Promise<JobState> {
  const { runner } = hosted.job;
  for (const { address } of signers) await runner.join(address);
  for (;;) {
    const state = await reached(
      hosted,
      (now) => isReached(now) || now.phase === 'collecting' || now.phase === 'failed',
    );
    if (isReached(state) || state.phase !== 'collecting') return state;
    for (const signer of signers) await contribute(world, hosted, signer);
    await reached(hosted, (now) => isReached(now) || now.phase !== 'collecting' || now.plan !== state.plan);
  }
}

/** Submits the update that a participant has for a round, whatever the attempt. */
export async function contribute({ terms, domain }: HostedWorld, { job }: Hosted, signer: Signer) {
  const { state } = job.runner;
  if (state.phase !== 'collecting') throw new Error(`no round is open: ${state.phase}`);
  const { plan } = state;
  const update = updateOf(terms, signer.address, { round: plan.round, attempt: 0 });
  const bytes = vectorBytes(update);
  const offer = offerOf(bytes);
  for (const part of await job.uploads.offer(signer.address, offer)) {
    await job.uploads.putPart(signer.address, offer.updateRoot, part, bytes);
  }
  const statement = statementOf(terms, plan, update);
  return job.runner.submit(signer.address, statement, signer.signDigest(updateDigest(domain, statement)));
}

/** Asks again until the answer is as wanted; what is waited for comes with a look at the chain that is under way. */
export async function eventually<Value>(
  ask: () => Value | Promise<Value>,
  isIt: (value: Value) => boolean,
): Promise<Value> {
  for (;;) {
    const value = await ask();
    if (isIt(value)) return value;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
