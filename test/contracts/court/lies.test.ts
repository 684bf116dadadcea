import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { apportion } from '../../../shared/aggregation/apportion.ts';
import { gramMatrix } from '../../../shared/aggregation/gram.ts';
import type { Hex } from '../../../shared/bytes.ts';
import { serverStep } from '../../../shared/fixed-point/server-step.ts';
import { buildAnswer } from '../../../shared/openings/answer.ts';
import type { Diagnosis } from '../../../shared/openings/diagnosis.ts';
import { OpeningError } from '../../../shared/openings/opening-error.ts';
import type { Subject } from '../../../shared/openings/subject.ts';
import { type CourtLab, type JobChoices, type LabRound, openCourtLab, type Parts } from './court-lab.ts';

// Whole rounds, and a chain that mines a block for each move.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

type Lie = (parts: Parts, lab: CourtLab) => Partial<Parts>;
type Case = readonly [lie: string, subject: object, make: Lie];

const plus = (vector: Int32Array | null, at: number): Int32Array => {
  const copy = (vector as Int32Array).slice();
  copy[at] = (copy[at] as number) + 1;
  return copy;
};

/** Everything downstream of a false aggregate made to fit it: only the aggregate itself is wrong. */
const consistentAggregate: Lie = (parts, { terms, model }) => {
  const aggregate = plus(parts.aggregate, 7);
  const { serverStep: step } = terms.manifest.aggregation;
  const next = serverStep(terms.layout, { model, state: null }, aggregate, 12, step);
  return { aggregate, model: next.model, state: next.state, gram: gramMatrix(parts.rows, aggregate) };
};

const rewardsOf = ({ rewards }: Parts, change: (amount: bigint, index: number) => bigint): Partial<Parts> => ({
  rewards: rewards.map(({ account, cumulative }, index) => ({ account, cumulative: change(cumulative, index) })),
});

const COMMON: readonly Case[] = [
  [
    'a coordinate of the aggregate',
    { kind: 'coordinate', coordinate: 130 },
    ({ aggregate }) => ({ aggregate: plus(aggregate, 130) }),
  ],
  ['a coordinate of the model', { kind: 'coordinate', coordinate: 89 }, ({ model }) => ({ model: plus(model, 89) })],
  [
    'something in the padding of the model',
    { kind: 'coordinate', coordinate: 100 },
    ({ model }) => ({ model: plus(model, 100) }),
  ],
  [
    'a score',
    { kind: 'scores' },
    ({ scores }) => {
      const wrong = scores.map((score, row) => (row === 0 ? score + 10n ** 9n : score));
      return { scores: wrong };
    },
  ],
  [
    'rewards taken from one account for another',
    { kind: 'reward', after: true },
    (parts) => rewardsOf(parts, (amount, i) => (i === 0 ? amount + 1n : i === 1 ? amount - 1n : amount)),
  ],
  ['rewards kept from an account', { kind: 'reward', after: false }, ({ rewards }) => ({ rewards: rewards.slice(1) })],
  [
    'a wrong sum of rewards',
    { kind: 'reward', after: false },
    ({ rewardsTotal }) => ({ rewardsTotal: rewardsTotal - 1n }),
  ],
  [
    'a contribution signed by nobody',
    { kind: 'contribution', row: 2 },
    ({ contributions }) => ({
      contributions: contributions.map((own, row) => (row === 2 ? { ...own, samples: own.samples + 1 } : own)),
    }),
  ],
  [
    'one participant counted twice',
    { kind: 'contribution', row: 1 },
    ({ contributions }) => ({
      contributions: contributions.map((own, row) => (row === 1 ? (contributions[0] as typeof own) : own)),
    }),
  ],
];

const JOBS: readonly (readonly [string, JobChoices, readonly Case[]])[] = [
  [
    'TrMean and FedAvg',
    { rule: { rule: 'TrMean', f: 1 } },
    [
      ...COMMON,
      ['an aggregate that all else follows from', { kind: 'coordinate', coordinate: 7 }, consistentAggregate],
      ['weights where there are none', { kind: 'scores' }, () => ({ weights: [1, 0, 0, 0, 0] })],
      ['a server state where there is none', { kind: 'coordinate', coordinate: 0 }, ({ model }) => ({ state: model })],
    ],
  ],
  [
    'Average and FedAvgM',
    { rule: { rule: 'Average', f: 0 }, step: { name: 'FedAvgM', learningRate: 65536, momentum: 58982 } },
    [
      ...COMMON,
      [
        'a weight',
        { kind: 'weights' },
        ({ weights }) => ({
          weights: (weights as number[]).map((weight, row) => weight + (row === 0 ? 1 : row === 1 ? -1 : 0)),
        }),
      ],
      [
        'a coordinate of the server state',
        { kind: 'coordinate', coordinate: 3 },
        ({ state }) => ({ state: plus(state, 3) }),
      ],
    ],
  ],
  [
    'MultiKrum, by alignment',
    { rule: { rule: 'MultiKrum', f: 1, params: { m: 'n-f', neighbours: 'byzfl' } }, score: 'alignment' },
    [
      [
        'who is selected',
        { kind: 'weights' },
        ({ weights }) => {
          const others = (weights as number[]).findIndex((weight) => weight > 0);
          const chosen = (weights as number[]).map((_, row) => (row === others ? 0n : 1n));
          return { weights: apportion(chosen, 2n ** 30n).map(Number) };
        },
      ],
      ['that there are no weights', { kind: 'weights' }, () => ({ weights: null })],
      [
        'how many are selected',
        { kind: 'weights' },
        () => ({ weights: apportion([1n, 1n, 1n, 1n, 1n], 2n ** 30n).map(Number) }),
      ],
      [
        'a coordinate of the aggregate',
        { kind: 'coordinate', coordinate: 0 },
        ({ aggregate }) => ({ aggregate: plus(aggregate, 0) }),
      ],
      ['a score', { kind: 'scores' }, ({ scores }) => ({ scores: scores.map(() => 0n) })],
    ],
  ],
];

describe.each(JOBS)('a job with %s', (_, choices, cases) => {
  let lab: CourtLab;

  beforeAll(async () => {
    lab = await openCourtLab(choices);
  });
  afterEach(async () => {
    // All that the StakeManager holds is somebody's.
    const totals = await lab.world.stakes.totals();
    const held = totals.stakes + totals.bonds + totals.locked + totals.pots + totals.owed;
    expect(await lab.world.balanceOf(lab.world.job.stakes)).toBe(held);
  });
  afterAll(() => lab.close());

  it.each(cases)('a coordinator that lies about %s loses its bond, and the round', async (_lie, subject, make) => {
    const honest = await lab.play(null, await lab.attempt());
    const lying = lab.falsify(honest, null, make(honest.parts, lab));
    await lab.ledger.anchor(lying.record);
    const found = await lab.examine(lying);
    expect(found).toMatchObject({ verdict: 'challenge', subject });
    await losesTo(lab, lying, honest, (found as Extract<Diagnosis, { subject: Subject }>).subject);
  });
});

/** Neither what was published nor what would have been right answers; then time is up. */
async function losesTo(lab: CourtLab, lying: LabRound, honest: LabRound, subject: Subject): Promise<void> {
  const { stakes, coordinator, challenger, ledger } = lab.world;
  const bond = (await stakes.bondOf(coordinator.address)).amount;
  const owed = await stakes.owedTo(challenger.address);
  const { file } = await lab.dispute(lying, subject);
  if (file.subject.kind === 'gram') throw new Error('a Gram entry is disputed by moves');
  for (const view of [lying.view, honest.view]) {
    const answer = await buildAnswer(view, file.subject).catch((error: unknown) => {
      if (error instanceof OpeningError) return undefined;
      throw error;
    });
    if (answer === undefined) continue;
    await expect(lab.coordinator.answer(file, answer)).rejects.toMatchObject({ code: 'ledger/reverted' });
  }
  await lab.convict(file.id, lying);
  expect(await ledger.latestRound()).toBe(lying.record.round - 1);
  expect((await stakes.bondOf(coordinator.address)).amount).toBe(bond - 50_000n);
  expect(await stakes.owedTo(challenger.address)).toBe(owed + 10_000n + 500n);
  expect((await lab.court.outcomes(0)).at(-1)).toMatchObject({ outcome: 'won', id: file.id });
}

describe('a coordinator', () => {
  let lab: CourtLab;

  beforeAll(async () => {
    lab = await openCourtLab({ rule: { rule: 'Median', f: 1 }, strangers: 1, participants: 6, size: 400 });
  });
  afterAll(() => lab.close());

  it('that invents a participant loses', async () => {
    const round = await lab.play(null, await lab.attempt());
    await lab.ledger.anchor(round.record);
    const found = await lab.examine(round);
    expect(found).toMatchObject({ verdict: 'challenge', subject: { kind: 'contribution', row: 0 } });
    await losesTo(lab, round, round, { kind: 'contribution', row: 0 });
  });

  it('that drops an update it has accepted loses', async () => {
    const round = await lab.play(null, await lab.attempt(), 3);
    await lab.ledger.anchor(round.record);
    const isEligible = async (): Promise<boolean> => true;
    const found = await lab.examine(round, { receipts: round.receipts, isEligible });
    expect(found).toMatchObject({ verdict: 'challenge', subject: { kind: 'omission', receipt: round.receipts[3] } });
    await losesTo(lab, round, round, { kind: 'omission', receipt: round.receipts[3] as never });
  });

  it('that puts another matrix in place of the updates is found by a few probes', async () => {
    const honest = await lab.play(null, await lab.attempt());
    const rows = honest.updates.map((row) => row.slice());
    (rows[4] as Int16Array)[5 * 64 + 9] = 77;
    const lying = lab.falsify(honest, null, { rows });
    await lab.ledger.anchor(lying.record);
    const isEligible = async (): Promise<boolean> => true;
    let probes = 0;
    for (;;) {
      const revealed = await lab.court.revealed(0);
      const found = await lab.examine(lying, { revealed, isEligible });
      expect(found).toMatchObject({ verdict: 'challenge', subject: { kind: 'link' } });
      const { subject } = found as { subject: Extract<Subject, { kind: 'link' }> };
      if (subject.row === 4 && subject.block === 5) {
        expect(probes).toBeGreaterThan(0);
        await losesTo(lab, lying, honest, subject);
        break;
      }
      probes += 1;
      expect(probes).toBeLessThanOrEqual(4);
      const { file } = await lab.dispute(lying, subject);
      const link = await buildAnswer(lying.view, subject);
      const shown = await buildAnswer(lab.matrixView(lying), subject);
      if (link.kind !== 'link' || shown.kind !== 'link') throw new Error('a link was asked for');
      await lab.coordinator.answer(file, { ...link, matrix: shown.matrix });
    }
  });

  it('whose record does not continue the one before it loses without a dispute', async () => {
    const first = await lab.play(null, await lab.attempt());
    await lab.ledger.anchor(first.record);
    const other: Hex = `0x${'42'.repeat(32)}`;
    const lies: Lie[] = [() => ({ parentModelRoot: other }), ({ plan }) => ({ plan: { ...plan, seed: other } })];
    for (const lie of lies) {
      const round = await lab.play(first, await lab.attempt());
      const lying = lab.falsify(round, first, lie(round.parts, lab));
      await lab.ledger.anchor(lying.record);
      expect(await lab.examine(lying)).toMatchObject({ verdict: 'discontinuity' });
      await lab.challenger.proveDiscontinuity(lying.view, lying.record);
      expect(await lab.world.ledger.latestRound()).toBe(1);
      expect((await lab.court.outcomes(0)).at(-1)).toMatchObject({ outcome: 'discontinuity', round: 2 });
    }
    const right = await lab.play(first, await lab.attempt());
    await lab.ledger.anchor(right.record);
    await expect(lab.challenger.proveDiscontinuity(right.view, right.record)).rejects.toMatchObject({
      data: { errorName: 'DisputesContinuous' },
    });
  });
});
