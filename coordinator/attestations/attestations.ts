import { recoverAddress } from '../../contracts/wallet.ts';
import type { Hex } from '../../shared/bytes.ts';
import { attestationDigest, type PlacedAttestation } from '../../shared/commitments/attestation.ts';
import type { SigningDomain } from '../../shared/commitments/typed-data.ts';
import { FedanchorError } from '../../shared/errors.ts';
import type { Heads } from '../court/heads.ts';
import type { HeadAttested, JobEvent } from '../round/events.ts';
import type { JobState } from '../round/state.ts';
import type { JobRunner } from '../runner.ts';

/** Thrown when an attestation is not taken. */
export class AttestError extends FedanchorError<'attest/unknown-head' | 'attest/bad-signature' | 'attest/not-staked'> {}

/** A participant's word that it has recomputed everything up to a head. */
export type Attested = Pick<HeadAttested, 'participant' | 'round' | 'head' | 'signature'>;

/** A head that enough listed participants have attested. */
export interface Quorum {
  /** The round after which the chain has it. */
  readonly round: number;
  /** The head. */
  readonly head: Hex;
  /** As many attestations as are needed, in ascending order of their positions in the roster. */
  readonly attestations: readonly PlacedAttestation[];
}

/** The attestations of one job that still matter. */
export interface Attestations {
  /**
   * Checks an attestation and keeps it durably; one that is known, or of a round that is attested already, changes nothing.
   *
   * @throws AttestError
   */
  take(attested: Attested): Promise<void>;
  /** The newest head that `quorum` participants of a roster have attested. */
  newestQuorum(roster: readonly Hex[], quorum: number): Quorum | undefined;
  /** How many have attested a round, or a later one. */
  countFor(round: number): number;
  /** Rounds up to this one need no more: theirs are forgotten. */
  settle(round: number): void;
}

/** What the collection of a job's attestations works with. */
export interface AttestationsOptions {
  /** The job. */
  readonly job: Hex;
  /** Where signatures of this job are valid. */
  readonly domain: SigningDomain;
  /** The job's loop, whose log keeps them. */
  readonly runner: Pick<JobRunner, 'history' | 'state' | 'subscribe' | 'attest'>;
  /** The chain's heads by the log. */
  readonly heads: Heads;
  /** Whether an address has staked enough. */
  readonly isStaked: (participant: Hex) => Promise<boolean>;
}

/** Rounds whose attestations are held at once: a newer one stands for all before it, so the oldest can go. */
const MOST_ROUNDS = 64;

/** Collects a job's attestations, beginning with those in its log. */
export function createAttestations({ job, domain, runner, heads, isStaked }: AttestationsOptions): Attestations {
  const kept = new Map<number, Map<Hex, Hex>>();
  let settled = 0;

  const keep = ({ participant, round, head, signature }: Attested): void => {
    if (round <= settled || heads.headAfter(round) !== head) return;
    kept.set(round, (kept.get(round) ?? new Map()).set(participant, signature));
    if (kept.size > MOST_ROUNDS) kept.delete(Math.min(...kept.keys()));
  };
  const take = (event: JobEvent, { progress }: JobState): void => {
    if (event.type === 'headAttested') keep(event);
    if (event.type !== 'roundsRewound') return;
    for (const round of [...kept.keys()]) if (round > progress.rounds) kept.delete(round);
  };

  // What was attested of a head that the chain has taken back since is not one of its heads now.
  for (const event of runner.history) if (event.type === 'headAttested') keep(event);
  runner.subscribe(take);

  return {
    take: async (attested) => {
      const { participant, round, head, signature } = attested;
      if (heads.headAfter(round) !== head) {
        throw new AttestError(
          'attest/unknown-head',
          `the chain has no head ${head} after round ${round} that this coordinator knows of: ask the chain again`,
          { round, head },
        );
      }
      if (round <= settled || kept.get(round)?.has(participant)) return;
      if (!isSignedBy(participant, attestationDigest(domain, { job, round, head }), signature)) {
        const sentence = `the signature over round ${round} and head ${head} is not that of ${participant}: sign again`;
        throw new AttestError('attest/bad-signature', sentence, { participant, round });
      }
      if (!(await isStaked(participant))) {
        const sentence = `${participant} has no stake in this job, so its word does not count: "fedanchor stake add"`;
        throw new AttestError('attest/not-staked', sentence, { participant });
      }
      await runner.attest(attested);
    },
    newestQuorum: (roster, quorum) => {
      for (const [round, given] of [...kept].sort(([a], [b]) => b - a)) {
        const attestations = roster.flatMap((participant, position) => {
          const signature = given.get(participant);
          return signature === undefined ? [] : [{ position, signature }];
        });
        const head = heads.headAfter(round);
        if (attestations.length < quorum || head === undefined) continue;
        // Each one more costs gas and changes nothing.
        return { round, head, attestations: attestations.slice(0, quorum) };
      }
      return undefined;
    },
    countFor: (round) => {
      const counted = [...kept].flatMap(([other, given]) => (other >= round ? [...given.keys()] : []));
      return new Set(counted).size;
    },
    settle: (round) => {
      settled = round;
      for (const other of [...kept.keys()]) if (other <= round) kept.delete(other);
    },
  };
}

function isSignedBy(participant: Hex, digest: Uint8Array, signature: Hex): boolean {
  try {
    return recoverAddress(digest, signature) === participant;
  } catch {
    return false;
  }
}
