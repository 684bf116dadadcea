import { setTimeout as delay } from 'node:timers/promises';
import type { JobFacts } from '../../contracts/ledger/facts.ts';
import type { Ledger } from '../../contracts/ledger/ledger.ts';
import type { Stakes } from '../../contracts/ledger/stakes.ts';
import type { RoundRecord } from '../../shared/commitments/record.ts';
import { decodeDocument } from '../../shared/round/document.ts';
import type { BlobStore } from '../blobs/blob-store.ts';
import type { Anchor } from '../runner.ts';

/** What it takes to know when a round may be anchored. */
export interface PatientAnchorOptions {
  /** The way to the chain. */
  readonly anchor: Anchor;
  /** When participants joined. */
  readonly stakes: Pick<Stakes, 'stakeOf'>;
  /** What the chain says. */
  readonly ledger: Pick<Ledger, 'chainTimeS'>;
  /** Since when ticks count. */
  readonly facts: Pick<JobFacts, 'deployedAtS'>;
  /** Where the round's document is. */
  readonly blobs: Pick<BlobStore, 'get'>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Ends the waiting. */
  readonly signal: AbortSignal;
}

const TICK_S = 16;

/** By how much the chain's clock may be behind this machine's, in seconds. */
const CLOCK_SLACK_S = 4;

const LOOK_EVERY_MS = 500;

/**
 * Anchors a round no sooner than its contributions can be defended. The contract dates a round by the tick that it is
 * anchored in, and takes no contribution of somebody whose stake is younger: a participant that has joined within the
 * last 16 seconds is waited for.
 */
export function createPatientAnchor(options: PatientAnchorOptions): Anchor {
  const { anchor, ledger, facts, now, signal } = options;
  const tickNow = async (): Promise<number> => {
    // A quiet chain's clock stands still, and its next block has the time of then.
    const nowS = Math.max(await ledger.chainTimeS(), now() / 1000 - CLOCK_SLACK_S);
    return facts.deployedAtS + Math.floor((nowS - facts.deployedAtS) / TICK_S) * TICK_S;
  };
  return async (record) => {
    const youngestS = await youngestStake(options, record);
    while (!signal.aborted && (await tickNow()) < youngestS) {
      await delay(LOOK_EVERY_MS, undefined, { signal }).catch(() => {});
    }
    return anchor(record);
  };
}

/** When the last of a round's participants joined, in seconds since 1970; 0 where that cannot be told. */
async function youngestStake({ stakes, blobs }: PatientAnchorOptions, { location }: RoundRecord): Promise<number> {
  const document = await blobs.get(location);
  if (document === undefined) return 0;
  const joined = decodeDocument(document).contributions.map(async ({ participant }) => {
    const { joinedAtS } = await stakes.stakeOf(participant);
    return joinedAtS;
  });
  return Math.max(...(await Promise.all(joined)));
}
