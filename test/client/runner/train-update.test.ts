import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Carry } from '../../../client/encoding/carry.ts';
import { createFileCarry } from '../../../client/encoding/file-carry.ts';
import { createMemoryCarry } from '../../../client/encoding/memory-carry.ts';
import type { Log } from '../../../client/log.ts';
import type { PrivacyGuard } from '../../../client/privacy/privacy-guard.ts';
import { tellProgress } from '../../../client/runner/tell-progress.ts';
import { encodeLearnt, learn, type TrainUpdateOptions, trainUpdate } from '../../../client/runner/train-update.ts';
import type { LocalTrainer } from '../../../client/tasks/local-trainer.ts';
import { toHex, ZERO_HASH } from '../../../shared/bytes.ts';
import { int16Vector, updateTree } from '../../../shared/commitments/vector-trees.ts';
import { decodeUpdate, encodeUpdate, largestMagnitude } from '../../../shared/fixed-point/update.ts';
import { createRng } from '../../../shared/rng.ts';
import type { WireTerms } from '../../../shared/wire/wire-terms.ts';
import { createToyJob } from '../toy-job.ts';

const SIZE = 300;

interface Told {
  readonly fields: Readonly<Record<string, unknown>>;
  readonly message: string;
}

function createLog(): { log: Log; told: Told[] } {
  const told: Told[] = [];
  const tell = (fields: Told['fields'], message: string): void => void told.push({ fields, message });
  return { log: { debug: tell, info: tell, warn: tell, error: tell }, told };
}

/** What the trainer learns in a round: 303 numbers around 0.2, other ones each round. */
function learnt(round: number): Float32Array[] {
  const rng = createRng(round, 'learnt');
  return [SIZE, 3].map((size) => Float32Array.from({ length: size }, () => 0.4 * rng.nextFloat()));
}

function trainerOf(workerMomentum?: number): LocalTrainer {
  const trainer: LocalTrainer['trainer'] = {
    ...(workerMomentum === undefined ? {} : { workerMomentum }),
    train: async ({ round, onProgress }) => {
      onProgress?.({ done: 0.5 });
      return { update: learnt(round), samples: 10, loss: 1 };
    },
    evaluate: async () => ({ correct: 0, total: 0, lossSum: 0, constantCorrect: 0 }),
    dispose: () => {},
  };
  return { trainer, datasetCommitment: ZERO_HASH };
}

interface Sent {
  readonly vector: Int16Array;
  /** What it stands for, one number a parameter. */
  readonly values: number[];
  readonly told: Told[];
}

/** Plays one attempt at a round and returns what would be sent. */
async function play(
  round: number,
  carry: Carry,
  {
    wire,
    momentum,
    attempt = 0,
    ...more
  }: Partial<TrainUpdateOptions> & {
    wire?: WireTerms;
    momentum?: number;
    attempt?: number;
  } = {},
): Promise<Sent> {
  const job = createToyJob(SIZE, wire ? { wire } : {});
  const { log, told } = createLog();
  const plan = { ...job.plan(1, attempt), round };
  const model = job.models[0]?.vector as Int32Array;
  const signal = new AbortController().signal;
  const options = { seed: Uint8Array.of(1), carry, log, signal, ...more };
  const { statement, bytes } = await trainUpdate(job.terms, trainerOf(momentum), plan, model, options);
  const vector = int16Vector(bytes);
  expect(statement).toMatchObject({
    ...{ job: job.terms.job, round, attempt, samples: 10 },
    ...{ updateRoot: toHex(updateTree(bytes).root), largestMagnitude: largestMagnitude(vector) },
  });
  const values = decodeUpdate(job.terms.layout, vector, plan.updateBits).flatMap((tensor) => [...tensor]);
  return { vector, values, told };
}

const flat = (tensors: readonly Float32Array[]): number[] => tensors.flatMap((values) => [...values]);
const furthest = (a: readonly number[], b: readonly number[]): number =>
  Math.max(...a.map((value, at) => Math.abs(value - (b[at] as number))));

async function fileCarry(): Promise<() => Carry> {
  const folder = await mkdtemp(join(tmpdir(), 'fedanchor-train-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return () => createFileCarry({ folder, participant: `0x${'0a'.repeat(20)}` });
}

/** One unit of an update at 12 bits, beyond which no rounding goes. */
const UNIT = 2 ** -12;

describe('worker momentum', () => {
  const beta = 0.9;
  /** The momentum after some rounds, by its formula. */
  const momentumOf = (rounds: readonly number[]): number[] =>
    rounds.reduce<number[]>(
      (m, round, index) =>
        flat(learnt(round)).map((g, at) => (index === 0 ? g : beta * (m[at] as number) + (1 - beta) * g)),
      [],
    );

  it('follows its formula from round to round, each time in a process of its own', async () => {
    const carry = await fileCarry();
    const first = await play(1, carry(), { momentum: beta });
    expect(first.told).toContainEqual(expect.objectContaining({ message: 'the momentum starts anew' }));
    expect(furthest(first.values, momentumOf([1]))).toBeLessThan(UNIT);
    for (const [index, round] of [2, 3, 4, 5].entries()) {
      const { values, told } = await play(round, carry(), { momentum: beta });
      expect(furthest(values, momentumOf([1, 2, 3, 4, 5].slice(0, index + 2)))).toBeLessThan(UNIT);
      expect(told.filter(({ message }) => message.includes('anew'))).toEqual([]);
    }
  });

  it('is the same in another attempt at a round, and in a round that is done again', async () => {
    const carry = await fileCarry();
    for (const round of [1, 2, 3]) await play(round, carry(), { momentum: beta });
    // Attempts differ in how they are rounded, by less than a unit, and in nothing else.
    const [first, second] = [
      await play(3, carry(), { momentum: beta }),
      await play(3, carry(), { momentum: beta, attempt: 1 }),
    ];
    expect(furthest(first.values, second.values)).toBeLessThan(2 * UNIT);
    expect(furthest(second.values, momentumOf([1, 2, 3]))).toBeLessThan(UNIT);
    const again = await play(2, carry(), { momentum: beta, attempt: 2 });
    expect(furthest(again.values, momentumOf([1, 2]))).toBeLessThan(UNIT);
    expect(
      furthest((await play(3, carry(), { momentum: beta, attempt: 2 })).values, momentumOf([1, 2, 3])),
    ).toBeLessThan(UNIT);
  });

  it('is not kept where the trainer asks for none', async () => {
    const carry = createMemoryCarry();
    await play(1, carry);
    expect(furthest((await play(2, carry)).values, flat(learnt(2)))).toBeLessThan(UNIT);
    expect(await carry.before(createToyJob(SIZE).terms.job, 9, 'momentum')).toMatchObject({ at: 'none' });
  });
});

describe('error feedback', () => {
  const formats: readonly WireTerms[] = [
    { format: 'int16', errorFeedback: true },
    { format: 'int8', errorFeedback: true },
    { format: 'int4', errorFeedback: true },
    { format: 'topk', keepPerMille: 100, errorFeedback: true },
  ];

  it.each(formats)('of $format: what was sent and what is kept is all that was learnt', async (wire) => {
    const carry = createMemoryCarry();
    const sum = new Array<number>(SIZE + 3).fill(0);
    const sent = new Array<number>(SIZE + 3).fill(0);
    const { job } = createToyJob(SIZE, { wire }).terms;
    for (let round = 1; round <= 10; round++) {
      const { values } = await play(round, carry, { wire });
      flat(learnt(round)).forEach((value, at) => {
        sum[at] = (sum[at] as number) + value;
        sent[at] = (sent[at] as number) + (values[at] as number);
      });
      const residual = await carry.before(job, round + 1, 'residual');
      if (residual.at !== 'found') throw new Error('no residual is kept');
      expect(residual.values.some((value) => value !== 0)).toBe(true);
      expect(
        furthest(
          sum,
          sent.map((value, at) => value + (residual.values[at] as number)),
        ),
      ).toBeLessThan(1e-5);
    }
  });

  it('brings every coordinate in the end, of which without it the small ones are never sent', async () => {
    const reached = async (wire: WireTerms): Promise<number> => {
      const carry = createMemoryCarry();
      const seen = new Set<number>();
      for (let round = 1; round <= 40; round++) {
        // The same update each round: without feedback, always the same coordinates are the largest.
        (
          await play(1000, { ...carry, before: (job, _round, name) => carry.before(job, 2000, name) }, { wire })
        ).vector.forEach((value, at) => {
          if (value !== 0) seen.add(at);
        });
      }
      return seen.size;
    };
    expect(await reached({ format: 'topk', keepPerMille: 100 })).toBe(38);
    expect(await reached({ format: 'topk', keepPerMille: 100, errorFeedback: true })).toBeGreaterThan(270);
  });

  it('starts another attempt from the residual of the round before', async () => {
    const wire: WireTerms = { format: 'int4', errorFeedback: true };
    const carry = await fileCarry();
    await play(1, carry(), { wire });
    const one = await play(2, carry(), { wire });
    const again = await play(2, carry(), { wire });
    expect(again.vector).toEqual(one.vector);
  });

  it('is off where updates are made private: it would take the noise out again', async () => {
    const carry = createMemoryCarry();
    const privacy: PrivacyGuard = {
      admit: async () => {},
      encode: async (layout, update, { updateBits }, rounding) => encodeUpdate(layout, update, updateBits, rounding),
      spent: async () => expect.unreachable(),
    };
    const wire: WireTerms = { format: 'topk', keepPerMille: 100, errorFeedback: true };
    const before = await play(1, carry, { wire, privacy });
    expect(await carry.before(createToyJob(SIZE, { wire }).terms.job, 2, 'residual')).toMatchObject({ at: 'none' });
    expect((await play(1, carry, { wire, privacy })).vector).toEqual(before.vector);
  });
});

it('is decided by the seed alone', async () => {
  const wire: WireTerms = { format: 'int8' };
  const [one, other] = [await play(1, createMemoryCarry(), { wire }), await play(1, createMemoryCarry(), { wire })];
  expect(one.vector).toEqual(other.vector);
  expect((await play(1, createMemoryCarry(), { wire, seed: Uint8Array.of(2) })).vector).not.toEqual(one.vector);
});

it('passes on how far the training is', async () => {
  const told: number[] = [];
  await play(1, createMemoryCarry(), { onProgress: ({ done }) => told.push(done) });
  expect(told).toEqual([0.5]);
});

describe('tellProgress', () => {
  it('says something every ten seconds, and nothing of what is quick', () => {
    const { log, told } = createLog();
    let now = 0;
    const tell = tellProgress(log, { round: 3, attempt: 4 }, () => now);
    for (; now < 25_000; now += 1000) tell({ done: now / 25_000, loss: 0.123456 });
    expect(told).toEqual([
      { fields: { round: 3, attempt: 4, percent: 40, loss: 0.1235 }, message: 'training' },
      { fields: { round: 3, attempt: 4, percent: 80, loss: 0.1235 }, message: 'training' },
    ]);
    now += 60_000;
    tell({ done: 1 });
    expect(told.at(-1)?.fields).toEqual({ round: 3, attempt: 4, percent: 100 });
  });
});

describe('what was learnt, encoded for a later round', () => {
  it('is signed for that round and the model that was trained from, at that scale, and is carried on once', async () => {
    const wire: WireTerms = { format: 'topk', keepPerMille: 100, errorFeedback: true };
    const job = createToyJob(SIZE, { wire });
    const { log } = createLog();
    const carry = createMemoryCarry();
    const options = { seed: Uint8Array.of(1), carry, log, signal: new AbortController().signal };
    const local = trainerOf(0.9);
    const begun = { ...job.plan(1), round: 3 };
    const result = await learn(job.terms, local, begun, job.models[0]?.vector as Int32Array, options);
    const momentum = await carry.before(job.terms.job, 4, 'momentum');
    const encodeFor = async (round: number, updateBits: number) => {
      const plan = { ...begun, round, updateBits, attempt: 1, parentRoot: `0x${'99'.repeat(32)}` as const };
      const { statement, bytes } = await encodeLearnt(job.terms, local, { plan: begun, result }, plan, options);
      const values = decodeUpdate(job.terms.layout, int16Vector(bytes), updateBits).flatMap((tensor) => [...tensor]);
      return { statement, values, residual: await carry.before(job.terms.job, 4, 'residual') };
    };
    const first = await encodeFor(4, 12);
    // It came too late for round 4: round 5 has it, at half the scale, from the same residual.
    const second = await encodeFor(5, 11);
    expect(second.statement).toMatchObject({ round: 5, attempt: 1, parentRoot: begun.parentRoot, samples: 10 });
    expect(second.statement.updateRoot).not.toBe(first.statement.updateRoot);
    expect(furthest(second.values, first.values)).toBeLessThan(3 * UNIT);
    expect(await carry.before(job.terms.job, 4, 'momentum')).toEqual(momentum);
    if (second.residual.at !== 'found') throw new Error('no residual is kept');
    const { values: kept } = second.residual;
    expect(
      furthest(
        flat(result.update),
        second.values.map((value, at) => value + (kept[at] as number)),
      ),
    ).toBeLessThan(1e-5);
  });
});
