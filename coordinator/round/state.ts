import type { Hex } from '../../shared/bytes.ts';
import type { Contribution } from '../../shared/commitments/contribution.ts';
import type { RoundRecord } from '../../shared/commitments/record.ts';
import type { Manifest } from '../../shared/round/manifest.ts';
import type { BufferRule, Pace, SampleRule } from '../../shared/round/participation.ts';
import { lastSeedIndex, type RoundPlan } from '../../shared/round/plan.ts';
import type { SampleDraw } from '../../shared/round/sampling.ts';
import type { Standings } from './standing.ts';

/** What a round leaves for the next one to start from. */
export interface RoundResult {
  /** Root of the latest model. */
  readonly modelRoot: Hex;
  /** Root of what the server step keeps, from round 1 on, where it keeps something. */
  readonly serverStateRoot?: Hex;
  /** Scale of the next round's updates. */
  readonly updateBits: number;
  /** Location of the latest round's document, null before round 1. */
  readonly location: Hex | null;
}

/** What a job has come to: carried from round to round. */
export interface Progress extends RoundResult {
  /** Rounds anchored. */
  readonly rounds: number;
  /** Times a round was started over. */
  readonly attempt: number;
  /** Participants that can be asked: those that joined and have neither left nor missed a deadline since, ascending. */
  readonly present: readonly Hex[];
  /** The seed revealed last, where the manifest has a `sample`. */
  readonly seed?: Omit<SampleDraw, 'cut'>;
  /** What is known of participants' times, where the manifest has a `pace`. */
  readonly standings?: Standings;
  /** Models that updates may be trained from, the newest first, where the manifest has a `buffer`. */
  readonly parents?: readonly Hex[];
  /** Failures of the next round so far, where the manifest has a `retryPauseMs`. */
  readonly setbacks?: number;
  /** That no further round is to open, while an operator wants it so. */
  readonly paused?: Operated;
  /** That the job is to end after the record that is on its way to the chain. */
  readonly stopping?: Operated;
  /** Who may not take part, and why, by participant. */
  readonly banned?: Readonly<Record<Hex, string>>;
  /** What rewinds have left behind, once there was one. */
  readonly rewound?: Rewound;
  /** That no further round is to open while the coordinator's bond is too small, with both in decimal. */
  readonly unbonded?: { readonly held: string; readonly needed: string };
}

/** What is remembered of the rewinds of a job. */
export interface Rewound {
  /** Lowest attempt that the contract takes since the latest one, which tells it from those before. */
  readonly minAttempt: number;
  /** The first attempt after the latest one: every lower one is over, whatever its round. */
  readonly attempt: number;
  /** The latest round that may have been open before. */
  readonly through: number;
  /** Attempts that rewinds have skipped; they are no retries. */
  readonly skipped: number;
}

/** What an operator wanted of a job. */
export interface Operated {
  /** Which operator. */
  readonly by: Hex;
  /** Why, for people. */
  readonly reason: string;
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
  /** When the next attempt may open, after one that failed early; in milliseconds since 1970. */
  readonly pausedUntil?: number;
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
  /** Who is asked, where the manifest has a `sample`. */
  readonly draw?: SampleDraw;
  /** How the deadline came about, where the manifest has a `pace`. */
  readonly wait?: Wait;
}

/** How long a round waits, and since when. */
export interface Wait {
  /** When the round opened, in milliseconds since 1970; null when times from then on would say nothing. */
  readonly openedAt: number | null;
  /** How long it waits, in milliseconds. */
  readonly lengthMs: number;
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
  /** Position of the last seed that the job has. */
  readonly lastSeed: number;
  /** First pause before an attempt that follows one that failed early, in milliseconds; none if absent. */
  readonly retryPauseMs?: number;
  /** How many are asked and how many updates close a round; all and all if absent. */
  readonly sample?: SampleRule;
  /** How deadlines follow participants' times; always `deadlineMs` if absent. */
  readonly pace?: Pace;
  /** How many updates close a round that takes them from older models too; all, and none of those, if absent. */
  readonly buffer?: BufferRule;
}

/** Takes from a manifest what the machine needs. */
export function jobRules(job: Hex, manifest: Manifest): JobRules {
  const { expected, quorum, deadlineMs, retries, retryPauseMs, sample, pace, buffer } = manifest.participation;
  return {
    job,
    rounds: manifest.rounds,
    expected,
    quorum,
    deadlineMs,
    retries,
    lastSeed: lastSeedIndex(manifest),
    ...(retryPauseMs !== undefined && { retryPauseMs }),
    ...(sample && { sample }),
    ...(pace && { pace }),
    ...(buffer && { buffer }),
  };
}

/** Where a job begins. */
export function initialState(manifest: Manifest): Open {
  const { expected, retryPauseMs, sample, pace, buffer } = manifest.participation;
  return {
    phase: 'open',
    need: expected,
    progress: {
      rounds: 0,
      attempt: 0,
      modelRoot: manifest.initialModelRoot,
      updateBits: manifest.initialUpdateBits,
      location: null,
      present: [],
      // A member that a job does not use is left out: states of jobs that have none of them stay what they were.
      ...(sample && { seed: { seedIndex: 0, seed: manifest.seedCommitment } }),
      ...(pace && { standings: {} }),
      ...(buffer && { parents: [manifest.initialModelRoot] }),
      ...(retryPauseMs !== undefined && { setbacks: 0 }),
    },
  };
}

/** Whether the next round may open with those who are present. */
export function mayOpen({ progress, need, pausedUntil }: Open): boolean {
  return !isHeldUp(progress) && pausedUntil === undefined && progress.present.length >= need;
}

/** Whether no round is to open whoever is present: an operator has paused the job, or the coordinator's bond is too small. */
export function isHeldUp({ paused, unbonded }: Progress): boolean {
  return paused !== undefined || unbonded !== undefined;
}

/** What the latest round has left, by itself. */
export function resultOf({ modelRoot, serverStateRoot, updateBits, location }: Progress): RoundResult {
  return { modelRoot, ...(serverStateRoot !== undefined && { serverStateRoot }), updateBits, location };
}
