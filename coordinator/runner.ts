import { setTimeout as delay } from 'node:timers/promises';
import type { Signer } from '../contracts/wallet.ts';
import { AggregationError } from '../shared/aggregation/aggregation-error.ts';
import { RuleError } from '../shared/aggregation/rule-error.ts';
import type { Hex } from '../shared/bytes.ts';
import type { UpdateStatement } from '../shared/commitments/contribution.ts';
import type { SignedReceipt } from '../shared/commitments/receipt.ts';
import type { RoundRecord } from '../shared/commitments/record.ts';
import type { SigningDomain } from '../shared/commitments/typed-data.ts';
import { FedanchorError } from '../shared/errors.ts';
import type { JobTerms } from '../shared/round/job-terms.ts';
import { applyRound } from './apply-round.ts';
import type { BlobStore } from './blobs/blob-store.ts';
import type { UploadStore } from './blobs/upload-store.ts';
import { createAdmission } from './gate/admission.ts';
import { createJobIndex } from './job-index.ts';
import type { Log } from './log.ts';
import type { Effect } from './round/effects.ts';
import type { JobEvent, MetricsReported, RoundAnchored, RoundDeclined } from './round/events.ts';
import { hasEffect, type OperatorAct } from './round/operated.ts';
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
  /** The watch over those three, where there is one: no deadline passes while they cannot be written. */
  readonly storage?: Pick<StorageHealth, 'status' | 'onRecovered'>;
  /** The way to the chain. */
  readonly anchor: Anchor;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Where to tell what happens. */
  readonly log: Log;
  /** Ends the runner. */
  readonly signal: AbortSignal;
}

/** The one loop of a job: takes inputs in order, logs events, folds them, carries out effects. */
export interface JobRunner {
  /** Where the job stands. */
  readonly state: JobState;
  /** Every event so far, in order. */
  readonly history: readonly JobEvent[];
  /** Root of the model after a round, 0 being the model before round 1; undefined for a round that is not anchored. */
  modelRoot(round: number): Hex | undefined;
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
  const rules = jobRules(terms.job, terms.manifest);
  const index = createJobIndex();
  const admission = createAdmission(options);
  const listeners = new Set<(event: JobEvent, state: JobState) => void>();
  let state: JobState = initialState(terms.manifest);
  let queue: Promise<unknown> = Promise.resolve();
  let resumed: Promise<unknown> = Promise.resolve();

  const exclusively = <T>(work: () => Promise<T>): Promise<T> => {
    const result = queue.then(() => {
      // A successor may be reading the log already: whatever is still under way must not write to it.
      if (signal.aborted)
        throw new RunnerError('runner/stopped', 'the coordinator is stopping: ask again when it is back');
      return work();
    });
    queue = result.catch(() => {});
    return result;
  };

  /** Logs an event, then lets everything that follows from it happen. Only ever called inside {@link exclusively}. */
  const record = async (event: JobEvent): Promise<void> => {
    await events.append([event]);
    index.add(event);
    const before = state;
    const next = step(rules, before, event);
    state = next.state;
    for (const effect of next.effects) void perform(effect);
    for (const listener of listeners) tell(listener, event);
    if (before.phase === 'collecting' && !isSameAttempt(before, state)) tellWhoTookPart(before, event);
    // What is still on its way belongs to a round that is over, and would count against its sender's quota for ever.
    if (before.phase === 'collecting' && !isSameAttempt(before, state)) await forget(uploads.clear());
  };

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

  /** Dropping uploads only saves room: the answer to a submission does not depend on it. */
  const forget = async (dropped: Promise<void>): Promise<void> => {
    await dropped.catch((error: Error) => log.warn({ error: error.message }, 'uploads could not be dropped'));
  };

  const perform = async (effect: Effect): Promise<void> => {
    switch (effect.type) {
      case 'announce':
        return;
      case 'armDeadline': {
        const { round, attempt, deadlineAt } = effect;
        const isDue = (): boolean =>
          state.phase === 'collecting' &&
          state.plan.round === round &&
          state.plan.attempt === attempt &&
          state.deadlineAt === deadlineAt;
        await atTime(effect.type, deadlineAt, isDue, () => ({ type: 'deadlinePassed', at: now(), round, attempt }));
        return;
      }
      case 'armPause': {
        const { round, attempt, pausedUntil } = effect;
        const isDue = (): boolean => state.phase === 'open' && state.pausedUntil === pausedUntil;
        await atTime(effect.type, pausedUntil, isDue, () => ({ type: 'pauseEnded', at: now(), round, attempt }));
        return;
      }
      case 'aggregate': {
        const { progress, plan, admitted } = effect;
        await untilRecorded('aggregate', async () => {
          try {
            return await applyRound(options, progress, plan, admitted);
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
        await untilRecorded('anchor', async () => {
          const receipt = await options.anchor(effect.record);
          return { type: 'roundAnchored', at: now(), round, attempt, ...receipt };
        });
        return;
      }
    }
  };

  /** Records an event at its time, if it is still due then. */
  const atTime = async (
    effect: Effect['type'],
    dueAt: number,
    isDue: () => boolean,
    event: () => JobEvent,
  ): Promise<void> => {
    while (!signal.aborted && isDue() && now() < dueAt) {
      const waitMs = Math.min(LONGEST_TIMER_MS, dueAt - now());
      await delay(waitMs, undefined, { signal, ref: false }).catch(() => {});
    }
    // Nobody could answer while nothing could be stored: then the round is given its full time again instead.
    while (!signal.aborted && isDue() && storage?.status.state === 'unavailable') {
      await delay(EFFECT_RETRY_MS, undefined, { signal, ref: false }).catch(() => {});
    }
    await resumed;
    await untilRecorded(effect, async () => (!signal.aborted && isDue() ? event() : undefined));
  };

  /** Repeats an idempotent effect until what came of it is in the log, or the runner ends. */
  const untilRecorded = async (effect: Effect['type'], work: () => Promise<JobEvent | undefined>): Promise<void> => {
    while (!signal.aborted) {
      try {
        const event = await work();
        if (event) await exclusively(() => record(event));
        return;
      } catch (error) {
        if (signal.aborted) return;
        log.warn({ effect, error: (error as Error).message }, 'effect failed, trying again');
        await delay(EFFECT_RETRY_MS, undefined, { signal }).catch(() => {});
      }
    }
  };

  /** Whoever answers is there, even if the answer came too late: the next round waits for it again. */
  const markPresent = async (participant: Hex): Promise<void> => {
    const { present, banned } = state.progress;
    if (present.includes(participant) || banned?.[participant] !== undefined) return;
    await record({ type: 'participantJoined', at: now(), participant });
  };

  /** Whether a participant has not answered the open round yet, and this is an answer to it. */
  const isFirstAnswer = (participant: Hex, { round, attempt }: Pick<UpdateStatement, 'round' | 'attempt'>): boolean =>
    state.phase === 'collecting' &&
    state.plan.round === round &&
    state.plan.attempt === attempt &&
    state.answers[participant] === undefined;

  const admit = async (participant: Hex, statement: UpdateStatement, signature: Hex): Promise<SignedReceipt> => {
    // A client whose answer got lost asks again, and must hear the same.
    const before = index.acceptedReceipt(participant, statement);
    if (before) return before;
    const refusal = await admission.inspect(state, participant, statement, signature);
    const receipt = admission.sign(participant, statement, refusal);
    if (!refusal) {
      await record({ type: 'updateAccepted', at: now(), participant, statement, signature, receipt });
    } else if (isFirstAnswer(participant, statement) || index.refusals(participant) < LOGGED_REFUSALS) {
      await record({ type: 'updateRefused', at: now(), participant, receipt });
    }
    await markPresent(participant);
    await forget(uploads.discard(participant));
    return receipt;
  };

  for await (const event of events.read()) {
    index.add(event);
    state = step(rules, state, event).state;
  }
  if (index.history.length > 0) {
    log.info({ events: index.history.length, phase: state.phase, rounds: state.progress.rounds }, 'job taken up again');
    await exclusively(() => record({ type: 'coordinatorRestarted', at: now() }));
  }
  // To those who wait for a round it is all one whether the coordinator was down or could not store what they sent.
  storage?.onRecovered(() => {
    resumed = exclusively(async () => {
      // In any other state its effects are on their way already, and try again by themselves.
      if (state.phase === 'collecting') await record({ type: 'coordinatorRestarted', at: now() });
    }).catch((error: Error) => {
      log.warn({ error: error.message }, 'the open round could not be given its full time again');
    });
  });

  return {
    get state() {
      return state;
    },
    history: index.history,
    modelRoot: (round) => (round === 0 ? terms.manifest.initialModelRoot : index.modelRoot(round)),
    join: (participant) => exclusively(() => markPresent(participant)),
    leave: (participant) =>
      exclusively(async () => {
        if (!state.progress.present.includes(participant)) return;
        await record({ type: 'participantLeft', at: now(), participant });
      }),
    decline: (decline) =>
      exclusively(async () => {
        const { participant } = decline;
        if (isFirstAnswer(participant, decline)) await record({ type: 'roundDeclined', at: now(), ...decline });
        await markPresent(participant);
      }),
    report: (metrics) =>
      exclusively(async () => {
        if (!index.hasMetrics(metrics.participant, metrics.round))
          await record({ type: 'metricsReported', at: now(), ...metrics });
      }),
    operate: (act) =>
      exclusively(async () => {
        if (hasEffect(state, act)) await record({ ...act, at: now() });
      }),
    submit: (participant, statement, signature) => exclusively(() => admit(participant, statement, signature)),
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    stopped: async () => {
      await queue;
    },
  };
}
