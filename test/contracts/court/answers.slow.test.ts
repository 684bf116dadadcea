import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Hex } from '../../../shared/bytes.ts';
import { rewardsTree } from '../../../shared/commitments/rewards-tree.ts';
import { buildAnswer } from '../../../shared/openings/answer.ts';
import type { GramSubject, Subject } from '../../../shared/openings/subject.ts';
import { type CourtLab, type JobChoices, type LabRound, openCourtLab } from './court-lab.ts';

// Whole rounds, and a chain that mines a block for each move.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const JOBS: readonly (readonly [string, JobChoices])[] = [
  ['TrMean, FedAvg', { rule: { rule: 'TrMean', f: 1 } }],
  [
    'Average, FedAvgM',
    { rule: { rule: 'Average', f: 0 }, step: { name: 'FedAvgM', learningRate: 65536, momentum: 58982 } },
  ],
  [
    'MultiKrum, by alignment',
    { rule: { rule: 'MultiKrum', f: 1, params: { m: 'n-f', neighbours: 'byzfl' } }, score: 'alignment' },
  ],
  [
    'NNM before the geometric median',
    { rule: { rule: 'GeometricMedian', f: 1, pre: ['NNM'], params: { nu: 0.1, T: 3 } } },
  ],
];

describe.each(JOBS)('an honest coordinator of a job with %s', (_, choices) => {
  let lab: CourtLab;
  let rounds: LabRound[];

  beforeAll(async () => {
    lab = await openCourtLab(choices);
    const first = await lab.play(null, 0);
    await lab.ledger.anchor(first.record);
    const second = await lab.play(first, 0);
    await lab.ledger.anchor(second.record);
    rounds = [first, second];
  });
  afterAll(() => lab.close());

  it('answers whatever can be asked about its rounds', async () => {
    const asked = new Map<Subject['kind'], number>();
    const before = await lab.world.balanceOf(lab.world.challenger.address);
    for (const round of rounds) {
      for (const subject of subjectsOf(lab, round)) {
        const { file } = await lab.dispute(round, subject);
        await lab.coordinator.answer(
          file,
          await buildAnswer(round.view, file.subject as Exclude<Subject, GramSubject>),
        );
        expect(await lab.court.disputeOf(file.id)).toBeUndefined();
        asked.set(subject.kind, (asked.get(subject.kind) ?? 0) + 1);
      }
    }
    const disputes = [...asked.values()].reduce((sum, count) => sum + count, 0);
    expect(await lab.world.balanceOf(lab.world.challenger.address)).toBe(before - 500n * BigInt(disputes));
    expect(await lab.world.stakes.owedTo(lab.world.coordinator.address)).toBe(500n * BigInt(disputes));
    expect(await lab.court.earliestDisputed()).toBe(0);
    expect((await lab.court.outcomes(0)).map(({ outcome }) => outcome)).toEqual(Array(disputes).fill('answered'));
  });

  it('gives nobody anything to find', async () => {
    for (const round of rounds) {
      expect(await lab.examine(round, { receipts: round.receipts })).toEqual({ verdict: 'none' });
    }
  });
});

/** Of every kind that the job's court takes, the first, the last and one between. */
function subjectsOf({ terms }: CourtLab, { record, receipts, view, parts }: LabRound): Subject[] {
  const n = record.participants;
  const { rule } = terms.manifest.aggregation;
  const rows = [0, n - 1];
  const subjects: Subject[] = [0, 89, 90, 137, 192].map((coordinate) => ({ kind: 'coordinate', coordinate }));
  for (const row of rows) subjects.push({ kind: 'link', row, block: row === 0 ? 2 : 0 });
  for (const row of [...rows, n]) subjects.push({ kind: 'contribution', row });
  subjects.push({ kind: 'omission', receipt: receipts[3] as LabRound['receipts'][number] });
  if (rule.rule === 'Average') subjects.push({ kind: 'weights', selected: 3, better: 1 });
  if (rule.rule === 'MultiKrum') {
    for (const better of [0, 1, 2, 3, 4]) subjects.push({ kind: 'weights', selected: 2, better });
  }
  subjects.push({ kind: 'scores' });
  const nobody: Hex = `0x${'01'.repeat(20)}`;
  for (const after of [false, true]) {
    for (const account of [nobody, ...parts.contributions.slice(0, 2).map(({ participant }) => participant)]) {
      const side = after ? parts.rewards : view.parentRewards;
      const cumulative = side.find((own) => own.account === account)?.cumulative ?? 0n;
      subjects.push({ kind: 'reward', after, account, cumulative, proof: rewardsTree(side).proof(account) ?? [] });
    }
  }
  return subjects;
}
