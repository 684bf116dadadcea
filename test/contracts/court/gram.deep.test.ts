import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { CaseFile } from '../../../contracts/court/case-file.ts';
import type { Bisection } from '../../../contracts/court/court.ts';
import { gramSums, openGramBlock, openGramEntry, wrongSum } from '../../../shared/openings/gram-moves.ts';
import type { RoundView } from '../../../shared/openings/round-view.ts';
import type { GramSubject } from '../../../shared/openings/subject.ts';
import { type CourtLab, type LabRound, openCourtLab, type Parts } from './court-lab.ts';

// Whole rounds, and a chain that mines a block for each move.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

/** A lie of one unit in an entry, and in the one opposite if there are two. */
const withEntry = ({ gram }: Parts, row: number, column: number): Partial<Parts> => ({
  gram: gram.map((cells, i) =>
    cells.map((cell, j) => ((i === row && j === column) || (i === column && j === row) ? cell + 1n : cell)),
  ),
});

/** How a coordinator divides an entry: a liar hides what does not fit in the part of its choice. */
type Divide = (right: readonly bigint[], expected: bigint) => readonly bigint[];

const honestly: Divide = (right) => right;
const hidingIn =
  (choose: (parts: number) => number): Divide =>
  (right, expected) => {
    const missing = expected - right.reduce((sum, part) => sum + part, 0n);
    const at = choose(right.length);
    return right.map((sum, part) => (part === at ? sum + missing : sum));
  };

/** Plays a dispute to its last move, which it returns the outcome of; the challenger picks by `pick`. */
async function play(
  { court, coordinator, challenger }: CourtLab,
  file: CaseFile,
  view: RoundView,
  divide: Divide,
  pick: (bisection: Bisection, sums: readonly bigint[]) => Promise<number | undefined>,
): Promise<{ readonly moves: number; readonly picked: boolean }> {
  const entry = file.subject as GramSubject;
  const first = await openGramEntry(view, entry);
  const expected = view.document.gram[entry.row]?.[entry.column] as bigint;
  await coordinator.openEntry(file, { ...first, sums: divide(first.sums, expected) });
  for (let moves = 1; ; moves++) {
    const at = await court.bisectionOf(file.id);
    const sums = (await court.sumsOf(file.id, 0)) ?? [];
    const index = await pick(at, sums);
    if (index === undefined) return { moves, picked: false };
    await challenger.pickSum(file.id, at, index, sums);
    const next = await court.bisectionOf(file.id);
    if (next.span === 1) return { moves, picked: true };
    await coordinator.postSums(file, next, divide(await gramSums(view, entry, next), next.expected));
  }
}

describe.each([
  [1, 90],
  [2, 64 * 40],
  [3, 64 * 1100],
])('a dispute over the Gram matrix that takes %i levels', (levels, size) => {
  let lab: CourtLab;

  beforeAll(async () => {
    lab = await openCourtLab({ rule: { rule: 'TrMean', f: 1 }, size });
  });
  afterAll(() => lab.close());

  const open = async (lie?: (parts: Parts) => Partial<Parts>): Promise<LabRound> => {
    const honest = await lab.play(null, await lab.attempt());
    const round = lie ? lab.falsify(honest, null, lie(honest.parts)) : honest;
    await lab.ledger.anchor(round.record);
    return round;
  };

  it.each([
    ['of two updates', 1, 3, (parts: number) => parts - 1],
    ['of an update with itself', 2, 2, () => 0],
    ['of an update with the aggregate', 4, 5, (parts: number) => Math.floor(parts / 2)],
    ['of the aggregate with itself', 5, 5, () => 0],
  ])('is lost by who lies about the product %s', async (_what, row, column, choose) => {
    const round = await open((parts) => withEntry(parts, row, column));
    const found = await lab.examine(round);
    expect(found).toMatchObject({ verdict: 'challenge', subject: { kind: 'gram', row, column } });
    const { file } = await lab.dispute(round, { kind: 'gram', row, column });
    const entry = file.subject as GramSubject;
    const played = await play(lab, file, round.view, hidingIn(choose), (at, sums) =>
      wrongSum(round.view, entry, at, sums),
    );
    expect(played).toEqual({ moves: levels, picked: true });
    const { first } = await lab.court.bisectionOf(file.id);
    await expect(lab.coordinator.openBlock(file, await openGramBlock(round.view, entry, first))).rejects.toMatchObject({
      data: { errorName: 'DisputesAnswerRefused' },
    });
    const { amount } = await lab.world.stakes.bondOf(lab.world.coordinator.address);
    await lab.convict(file.id, round);
    expect((await lab.world.stakes.bondOf(lab.world.coordinator.address)).amount).toBe(amount - 50_000n);
    expect(await lab.world.ledger.latestRound()).toBe(0);
  });

  it('is lost by who disputes what is right', async () => {
    const round = await open();
    const owed = await lab.world.stakes.owedTo(lab.world.coordinator.address);
    for (const [row, column] of [
      [0, 1],
      [5, 2],
      [5, 5],
    ] as const) {
      const { file } = await lab.dispute(round, { kind: 'gram', row, column });
      const entry = file.subject as GramSubject;
      const played = await play(lab, file, round.view, honestly, async (at, sums) => {
        expect(await wrongSum(round.view, entry, at, sums)).toBeUndefined();
        return sums.length - 1;
      });
      expect(played).toEqual({ moves: levels, picked: true });
      const { first } = await lab.court.bisectionOf(file.id);
      await lab.coordinator.openBlock(file, await openGramBlock(round.view, entry, first));
      expect(await lab.court.disputeOf(file.id)).toBeUndefined();
    }
    // One that does not move loses too, and one that opens a round again has nothing to pick.
    const { file } = await lab.dispute(round, { kind: 'gram', row: 0, column: 0 });
    const stalled = await play(lab, file, round.view, honestly, async (at, sums) =>
      wrongSum(round.view, file.subject as GramSubject, at, sums),
    );
    expect(stalled).toEqual({ moves: 1, picked: false });
    await expect(lab.coordinator.abandon(file.id)).rejects.toMatchObject({ data: { errorName: 'DisputesWrongTime' } });
    await lab.chain.chain.increaseTime(600);
    await lab.coordinator.abandon(file.id);
    expect(await lab.world.stakes.owedTo(lab.world.coordinator.address)).toBe(owed + 4n * 500n);
    expect(await lab.world.ledger.latestRound()).toBe(1);
  });
});
