import type { Hex } from '../../shared/bytes.ts';
import type { JobStateMessage } from '../../shared/protocol/messages.ts';
import type { RoundPlan } from '../../shared/round/plan.ts';
import type { SignedUpdate } from '../journal/submission-journal.ts';
import type { TrainingResult } from '../trainers/trainer.ts';

/**
 * The way to the coordinator. A ticket names one piece of work under way; an event that answers another ticket is stale.
 *
 * connecting -> opening when the connection is up; opening -> open when the job is joined; opening -> connecting when
 * that fails; any -> connecting when the connection is lost.
 */
export type Link =
  | { readonly at: 'connecting'; readonly refusals: number }
  | {
      readonly at: 'opening';
      readonly refusals: number;
      readonly ticket: number;
      /** The latest notice on this connection: at least as new as the answer to joining, wherever it falls. */
      readonly heard: JobStateMessage | null;
    }
  | { readonly at: 'open' };

/** What was learnt, before it is an update of any round. */
export interface Learnt {
  /** The round that the training was begun in: its parent is the model that was trained from. */
  readonly plan: RoundPlan;
  /** What came of it. */
  readonly result: TrainingResult;
}

/**
 * Work on a round before anything is signed: looks for an update signed earlier, fetches the parent model, evaluates it,
 * trains, encodes, signs. In this order; losing the connection does not interrupt it.
 *
 * In a buffered job the round may close meanwhile: the work goes on, and what was learnt waits for a round that is open,
 * which it is encoded and signed for.
 */
export type Preparing =
  | {
      readonly at: 'recalling' | 'fetching' | 'training';
      readonly plan: RoundPlan;
      readonly ticket: number;
    }
  | {
      readonly at: 'encoding' | 'signing';
      /** The round that the update is for. */
      readonly plan: RoundPlan;
      readonly learnt: Learnt;
      readonly ticket: number;
    }
  | {
      readonly at: 'waiting';
      /** The round that the training was begun in. */
      readonly plan: RoundPlan;
      readonly learnt: Learnt;
      readonly ticket: null;
    }
  | {
      readonly at: 'evaluating';
      readonly plan: RoundPlan;
      /** What is evaluated, and trained from next. */
      readonly model: Int32Array;
      readonly ticket: number;
    };

/** A signed update that cannot be sent just now: the connection is down (no ticket) or a pause is under way. */
export interface Holding {
  /** Discriminates the union. */
  readonly at: 'holding';
  /** The round's plan. */
  readonly plan: RoundPlan;
  /** What was signed; no other is ever signed for this round and attempt. */
  readonly update: SignedUpdate;
  /** What it was made of; null for one that was signed before this process began. */
  readonly learnt: Learnt | null;
  /** Refusals in a row. */
  readonly refusals: number;
  /** The pause, null while the connection is down. */
  readonly ticket: number | null;
}

/** A signed update on its way: announced, its missing parts uploaded, its statement submitted. In this order. */
export interface Sending {
  /** Discriminates the union. */
  readonly at: 'offering' | 'uploading' | 'submitting';
  /** The round's plan. */
  readonly plan: RoundPlan;
  /** What was signed. */
  readonly update: SignedUpdate;
  /** What it was made of; null for one that was signed before this process began. */
  readonly learnt: Learnt | null;
  /** Refusals in a row. */
  readonly refusals: number;
  /** The request under way. */
  readonly ticket: number;
}

/** Tells the coordinator that this round will not be answered. */
export interface Declining {
  /** Discriminates the union. */
  readonly at: 'declining';
  /** The round's plan. */
  readonly plan: RoundPlan;
  /** The request under way. */
  readonly ticket: number;
}

/** The job is closed; the final model is fetched, evaluated and reported on. */
export interface Finishing {
  /** Discriminates the union. */
  readonly at: 'finishing';
  /** Rounds of the job. */
  readonly round: number;
  /** The final model. */
  readonly modelRoot: Hex;
  /** The piece of work under way. */
  readonly ticket: number;
}

/**
 * What the client is doing.
 *
 * idle -> recalling when a round is open that it has not answered; recalling -> fetching -> evaluating -> training ->
 * encoding -> signing -> offering -> uploading -> submitting -> idle, evaluating left out for a model evaluated before, uploading
 * when no part is missing; recalling -> offering when an update was signed earlier; preparing -> declining -> idle on a
 * failure; sending -> holding when the connection is lost or a request fails; holding -> offering; anything -> recalling
 * when a newer round opens; anything -> finishing when the job closes.
 *
 * In a buffered job no newer round interrupts: training -> waiting -> encoding when one is open; submitting -> waiting when
 * its round had closed; preparing -> recalling when its model has become too old.
 */
export type Activity = { readonly at: 'idle' } | Preparing | Holding | Sending | Declining | Finishing;

/** One attempt at a round. */
export interface Attempt {
  /** Round number, from 1. */
  readonly round: number;
  /** The job's attempt number. */
  readonly attempt: number;
}

/** How a client's part in a job ended. */
export type ClientOutcome =
  | {
      /** All rounds are anchored. */
      readonly kind: 'closed';
      /** Rounds of the job. */
      readonly rounds: number;
      /** Root of the final model. */
      readonly modelRoot: Hex;
    }
  | {
      /** The job failed. */
      readonly kind: 'failed';
      /** Why, as the coordinator says. */
      readonly reason: string;
    }
  | {
      /** The client was told to stop. */
      readonly kind: 'aborted';
    };

/** A client that takes part in a job. */
export interface LiveSession {
  /** Discriminates the union. */
  readonly at: 'live';
  /** The way to the coordinator. */
  readonly link: Link;
  /** What is being done. */
  readonly activity: Activity;
  /** Whose part it is. */
  readonly participant: Hex;
  /** The attempt answered last, or given up, or not asked for. */
  readonly settled: Attempt | null;
  /** The model evaluated last: each is evaluated once. */
  readonly evaluated: Hex | null;
  /** In a buffered job: how many rounds old an update may be; null in any other. */
  readonly maxStaleness: number | null;
  /** In a buffered job: the round that is open, by the coordinator's last word; null if none is. */
  readonly open: RoundPlan | null;
  /** The ticket given out last. */
  readonly lastTicket: number;
  /** Whether it is to stop as soon as nothing signed is on its way. */
  readonly isDraining: boolean;
}

/** A client whose part has ended: by an outcome, or because it cannot take part (code and sentence). */
export interface StoppedSession {
  /** Discriminates the union. */
  readonly at: 'stopped';
  /** How it ended. */
  readonly outcome: ClientOutcome | { readonly kind: 'refused'; readonly code: string; readonly message: string };
}

/** One participant in one job. live -> stopped when the job ends, the client is told to stop, or it cannot take part. */
export type SessionState = LiveSession | StoppedSession;

/** Before the first connection. */
export function initialSession(participant: Hex): SessionState {
  return {
    at: 'live',
    participant,
    link: { at: 'connecting', refusals: 0 },
    activity: { at: 'idle' },
    settled: null,
    evaluated: null,
    maxStaleness: null,
    open: null,
    lastTicket: 0,
    isDraining: false,
  };
}
