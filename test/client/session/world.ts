import type { JournalEntry, SignedUpdate } from '../../../client/journal/submission-journal.ts';
import type { SessionEffect, WorkEffect } from '../../../client/session/effects.ts';
import type { SessionEvent, Severity, WorkEvent } from '../../../client/session/events.ts';
import { initialSession, type SessionState } from '../../../client/session/state.ts';
import { step } from '../../../client/session/step.ts';
import type { Hex } from '../../../shared/bytes.ts';
import type { Receipt } from '../../../shared/commitments/receipt.ts';
import type { JobStateMessage } from '../../../shared/protocol/messages.ts';
import type { RoundPlan } from '../../../shared/round/plan.ts';

/** 32 bytes that stand for a number. */
function hash(value: number): Hex {
  return `0x${value.toString(16).padStart(64, '0')}`;
}

/** The job of these tests. */
export const JOB: Hex = hash(0x0b);

/** Whose session it is. */
export const ME: Hex = `0x${'3e'.repeat(20)}`;

/** A plan whose parent model follows from its round and attempt. */
export function plan(round: number, attempt = 0): RoundPlan {
  return { round, attempt, parentRoot: hash(0x1000 * attempt + round), updateBits: 12, seedIndex: round + attempt };
}

/** What the coordinator says while it collects. */
export function collecting(round: number, attempt = 0): JobStateMessage {
  const opened = plan(round, attempt);
  return {
    job: JOB,
    phase: 'collecting',
    round: round - 1,
    modelRoot: opened.parentRoot,
    plan: opened,
    remainingMs: 1000,
    reason: null,
  };
}

/** What the coordinator says in any other phase. */
export function phase(name: Exclude<JobStateMessage['phase'], 'collecting'>, round = 1): JobStateMessage {
  return {
    job: JOB,
    phase: name,
    round,
    modelRoot: hash(0xfff0 + round),
    plan: null,
    remainingMs: null,
    reason: name === 'failed' ? 'quorum missed' : null,
  };
}

/** A session with simulated surroundings: a journal that survives crashes, work that answers when told to. */
export interface World {
  /** Where the session stands. */
  state: SessionState;
  /** Effects that are neither answered nor cancelled. */
  readonly waiting: WorkEffect[];
  /** All effects so far. */
  readonly asked: SessionEffect[];
  /** What left this client, by round and attempt: the roots it was sent under. */
  readonly sent: Map<string, Set<Hex>>;
  /** Gives the session an event. */
  give(event: SessionEvent): void;
  /** Ends the oldest waiting effect, or the given one, well. */
  succeed(effect?: WorkEffect): void;
  /** Ends the oldest waiting effect, or the given one, badly. */
  fail(severity: Severity, effect?: WorkEffect): void;
  /** Ends well whatever waits, and what follows from it. */
  settle(): void;
  /** The process dies and starts again. */
  crash(): void;
}

const LATE = { code: 'gate/late', message: 'the round has closed', severity: 'refused' } as const;

/** What a world is like. */
export interface WorldOptions {
  /** How many rounds old an update may be; left out, the job is not buffered. */
  readonly maxStaleness?: number;
  /** What the coordinator says of an update that is submitted. */
  readonly verdictOn?: (update: SignedUpdate) => Receipt['verdict'];
  /** Whether it takes uploads of an update: its round is open. */
  readonly takes?: (update: SignedUpdate) => boolean;
}

/** Creates a world; its training never learns the same thing twice, so that only the journal keeps roots the same. */
export function createWorld(
  jobState: () => JobStateMessage,
  { maxStaleness, verdictOn = () => 'accepted', takes = () => true }: WorldOptions = {},
): World {
  const journal = new Map<string, JournalEntry>();
  let trainings = 0;

  const world: World = {
    state: initialSession(ME),
    waiting: [],
    asked: [],
    sent: new Map(),
    give: (event) => {
      const { state, effects } = step(world.state, event);
      world.state = state;
      for (const effect of effects) {
        world.asked.push(effect);
        if (effect.name === 'cancel') remove(effect.ticket);
        else if (effect.name !== 'reconnect') world.waiting.push(effect);
        if (effect.name === 'offer' || effect.name === 'upload' || effect.name === 'submit') note(effect.update);
      }
      if (state.at === 'stopped') world.waiting.length = 0;
    },
    succeed: (effect = world.waiting[0]) => {
      if (!effect) return;
      remove(effect.ticket);
      world.give(answer(effect));
    },
    fail: (severity, effect = world.waiting[0]) => {
      if (!effect) return;
      remove(effect.ticket);
      const { ticket } = effect;
      // What was written before a failure stays written.
      if (effect.name === 'sign' && severity === 'lost') answer(effect);
      world.give({ name: 'workFailed', ticket, code: `test/${effect.name}`, message: 'it failed', severity });
    },
    settle: () => {
      for (let steps = 0; world.waiting.length > 0; steps++) {
        if (steps > 100) throw new Error(`still busy: ${JSON.stringify(world.state)}`);
        world.succeed();
      }
    },
    crash: () => {
      world.state = initialSession(ME);
      world.waiting.length = 0;
    },
  };
  const remove = (ticket: number): void => {
    const at = world.waiting.findIndex((effect) => effect.ticket === ticket);
    if (at >= 0) world.waiting.splice(at, 1);
  };
  const note = ({ statement: { round, attempt, updateRoot } }: SignedUpdate): void => {
    const key = `${attempt}/${round}`;
    world.sent.set(key, (world.sent.get(key) ?? new Set()).add(updateRoot));
  };

  const answer = (effect: WorkEffect): WorkEvent => {
    const { ticket } = effect;
    switch (effect.name) {
      case 'openSession':
        return { name: 'joined', ticket, job: jobState(), ...(maxStaleness !== undefined && { maxStaleness }) };
      case 'recall':
        return { name: 'recalled', ticket, entry: journal.get(keyOf(effect.plan)) ?? null };
      case 'fetchModel':
        return { name: 'modelFetched', ticket, model: Int32Array.of(1, 2, 3) };
      case 'evaluate':
        return { name: 'modelEvaluated', ticket, evaluation: { correct: 1, total: 2, lossSum: 3, constantCorrect: 0 } };
      case 'rejoin':
        return { name: 'rejoined', ticket };
      case 'checkDraw':
        return { name: 'drawChecked', ticket };
      case 'reportMetrics':
        return { name: 'metricsReported', ticket };
      case 'train':
        trainings++;
        return { name: 'updateLearnt', ticket, result: { update: [], samples: trainings, loss: 1 } };
      case 'encode': {
        const { round, attempt } = effect.plan;
        const { parentRoot } = effect.learnt.plan;
        // Another round's noise and rounding make another update of what was learnt.
        const updateRoot = hash(0xabc0000 + 0x1000 * (64 * attempt + round) + effect.learnt.result.samples);
        const rest = { samples: 1, largestMagnitude: 1, datasetCommitment: hash(1) };
        const statement = { job: JOB, round, attempt, parentRoot, updateRoot, ...rest };
        return { name: 'updateEncoded', ticket, statement, bytes: Uint8Array.of(trainings % 256) };
      }
      case 'sign': {
        const { statement, bytes } = effect;
        const kept = journal.get(keyOf(statement));
        if (kept?.at === 'signed') return { name: 'updateSigned', ticket, update: kept.update };
        const update: SignedUpdate = { statement, bytes, signature: '0x' };
        journal.set(keyOf(statement), { at: 'signed', update });
        return { name: 'updateSigned', ticket, update };
      }
      case 'offer':
        if (!takes(effect.update)) return { name: 'workFailed', ticket, ...LATE };
        return { name: 'updateOffered', ticket, missing: ticket % 2 === 0 ? [] : [0] };
      case 'upload':
        if (!takes(effect.update)) return { name: 'workFailed', ticket, ...LATE };
        return { name: 'partsUploaded', ticket };
      case 'submit':
        return { name: 'receiptReceived', ticket, verdict: verdictOn(effect.update) };
      case 'collectReceipts':
        return { name: 'receiptsCollected', ticket };
      case 'decline':
        return { name: 'roundDeclined', ticket };
      case 'pause':
        return { name: 'pauseEnded', ticket };
    }
  };
  return world;
}

function keyOf({ round, attempt }: { readonly round: number; readonly attempt: number }): string {
  return `${attempt}/${round}`;
}
