import { setTimeout as delay } from 'node:timers/promises';
import type { Signer } from '../contracts/wallet.ts';
import { AggregationError } from '../shared/aggregation/aggregation-error.ts';
import type { AggregationEngine } from '../shared/aggregation/engine.ts';
import { RuleError } from '../shared/aggregation/rule-error.ts';
import type { Hex } from '../shared/bytes.ts';
import type { UpdateStatement } from '../shared/commitments/contribution.ts';
import type { SignedReceipt } from '../shared/commitments/receipt.ts';
import { type RoundRecord, recordFromJson } from '../shared/commitments/record.ts';
import type { SigningDomain } from '../shared/commitments/typed-data.ts';
import { FedanchorError } from '../shared/errors.ts';
import type { JobTerms } from '../shared/round/job-terms.ts';
import type { RoundFunction } from '../shared/round/transition.ts';
import { applyRound } from './apply-round.ts';
import type { BlobStore } from './blobs/blob-store.ts';
import type { UploadStore } from './blobs/upload-store.ts';
import type { Eligibility } from './court/eligibility.ts';
import { type CourtInputs, createCourtInputs } from './court-inputs.ts';
import { createFolding } from './fold-updates.ts';
import { createAdmission } from './gate/admission.ts';
import { createTurns, turnsFor } from './gate/turns.ts';
import { createInputQueue, type Draft } from './input-queue.ts';
import { createJobIndex } from './job-index.ts';
import type { Log } from './log.ts';
import type { Effect } from './round/effects.ts';
import type { JobEvent, MetricsReported, RoundAnchored, RoundDeclined } from './round/events.ts';
import { hasEffect, type OperatorAct } from './round/operated.ts';
import type { Step } from './round/outcome.ts';
import { describeRollCall } from './round/roll-call.ts';
import { isSameAttempt, rollCallAfter } from './round/roll-calls.ts';
import { type Collecting, initialState, type JobState, jobRules } from './round/state.ts';
import { step } from './round/step.ts';
import type { EventStore } from './stores/event-store.ts';
import type { StorageHealth } from './stores/storage-health.ts';

/** Puts a record on chain; asking again for the same round and attempt never sends a second transaction. */
export type Anchor = (
  record: RoundRecord,
) => Promise<Pick<RoundAnchored, 'transactionHash' | 'blockNumber' | 'gasUsed'>>;

/** What a job's runner works with. */
export interface RunnerOptions {
  /** The job's terms. */
  readonly terms: JobTerms;
  /** Where signatures of this job are valid. */
  readonly domain: SigningDomain;
  /** The secret seed chain, revealed one link a round. */
  readonly seeds: readonly Hex[];
  /** Signs receipts. */
  readonly signer: Signer;
  /** The event log. */
  readonly events: EventStore;
  /** Stored blobs. */
  readonly blobs: BlobStore;
  /** Updates on their way in. */
  readonly uploads: UploadStore;
  /** Who may take part by stake, where the job has a court. */
  readonly eligibility?: Eligibility;
  /** Walks over the updates of a round. */
  readonly engine: AggregationEngine;
  /** The round function, where it is not the one that everybody else applies. */
  readonly roundFunction?: RoundFunction;
  /** The watch over those three, where there is one: no deadline passes while they cannot be written. */
  readonly storage?: Pick<StorageHealth, 'status' | 'onRecovered'>;
  /** The way to the chain. */
  readonly anchor: Anchor;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Milliseconds by a clock that nobody sets, for waits; default `now`, which somebody may. */
  readonly monotonicMs?: () => number;
  /** Where to tell what happens. */
  readonly log: Log;
  /** Ends the runner. */
  readonly signal: AbortSignal;
}

/** The one loop of a job: takes inputs in order, logs events, folds them, carries out effects. */
export interface JobRunner extends CourtInputs {
  /** Where the job stands. */
  readonly state: JobState;
  /** Every event so far, in order. */
  readonly history: readonly JobEvent[];
  /** Root of the model after a round, 0 being the model before round 1; undefined for a round that is not anchored. */
  modelRoot(round: number): Hex | undefined;
  /** Whether this is an update of a round that has no outcome yet: whoever read it now could send a copy of it. */
  isSealed(updateRoot: Hex): boolean;
  /** A participant is there. */
  join(participant: Hex): Promise<void>;
  /** A participant has gone. */
  leave(participant: Hex): Promise<void>;
  /** A participant will not answer a round. */
  decline(decline: Omit<RoundDeclined, 'type' | 'at'>): Promise<void>;
  /** A participant reports held-out metrics; only the first report of a round by each counts. */
  report(metrics: Omit<MetricsReported, 'type' | 'at'>): Promise<void>;
  /** An operator wants something of the job; what it already is, or no longer can be, is not logged. */
  operate(act: OperatorAct): Promise<void>;
  /** The record of an anchored round; undefined for one that is not anchored. */
  recordOf(round: number): RoundRecord | undefined;
  /** The admission gate: a signed receipt, whatever the verdict. */
  submit(participant: Hex, statement: UpdateStatement, signature: Hex): Promise<SignedReceipt>;
  /** Calls a listener after every event; returns the way to stop it. */
  subscribe(listener: (event: JobEvent, state: JobState) => void): () => void;
  /** Resolves when the loop has finished what it was doing after the signal. */
  stopped(): Promise<void>;
}

/** Refusals of one participant that are logged between two anchored rounds; more are answered but not kept. */
const LOGGED_REFUSALS = 8;

/** Pause before an effect that failed for a passing reason is tried again. */
const EFFECT_RETRY_MS = 1000;

/** Timers hold no more than 2^31 - 1 milliseconds; a longer wait is cut into pieces. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Thrown to whoever asks a runner for something after its end; nothing was kept of what was asked. */
export class RunnerError extends FedanchorError<'runner/stopped'> {}

/** Replays the log and starts the loop, taking up whatever the job was in the middle of. */
export async function startJobRunner(options: RunnerOptions): Promise<JobRunner> {
  const { terms, events, uploads, storage, now, log, signal } = options;
  const { monotonicMs = now } = options;
  const rules = jobRules(terms.job, terms.manifest);
  const index = createJobIndex();
  const admission = createAdmission(options);
  const turns = createTurns(turnsFor(terms.layout.dimension * 2));
  const folding = createFolding({ ...options, dimension: terms.layout.dimension });
  const submissions = new Set<Promise<SignedReceipt>>();
  const drops = new Set<Promise<void>>();
  const listeners = new Set<(event: JobEvent, state: JobState) => void>();
  const first = initialState(terms.manifest);
  let state: JobState = first;
  let resumed: Promise<unknown> = Promise.resolve();

  // A successor may be reading the log already: whatever is still under way must not write to it.
  const refuseAfterEnd = (): void => {
    if (signal.aborted)
      throw new RunnerError('runner/stopped', 'the coordinator is stopping: ask again when it is back');
  };

  /** Takes over an event that is in the log, and lets everything that follows from it happen. */
  const commit = (event: JobEvent, before: JobState, after: Step): void => {
    index.add(event, after.state);
    state = after.state;
    if (event.type === 'updateAccepted') folding.add(event.statement);
    for (const effect of after.effects) void perform(effect);
    for (const listener of listeners) tell(listener, event);
    if (before.phase !== 'collecting' || isSameAttempt(before, state)) return;
    tellWhoTookPart(before, event);
    // What is still on its way belongs to a round that is over, and would count against its sender's quota for ever.
    forget(uploads.clear());
  };

  const inputs = createInputQueue({
    state: () => state,
    step: (before, event) => step(rules, before, event),
    append: (appended) => events.append(appended),
    ...{ commit, refuseAfterEnd },
  });

  /** No round ends, well or badly, without everyone being named who was asked and is not in it. */
  const tellWhoTookPart = (before: Collecting, event: JobEvent): void => {
    const call = rollCallAfter(rules, before, event);
    const { round, attempt, closing } = call;
    const isWhole = call.accepted.length >= call.asked.length;
    log[isWhole || closing === 'sample' ? 'info' : 'warn'](
      { round, attempt, closing, phase: state.phase },
      `collection closed: ${describeRollCall(call)}`,
    );
  };

  const tell = (listener: (event: JobEvent, state: JobState) => void, event: JobEvent): void => {
    try {
      listener(event, state);
    } catch (error) {
      log.error({ event: event.type, error: (error as Error).message }, 'a listener failed');
    }
  };

  /** Dropping uploads only saves room: nobody waits for it, and if it fails the answer to a submission is the same. */
  const forget = (dropped: Promise<void>): void => {
    const done = dropped
      .catch((error: Error) => log.warn({ error: error.message }, 'uploads could not be dropped'))
      .finally(() => drops.delete(done));
    drops.add(done);
  };

  const perform = async (effect: Effect): Promise<void> => {
    switch (effect.type) {
      case 'announce':
        return;
      case 'armDeadline': {
        const { round, attempt, deadlineAt } = effect;
        const isDue = (now = state): boolean =>
          now.phase === 'collecting' &&
          now.plan.round === round &&
          now.plan.attempt === attempt &&
          now.deadlineAt === deadlineAt;
        // Whoever was in time is answered first, however long its update takes to be checked.
        const answered = (): Promise<unknown> => Promise.allSettled(submissions);
        const event = (): JobEvent => ({ type: 'deadlinePassed', at: now(), round, attempt });
        await atTime(effect.type, deadlineAt, isDue, event, answered);
        return;
      }
      case 'armPause': {
        const { round, attempt, pausedUntil } = effect;
        const isDue = (now = state): boolean => now.phase === 'open' && now.pausedUntil === pausedUntil;
        await atTime(effect.type, pausedUntil, isDue, () => ({ type: 'pauseEnded', at: now(), round, attempt }));
        return;
      }
      case 'aggregate': {
        const { progress, plan, admitted } = effect;
        const isDue = (now: JobState): boolean => now.phase === 'aggregating' && now.plan === plan;
        await untilRecorded('aggregate', isDue, async () => {
          try {
            return await applyRound({ ...options, folding }, progress, plan, admitted);
          } catch (error) {
            // The rule's own refusal would come again; a damaged blob or a failing disk is the machine's and may pass.
            if (!(error instanceof RuleError || error instanceof AggregationError)) throw error;
            const { round, attempt } = plan;
            const { code, message } = error;
            return { type: 'aggregationFailed', at: now(), round, attempt, code, message };
          }
        });
        return;
      }
      case 'anchor': {
        const { round, attempt } = effect.record;
        // A record whose parent the chain has taken back since would be refused for ever.
        const isDue = (now: JobState): boolean => now.phase === 'anchoring' && now.record === effect.record;
        await untilRecorded('anchor', isDue, async () => {
          const receipt = await options.anchor(effect.record);
          return { type: 'roundAnchored', at: now(), round, attempt, ...receipt };
        });
        return;
      }
    }
  };

  /** Records an event at its time, if it is still due then and after what has to come before it. */
  const atTime = async (
    effect: Effect['type'],
    dueAt: number,
    isDue: (now?: JobState) => boolean,
    event: () => JobEvent,
    before: () => Promise<unknown> = async () => {},
  ): Promise<void> => {
    // How long to wait is known once: a clock that is set meanwhile neither hurries anybody nor holds anybody up.
    const dueInMs = monotonicMs() + dueAt - now();
    while (!signal.aborted && isDue() && monotonicMs() < dueInMs) {
      const waitMs = Math.min(LONGEST_TIMER_MS, Math.ceil(dueInMs - monotonicMs()));
      await delay(waitMs, undefined, { signal, ref: false }).catch(() => {});
    }
    // Nobody could answer while nothing could be stored: then the round is given its full time again instead.
    while (!signal.aborted && isDue() && storage?.status.state === 'unavailable') {
      await delay(EFFECT_RETRY_MS, undefined, { signal, ref: false }).catch(() => {});
    }
    await resumed;
    await before();
    await untilRecorded(effect, isDue, async () => (signal.aborted ? undefined : event()));
  };

  /** Repeats an idempotent effect until what came of it is in the log, the job waits for it no more, or the runner ends. */
  const untilRecorded = async (
    effect: Effect['type'],
    isDue: (now: JobState) => boolean,
    work: () => Promise<JobEvent | undefined>,
  ): Promise<void> => {
    while (!signal.aborted && isDue(state)) {
      try {
        const event = await work();
        if (!event) return;
        await inputs.take(undefined, (draft) => {
          if (isDue(draft.state)) draft.record(event);
        });
        return;
      } catch (error) {
        if (signal.aborted) return;
        log.warn({ effect, error: (error as Error).message }, 'effect failed, trying again');
        await delay(EFFECT_RETRY_MS, undefined, { signal }).catch(() => {});
      }
    }
  };

  /** Whoever answers is there, even if the answer came too late: the next round waits for it again. */
  const markPresent = (draft: Draft, participant: Hex): void => {
    const { present, banned } = draft.state.progress;
    if (present.includes(participant) || banned?.[participant] !== undefined) return;
    draft.record({ type: 'participantJoined', at: now(), participant });
  };

  /** Whether a participant has not answered the open round yet, and this is an answer to it. */
  const isFirstAnswer = (
    { state }: Draft,
    participant: Hex,
    { round, attempt }: Pick<UpdateStatement, 'round' | 'attempt'>,
  ): boolean =>
    state.phase === 'collecting' &&
    state.plan.round === round &&
    state.plan.attempt === attempt &&
    state.answers[participant] === undefined;

  /** Checks a submission beside all others, then has it decided in its turn: by then the round may be another. */
  const admit = async (participant: Hex, statement: UpdateStatement, signature: Hex): Promise<SignedReceipt> => {
    const inspection = await admission.inspect(state, participant, statement, signature);
    const receipt = await inputs.take(participant, (draft) => {
      // A client whose answer got lost asks again, and must hear the same.
      const before = index.acceptedReceipt(participant, statement);
      if (before) return before;
      const verdict = admission.decide(draft.state, participant, statement, inspection);
      const { refusal, receipt } = verdict;
      if (!refusal) {
        draft.keep(verdict.keep);
        draft.record({ type: 'updateAccepted', at: now(), participant, statement, signature, receipt });
      } else if (isFirstAnswer(draft, participant, statement) || index.refusals(participant) < LOGGED_REFUSALS) {
        draft.record({ type: 'updateRefused', at: now(), participant, receipt });
      }
      // Nobody waits for one that cannot take part, nor writes down again and again that it was there.
      if (refusal?.code !== 'gate/not-staked') markPresent(draft, participant);
      return receipt;
    });
    forget(uploads.discard(participant));
    return receipt;
  };

  const submit = (participant: Hex, statement: UpdateStatement, signature: Hex): Promise<SignedReceipt> => {
    const before = index.acceptedReceipt(participant, statement);
    if (before) return Promise.resolve(before);
    const submission = turns.take(async () => {
      refuseAfterEnd();
      return admit(participant, statement, signature);
    });
    submissions.add(submission);
    const done = (): boolean => submissions.delete(submission);
    submission.then(done, done);
    return submission;
  };

  for await (const event of events.read()) {
    state = step(rules, state, event).state;
    index.add(event, state);
  }
  if (index.history.length > 0) {
    log.info({ events: index.history.length, phase: state.phase, rounds: state.progress.rounds }, 'job taken up again');
    await inputs.take(undefined, (draft) => draft.record({ type: 'coordinatorRestarted', at: now() }));
  }
  // To those who wait for a round it is all one whether the coordinator was down or could not store what they sent.
  storage?.onRecovered(() => {
    const resume = inputs.take(undefined, (draft) => {
      // In any other state its effects are on their way already, and try again by themselves.
      if (draft.state.phase === 'collecting') draft.record({ type: 'coordinatorRestarted', at: now() });
    });
    resumed = resume.catch((error: Error) => {
      log.warn({ error: error.message }, 'the open round could not be given its full time again');
    });
  });

  return {
    get state() {
      return state;
    },
    history: index.history,
    isSealed: index.isSealed,
    modelRoot: (round) => (round === 0 ? terms.manifest.initialModelRoot : index.resultOf(round)?.modelRoot),
    recordOf: (round) => {
      const record = index.recordOf(round);
      return record && recordFromJson(record);
    },
    join: (participant) => inputs.take(participant, (draft) => markPresent(draft, participant)),
    leave: (participant) =>
      inputs.take(participant, (draft) => {
        if (!draft.state.progress.present.includes(participant)) return;
        draft.record({ type: 'participantLeft', at: now(), participant });
      }),
    decline: (decline) =>
      inputs.take(decline.participant, (draft) => {
        const { participant } = decline;
        if (isFirstAnswer(draft, participant, decline)) draft.record({ type: 'roundDeclined', at: now(), ...decline });
        markPresent(draft, participant);
      }),
    report: (metrics) =>
      inputs.take(metrics.participant, (draft) => {
        if (!index.hasMetrics(metrics.participant, metrics.round))
          draft.record({ type: 'metricsReported', at: now(), ...metrics });
      }),
    operate: (act) =>
      inputs.take(undefined, (draft) => {
        if (hasEffect(draft.state, act)) draft.record({ ...act, at: now() });
      }),
    ...createCourtInputs(inputs, index, first, now),
    submit,
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    stopped: async () => {
      await Promise.allSettled(submissions);
      await inputs.idle();
      await Promise.all(drops);
    },
  };
}
