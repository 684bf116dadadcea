import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { connectCourt } from '../../contracts/court/court.ts';
import { createCourtWriter } from '../../contracts/court/court-writer.ts';
import { verifyCourt } from '../../contracts/deploy/verify-court.ts';
import type { JobFacts } from '../../contracts/ledger/facts.ts';
import { connectLedger, type Ledger } from '../../contracts/ledger/ledger.ts';
import { rewindUnattested } from '../../contracts/ledger/overdue-writer.ts';
import { connectStakes, createStakesWriter, type Stakes } from '../../contracts/ledger/stakes.ts';
import { createOutbox, type Outbox } from '../../contracts/outbox/outbox.ts';
import { connectRpc } from '../../contracts/rpc.ts';
import { recoverAddress, type Signer } from '../../contracts/wallet.ts';
import type { AggregationEngine } from '../../shared/aggregation/engine.ts';
import type { Hex } from '../../shared/bytes.ts';
import type { SignedReceipt } from '../../shared/commitments/receipt.ts';
import { FedanchorError } from '../../shared/errors.ts';
import { createFileAuditMemory } from '../auditor/audit-memory.ts';
import type { BlobSource } from '../auditor/blob-source.ts';
import { createEligibilityView } from '../auditor/eligibility.ts';
import { createRetentionView } from '../auditor/retention.ts';
import { createRoundAuditor } from '../auditor/round-auditor.ts';
import { createRoundFollower, type RoundFollower } from '../auditor/round-follower.ts';
import { createDocket, type Docket, nextBlockTimeS } from './docket.ts';
import { createEvidenceShelf } from './evidence.ts';
import { createFileOutboxStore } from './file-outbox-store.ts';
import { createProsecutor, type Prosecutor } from './prosecutor.ts';
import { type OpenUpdates, positionOf } from './published-round.ts';
import type { WatchEvent } from './watch-event.ts';

/** What a watcher is made of. */
export interface WatchOptions {
  /** Nodes of the chain, the preferred one first. */
  readonly rpcUrls: readonly string[];
  /** The job's RoundAnchor. */
  readonly anchor: Hex;
  /** Where blobs are read, once the chain has said what the job is. */
  readonly openBlobs: (facts: JobFacts) => BlobSource;
  /** Who challenges; null only recomputes. */
  readonly signer: Signer | null;
  /** Whether nothing is to be sent. */
  readonly dryRun: boolean;
  /** Folder for transactions, evidence and what was recomputed: keep it between runs. */
  readonly stateDir: string;
  /** Receipts of accepted updates that rounds must contain. */
  readonly receipts?: (job: Hex) => Promise<readonly SignedReceipt[]>;
  /** Opens updates for reading by blocks. */
  readonly openUpdates: OpenUpdates;
  /** Recomputes. */
  readonly engine: AggregationEngine;
  /** Blocks that must hold a transaction before it counts. */
  readonly confirmations?: number;
  /** Pause between two looks at the chain, in milliseconds. */
  readonly pollMs: number;
  /** Told what happens. */
  readonly emit: (event: WatchEvent) => void;
  /** Ends the watch. */
  readonly signal: AbortSignal;
}

/** How a watch ended. */
export interface WatchOutcome {
  /** Whether it was told to stop; otherwise the job's last round is final. */
  readonly stopped: boolean;
  /** Whether every round that is anchored now holds. */
  readonly holds: boolean;
  /** Rounds anchored now. */
  readonly rounds: number;
}

/** Seconds of one tick of the anchor's clock. */
const TICK_S = 16;

/** What a watcher with a wallet can do in a job with a court. */
interface Bench {
  readonly outbox: Outbox;
  readonly docket: Docket;
  readonly stakes: Stakes;
  readonly withdraw: () => Promise<void>;
}

/**
 * Recomputes every round of a job as it is anchored, and takes those that do not hold to court: opens the dispute that
 * shows a round wrong, sees it through, and fetches what it has won. It trusts the chain and its own machine; the
 * coordinator only serves it data, each piece of which is held to its root.
 *
 * It can be stopped and started again at any time: transactions are sent once, disputes are taken up from the chain.
 *
 * @returns when the last round is final and no dispute of its own is in flight, or when it is told to stop
 * @throws AuditError, LedgerError when the job cannot be watched at all; later failures are told and tried again
 */
export async function watch(options: WatchOptions): Promise<WatchOutcome> {
  const { anchor, engine, stateDir, pollMs, emit, signal } = options;
  const ledger = await connectLedger({ rpc: connectRpc({ urls: options.rpcUrls, signal }), anchor, signal });
  const facts = await ledger.facts();
  const blobs = options.openBlobs(facts);
  const hasCourt = !isZero(facts.arbiter) && !isZero(facts.roster);
  const stakes = hasCourt ? await connectStakes({ rpc: ledger.rpc, stakes: facts.roster }) : null;
  const eligibility = stakes && createEligibilityView(ledger, stakes);
  const retention = createRetentionView(ledger);
  await using auditor = createRoundAuditor({
    ...{ facts, blobs, recover: recoverAddress, retention, engine },
    ...(eligibility && { eligibility }),
  });
  const origin = await auditor.origin();
  const terms = auditor.terms();
  if (origin.divergence) emit(roundless(origin.divergence.what, origin.divergence.found));

  const evidence = createEvidenceShelf(join(stateDir, `evidence-${anchor.slice(2)}`));
  const court = hasCourt ? await connectCourt({ rpc: ledger.rpc, disputes: facts.arbiter }) : null;
  const canSend = options.signer !== null && !options.dryRun && court !== null && stakes !== null;
  if (canSend) {
    // Bonds go to it: it must be this product's code, on the terms of the manifest.
    const contracts = { anchor: facts.anchor, stakes: facts.roster, disputes: facts.arbiter };
    await verifyCourt(ledger.rpc, contracts, terms?.manifest.court);
  }
  const outboxFolder = join(stateDir, `outbox-${facts.chainId}-${options.signer?.address.slice(2)}`);
  const outbox = canSend
    ? await createOutbox({
        ...{ rpc: ledger.rpc, wallet: options.signer as Signer, chainId: facts.chainId, whenEmpty: 'throw', signal },
        ...{ store: await createFileOutboxStore(outboxFolder), pollIntervalMs: Math.min(pollMs, 1000) },
        ...(options.confirmations === undefined ? {} : { confirmations: options.confirmations }),
      })
    : null;
  const reviews = createReviews();
  let prosecutor: Prosecutor | undefined;
  let bench: Bench | undefined;
  if (court !== null && stakes !== null && eligibility !== null) {
    const { token } = await stakes.terms();
    const writer = outbox && createCourtWriter(outbox, { disputes: facts.arbiter, stakes: facts.roster, token });
    const receipts = async () => (await options.receipts?.(facts.job)) ?? [];
    prosecutor = createProsecutor({
      openUpdates: options.openUpdates,
      ...{ facts, ledger, court, writer, blobs, recover: recoverAddress, eligibility, receipts, evidence, emit },
    });
    if (outbox !== null && writer !== null) {
      const challenger = outbox.address;
      // What the answer has shown may show where else the lie is.
      const onAnswered = (round: number): void => reviews.add(round, 0);
      const docket = createDocket({ facts, ledger, court, writer, challenger, evidence, emit, onAnswered });
      const money = createStakesWriter({ outbox, rpc: ledger.rpc, stakes: facts.roster, token });
      const withdraw = async (): Promise<void> => {
        const owed = await stakes.owedTo(challenger);
        if (owed === 0n) return;
        await money.withdraw(String(await ledger.rpc.call('eth_blockNumber', [])));
        emit({ event: 'withdrawn', amount: String(owed) });
      };
      bench = { outbox, docket, stakes, withdraw };
    }
  }

  const follower: RoundFollower = createRoundFollower({
    // What was found to hold without receipts may not hold with them.
    memory: createFileAuditMemory(options.receipts ? join(stateDir, 'with-receipts') : stateDir, anchor),
    ...{ ledger, auditor, blobs, signal },
    onAudited: async (audited) => {
      emit({ event: 'round', ...audited.verdict });
      const isSettled = terms && prosecutor ? await prosecutor.consider(terms, follower.records(), audited) : true;
      if (!isSettled) reviews.postpone(audited.verdict.round);
    },
    onRewound: async (first, last) => emit({ event: 'rewound', first, last }),
  });
  const disputes = hasCourt ? facts.arbiter : null;
  emit({ event: 'watching', anchor, disputes, account: outbox?.address ?? null, round: 0 });

  /** One look at everything; whether nothing more can come. */
  const look = async (): Promise<boolean> => {
    for (const round of reviews.due()) follower.review(round);
    await follower.catchUp();
    const records = follower.records();
    const isBusy = terms !== undefined && ((await bench?.docket.advance(terms, records)) ?? false);
    if (terms && outbox) await rewindOverdue({ facts, ledger, outbox, follower, emit }, terms);
    if (!isBusy) await bench?.withdraw();
    const last = records.at(-1);
    return !isBusy && last?.record.round === facts.maxRounds && (await ledger.isFinal(last.record));
  };

  let told: string | undefined;
  let isOver = false;
  while (!signal.aborted && !isOver) {
    try {
      isOver = await look();
      told = undefined;
    } catch (error) {
      if (signal.aborted) break;
      if (!(error instanceof FedanchorError)) throw error;
      const { code, message } = error;
      if (told !== message) emit({ event: 'trouble', code, message });
      told = message;
    }
    if (!isOver) await delay(pollMs, undefined, { signal }).catch(() => undefined);
  }
  const rounds = follower.records().length;
  return { stopped: !isOver, holds: origin.holds && (follower.trusted()?.round ?? 0) === rounds, rounds };
}

/** Rounds to be looked at again. */
interface Reviews {
  /** After so many looks. */
  add(round: number, looks: number): void;
  /** After a pause that doubles each time: what a contract has refused it may accept once a wallet is filled. */
  postpone(round: number): void;
  /** Those whose time has come; called once a look. */
  due(): readonly number[];
}

const MOST_LOOKS = 256;

function createReviews(): Reviews {
  const waiting = new Map<number, number>();
  const pauses = new Map<number, number>();
  const add = (round: number, looks: number): void => void waiting.set(round, looks);
  return {
    add,
    postpone: (round) => {
      const looks = Math.min(MOST_LOOKS, 2 * (pauses.get(round) ?? 4));
      pauses.set(round, looks);
      add(round, looks);
    },
    due: () => {
      const rounds: number[] = [];
      for (const [round, looks] of waiting) {
        if (looks > 0) waiting.set(round, looks - 1);
        else rounds.push(round);
      }
      for (const round of rounds) waiting.delete(round);
      return rounds;
    },
  };
}

interface Overdue {
  readonly facts: JobFacts;
  readonly ledger: Ledger;
  readonly outbox: Outbox;
  readonly follower: RoundFollower;
  readonly emit: (event: WatchEvent) => void;
}

/** Takes back the earliest unattested round once its deadline has passed, if this watcher could not confirm it either. */
async function rewindOverdue(
  { facts, ledger, outbox, follower, emit }: Overdue,
  terms: Parameters<typeof positionOf>[1],
): Promise<void> {
  if (facts.attestationQuorum === 0) return;
  const records = follower.records();
  const { attested } = await ledger.progress();
  const round = attested + 1;
  const last = records.at(-1)?.record;
  if (last === undefined || round > last.round || (follower.trusted()?.round ?? 0) >= round) return;
  const { anchored, finalAtS } = await ledger.finality(round);
  if (!anchored || (await nextBlockTimeS(ledger)) < finalAtS + facts.attestationTicks * TICK_S) return;
  const { record, parentHead } = positionOf(facts, terms, records, round);
  const { transactionHash } = await rewindUnattested(outbox, facts.anchor, record, parentHead, last);
  emit({ event: 'unattested', round, transactionHash });
}

function roundless(what: string, found: string): WatchEvent {
  const message = `the job's ${what} is not what the chain says (${found}): no round of it can hold`;
  return { event: 'trouble', code: 'watch/origin', message };
}

function isZero(address: Hex): boolean {
  return /^0x0*$/.test(address);
}
