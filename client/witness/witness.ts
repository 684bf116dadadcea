import { setTimeout as delay } from 'node:timers/promises';
import type { Ledger } from '../../contracts/ledger/ledger.ts';
import type { Signer } from '../../contracts/wallet.ts';
import type { AggregationEngine } from '../../shared/aggregation/engine.ts';
import type { Hex } from '../../shared/bytes.ts';
import { attestationDigest } from '../../shared/commitments/attestation.ts';
import { FedanchorError } from '../../shared/errors.ts';
import type { EligibilityView, Recover } from '../auditor/audit-contributions.ts';
import type { AuditMemory } from '../auditor/audit-memory.ts';
import type { AuditFacts } from '../auditor/audit-origin.ts';
import type { BlobSource } from '../auditor/blob-source.ts';
import { createRetentionView } from '../auditor/retention.ts';
import { type AuditedRound, createRoundAuditor } from '../auditor/round-auditor.ts';
import { createRoundFollower } from '../auditor/round-follower.ts';
import type { Log } from '../log.ts';
import { ProtocolError } from '../transports/transport-error.ts';

/** What a witness says to the coordinator. */
export interface SignedHead {
  /** The job. */
  readonly job: Hex;
  /** Round after which the chain has this head. */
  readonly round: number;
  /** The head, 26 bytes. */
  readonly head: Hex;
  /** The participant's signature. */
  readonly signature: Hex;
}

/** What a witness is made of. */
export interface WitnessOptions {
  /** What the chain says the job is. */
  readonly facts: AuditFacts;
  /** The chain. */
  readonly ledger: Pick<Ledger, 'records' | 'latestRound' | 'headOf' | 'finality' | 'chainTimeS' | 'facts'>;
  /** Where updates and models are read: the coordinator's bulk plane, as a participant. */
  readonly blobs: BlobSource;
  /** Recovers signers. */
  readonly recover: Recover;
  /** Tells who has staked enough to contribute. */
  readonly eligibility?: EligibilityView;
  /** Recomputes; the scalar reference unless given. */
  readonly engine?: AggregationEngine;
  /** What was recomputed before. */
  readonly memory: AuditMemory;
  /** The participant's key. */
  readonly signer: Signer;
  /** Hands an attestation to the coordinator; throws ProtocolError, TransportError. */
  readonly send: (attestation: SignedHead) => Promise<void>;
  /** Pause between two looks at the chain, in milliseconds. */
  readonly pollMs: number;
  /** Where it tells what it does. */
  readonly log: Log;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/** Refusals that no repetition changes. */
const FINAL_REFUSALS: readonly string[] = ['attest/not-needed'];

/**
 * Recomputes every round that is anchored and signs the chain's head after it, as one of the participants without whose
 * signatures no round of the job becomes final. It signs no head that it has not recomputed back to the manifest; of a
 * round that does not recompute, or whose data is not to be had, it says so and signs nothing.
 *
 * It resolves when it is told to stop, or when the coordinator needs no attestations. An unreachable chain or coordinator
 * is asked again later.
 */
export async function runWitness(options: WitnessOptions): Promise<void> {
  const { facts, ledger, signer, log, signal } = options;
  const retention = createRetentionView(ledger);
  await using auditor = createRoundAuditor({ ...options, retention });
  let sent: Hex | undefined;
  let told: string | undefined;
  const report = ({ verdict, finding }: AuditedRound): void => {
    const { round, attempt, divergence } = verdict;
    const details = { round, attempt, ...divergence };
    if (divergence === undefined) log.info(details, 'round recomputed');
    else if (finding.isWithheld) log.error(details, 'data of a round is withheld: it is not attested');
    else log.error(details, 'A ROUND DOES NOT RECOMPUTE: it is not attested; fedanchor watch can take it to court');
  };

  const attest = async (round: number, head: Hex): Promise<void> => {
    const { job } = facts;
    const signature = signer.signDigest(attestationDigest(facts, { job, round, head }));
    await options.send({ job, round, head, signature });
    sent = head;
    log.info({ round, head }, 'attested');
  };

  const follower = createRoundFollower({
    ...options,
    auditor,
    onAudited: async (audited) => report(audited),
    onRewound: async (first, last) => log.warn({ first, last }, 'rounds were taken back: their attestations are void'),
  });

  while (!signal.aborted) {
    try {
      await follower.catchUp();
      // A head stands for every round before it.
      const trusted = follower.trusted();
      if (trusted !== undefined && trusted.head !== sent) await attest(trusted.round, trusted.head);
      told = undefined;
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof FedanchorError)) throw error;
      if (error instanceof ProtocolError && FINAL_REFUSALS.includes(error.code)) return;
      // One line an outage: the same again is no news.
      log[told === error.code ? 'debug' : 'warn']({ code: error.code }, `not attested yet: ${error.message}`);
      told = error.code;
    }
    await delay(options.pollMs, undefined, { signal }).catch(() => undefined);
  }
}
