import type { Hex } from '../../shared/bytes.ts';
import type { Contribution } from '../../shared/commitments/contribution.ts';
import type { RoundRecord } from '../../shared/commitments/record.ts';
import type { Manifest } from '../../shared/round/manifest.ts';
import type { RoundPlan } from '../../shared/round/plan.ts';

/** What a job has come to: carried from round to round. */
export interface Progress {
  /** Rounds anchored. */
  readonly rounds: number;
  /** Times a round was started over. */
  readonly attempt: number;
  /** Root of the latest model. */
  readonly modelRoot: Hex;
  /** Scale of the next round's updates. */
  readonly updateBits: number;
  /** Location of the latest round's document, null before round 1. */
  readonly location: Hex | null;
  /** Participants to wait for: those that joined and have neither left nor missed a deadline since, ascending. */
  readonly present: readonly Hex[];
}

/** A participant's answer to an open round. */
export type Answer =
  | { readonly verdict: 'accepted'; readonly contribution: Contribution }
  | { readonly verdict: 'refused'; readonly code: string }
  | { readonly verdict: 'declined'; readonly code: string };

/** Waits for participants. */
export interface Open {
  /** Discriminates the union. */
  readonly phase: 'open';
  /** What the job has come to. */
  readonly progress: Progress;
  /** How many participants must be present for the next round to open. */
  readonly need: number;
}

/** A round is open and takes updates. */
export interface Collecting {
  /** Discriminates the union. */
  readonly phase: 'collecting';
  /** What the job has come to. */
  readonly progress: Progress;
  /** The round's plan, its seed not yet revealed. */
  readonly plan: RoundPlan;
  /** Participants the round waits for. */
  readonly expected: readonly Hex[];
  /** Answers so far, by participant; each participant's accepted update is final, anything else may be replaced. */
  readonly answers: Readonly<Record<Hex, Answer>>;
  /** When the round closes without those who have not answered, in milliseconds since 1970. */
  readonly deadlineAt: number;
}

/** Collection has closed; the round function is being applied. */
export interface Aggregating {
  /** Discriminates the union. */
  readonly phase: 'aggregating';
  /** What the job has come to. */
  readonly progress: Progress;
  /** The round's plan. */
  readonly plan: RoundPlan;
  /** Admitted updates in participant order. */
  readonly admitted: readonly Contribution[];
}

/** The record is on its way to the chain. */
export interface Anchoring {
  /** Discriminates the union. */
  readonly phase: 'anchoring';
  /** What the job has come to. */
  readonly progress: Progress;
  /** The record. */
  readonly record: RoundRecord;
  /** Scale of the next round, by the median rule. */
  readonly nextUpdateBits: number;
}

/** All rounds are anchored. */
export interface Closed {
  /** Discriminates the union. */
  readonly phase: 'closed';
  /** What the job has come to. */
  readonly progress: Progress;
}

/** The job cannot go on. */
export interface Failed {
  /** Discriminates the union. */
  readonly phase: 'failed';
  /** What the job had come to. */
  readonly progress: Progress;
  /** Why, as a code. */
  readonly code: string;
  /** Why, as a sentence. */
  readonly reason: string;
}

/** Where a job stands. */
export type JobState = Open | Collecting | Aggregating | Anchoring | Closed | Failed;

/** What the manifest fixes for the machine. */
export interface JobRules {
  /** The job. */
  readonly job: Hex;
  /** Rounds of the job. */
  readonly rounds: number;
  /** Participants that must be present before round 1. */
  readonly expected: number;
  /** Updates below which a round is not aggregated. */
  readonly quorum: number;
  /** How long a round waits, in milliseconds. */
  readonly deadlineMs: number;
  /** How often rounds may be started over in all. */
  readonly retries: number;
}

/** Takes from a manifest what the machine needs. */
export function jobRules(job: Hex, manifest: Manifest): JobRules {
  const { expected, quorum, deadlineMs, retries } = manifest.participation;
  return { job, rounds: manifest.rounds, expected, quorum, deadlineMs, retries };
}

/** Where a job begins. */
export function initialState(manifest: Manifest): Open {
  return {
    phase: 'open',
    need: manifest.participation.expected,
    progress: {
      rounds: 0,
      attempt: 0,
      modelRoot: manifest.initialModelRoot,
      updateBits: manifest.initialUpdateBits,
      location: null,
      present: [],
    },
  };
}
