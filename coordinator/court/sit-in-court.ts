import { connectCourt } from '../../contracts/court/court.ts';
import { createCourtWriter } from '../../contracts/court/court-writer.ts';
import type { JobFacts } from '../../contracts/ledger/facts.ts';
import { createFinalize } from '../../contracts/ledger/finality-writer.ts';
import type { Ledger } from '../../contracts/ledger/ledger.ts';
import { readRewindsSince } from '../../contracts/ledger/rewinds.ts';
import { createStakesWriter, type Stakes } from '../../contracts/ledger/stakes.ts';
import type { Outbox } from '../../contracts/outbox/outbox.ts';
import { quantity, type Rpc } from '../../contracts/rpc.ts';
import type { Signer } from '../../contracts/wallet.ts';
import type { Hex } from '../../shared/bytes.ts';
import type { JobTerms } from '../../shared/round/job-terms.ts';
import { createWithdrawal } from '../anchor-record.ts';
import { type Attestations, createAttestations } from '../attestations/attestations.ts';
import { createFinalizer } from '../attestations/finalizer.ts';
import type { BlobStore } from '../blobs/blob-store.ts';
import type { JobContracts } from '../job-folder.ts';
import type { Log } from '../log.ts';
import type { JobRunner } from '../runner.ts';
import { createBondWatch, createStakeWatch } from './bond.ts';
import { createDefense, type Defense } from './defense.ts';
import type { DisputeBoard } from './dispute-board.ts';
import type { Eligibility } from './eligibility.ts';
import { createRewindFollower } from './follow-rewinds.ts';
import { createHeads, type Heads } from './heads.ts';
import { type Duty, keepLooking } from './keep-looking.ts';
import type { OpenUpdates } from './round-views.ts';

/** What a coordinator lends to the court's side of its jobs. */
export interface CourtHost {
  /** The node. */
  readonly rpc: Rpc;
  /** The coordinator's wallet. */
  readonly signer: Signer;
  /** The one way of that wallet to the chain. */
  readonly outbox: Outbox;
  /** Opens the updates of a round for reading in pieces. */
  readonly openUpdates: OpenUpdates;
  /** Blocks that must hold what the chain decides, or the chain's own finality; default 1. */
  readonly confirmations?: number | 'finalized';
  /** Pause between two looks at it, in milliseconds; default 2,000. */
  readonly courtPollMs?: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Ends the looking. */
  readonly signal: AbortSignal;
}

/** A job whose rounds can be disputed or taken back, as its coordinator looks after it. */
export interface CourtOptions {
  /** What the coordinator lends to its jobs. */
  readonly host: CourtHost;
  /** The job's terms. */
  readonly terms: JobTerms;
  /** Its contracts. */
  readonly contracts: JobContracts;
  /** What its RoundAnchor was created with. */
  readonly facts: JobFacts;
  /** What the chain says. */
  readonly ledger: Ledger;
  /** Its loop. */
  readonly runner: JobRunner;
  /** Its blobs. */
  readonly blobs: BlobStore;
  /** Who may take part by stake, where it has a court. */
  readonly eligibility?: Eligibility;
  /** Its stakes, where it has a court. */
  readonly stakes?: Stakes;
  /** Where to tell what happens. */
  readonly log: Log;
}

/** The coordinator's side of a job's court. */
export interface Sitting {
  /** Where participants' attestations go; absent where none are needed. */
  readonly attestations?: Attestations;
  /** How disputes stand; absent without a court. */
  readonly disputes?: DisputeBoard;
  /** Resolves when the last look is over, after the signal. */
  readonly ended: Promise<void>;
}

/** Pause between two looks at the chain, in milliseconds. */
const LOOK_EVERY_MS = 2000;

const NOBODY: Hex = `0x${'00'.repeat(20)}`;

/**
 * Begins to look after what the chain decides about a job: rewinds, the bond, stakes, attestations. A job whose rounds nobody
 * can take back is left alone.
 *
 * @throws LedgerError if the chain cannot be asked now
 */
export async function sitInCourt(options: CourtOptions): Promise<Sitting> {
  const { host, facts, log } = options;
  const { signal, courtPollMs = LOOK_EVERY_MS } = host;
  if (facts.arbiter === NOBODY && facts.attestationQuorum === 0) return { ended: Promise.resolve() };
  const { stakes } = options;
  // No round opens with nothing to answer for it, nor on a parent that is gone.
  const bond = bondDuty(options);
  const urgent = [...bond, rewindDuty(options, bond)];
  for (const { name, work } of urgent) {
    await work().catch((error: Error) =>
      log.warn({ duty: name, error: error.message }, 'could not be done, tried again'),
    );
  }
  const heads = createHeads(facts, options.runner);
  const attestations = stakes === undefined || facts.attestationQuorum === 0 ? undefined : collect(options, heads);
  const defense = await defend(options, heads);
  const duties = [
    ...urgent,
    ...(defense ? [{ name: 'answering disputes', work: defense.look }] : []),
    ...stakeDuty(options),
    ...(attestations && stakes ? [finalityDuty(options, attestations, stakes)] : []),
  ];
  const ended = keepLooking(duties, courtPollMs, log, signal).then(() => defense?.idle());
  return { ...(attestations && { attestations }), ...(defense && { disputes: defense.board }), ended };
}

function rewindDuty({ host, facts, runner, log }: CourtOptions, bond: readonly Duty[]): Duty {
  const { rpc, outbox, confirmations = 1 } = host;
  const { anchor, deploymentBlock } = facts;
  const where = { rpc, anchor, deploymentBlock, confirmations };
  const work = createRewindFollower({
    rewindsSince: (known) => readRewindsSince(where, known),
    withdraw: createWithdrawal(outbox, anchor),
    weighBond: async () => {
      for (const { work: weigh } of bond) await weigh();
    },
    ...{ runner, log },
  });
  return { name: 'following rewinds', work };
}

function bondDuty({ host, terms, stakes, runner, log }: CourtOptions): Duty[] {
  const { court } = terms.manifest;
  if (court === undefined || stakes === undefined) return [];
  const bondNow = async (): Promise<bigint> => {
    const { amount, exitRequestedAtS } = await stakes.bondOf(host.signer.address);
    return exitRequestedAtS === 0 ? amount : 0n;
  };
  const work = createBondWatch({ readBond: bondNow, needed: BigInt(court.coordinatorBond), runner, log });
  return [{ name: 'weighing the bond', work }];
}

function stakeDuty({ eligibility, runner, log }: CourtOptions): Duty[] {
  return eligibility ? [{ name: 'looking at stakes', work: createStakeWatch({ eligibility, runner, log }) }] : [];
}

function collect({ terms, facts, runner, eligibility }: CourtOptions, heads: Heads): Attestations {
  const { job } = terms;
  const { chainId, anchor } = facts;
  const isStaked = async (participant: Hex) => eligibility === undefined || (await eligibility.isStaked(participant));
  return createAttestations({ job, domain: { chainId, anchor }, runner, heads, isStaked });
}

async function defend(options: CourtOptions, heads: Heads): Promise<Defense | undefined> {
  const { host, terms, contracts, facts, ledger, runner, blobs, log } = options;
  const { disputes, stakes, token } = contracts;
  if (disputes === undefined || stakes === undefined) return undefined;
  const { rpc, outbox, signer, openUpdates } = host;
  return createDefense({
    ...{ terms, runner, heads, blobs, openUpdates, ledger, log },
    court: await connectCourt({ rpc, disputes }),
    writer: createCourtWriter(outbox, { disputes, stakes, token }),
    latestBlock: async () => quantity(await rpc.call('eth_blockNumber', [])),
    deploymentBlock: facts.deploymentBlock,
    coordinator: signer.address,
  });
}

function finalityDuty(options: CourtOptions, attestations: Attestations, stakes: Stakes): Duty {
  const { host, contracts, facts, ledger, runner, log } = options;
  const { rpc, outbox, now } = host;
  const { anchor, windowTicks, attestationTicks, attestationQuorum: quorum } = facts;
  const writer = createStakesWriter({ outbox, rpc, stakes: stakes.address, token: contracts.token });
  const work = createFinalizer({
    ...{ attestations, runner, ledger, stakes, quorum, windowTicks, attestationTicks, now, log },
    publishRoster: writer.publishRoster,
    finalize: createFinalize(outbox, anchor),
  });
  return { name: 'making rounds final', work };
}
