import { describe, expect, it } from 'vitest';
import { layoutOf } from '../../../shared/fixed-point/layout.ts';
import { createRng } from '../../../shared/rng.ts';
import { CLAIMANTS } from '../../../simulations/bench/rewards/free-riders.ts';
import { likenessOf, measurePay } from '../../../simulations/bench/rewards/measure.ts';
import { playRealRounds, type RealRound } from '../../../simulations/bench/rewards/real-rounds.ts';

const layout = layoutOf([{ name: 'w', shape: [1000], fractionBits: 24, preScaleBits: 0 }]);

/** Updates that share a direction, without any training. */
function drawn(round: number, before: RealRound | null): RealRound {
  const shared = createRng(round, 'shared');
  const drift = Array.from({ length: 1000 }, () => shared.below(401) - 200);
  const one = (name: string): Int16Array => {
    const rng = createRng(round, name);
    const row = new Int16Array(layout.dimension);
    for (let at = 0; at < 1000; at++) row[at] = (drift[at] as number) + rng.below(801) - 400;
    return row;
  };
  const honest = Array.from({ length: 8 }, (_, client) => one(String(client)));
  return {
    ...{ round, updateBits: 12, layout, honest, sameData: one('same data') },
    sameTraining: (honest[0] as Int16Array).slice(),
    doubled: one('more').map((value) => 2 * value),
    before: before && {
      updateBits: before.updateBits,
      aggregate: Int32Array.from(before.honest[3] as Int16Array, (value) => 256 * value),
      honest: [...before.honest],
    },
  };
}

const first = drawn(1, null);
const rounds = [first, drawn(2, first)];

describe('free-riders', () => {
  it('send what is in range, with zeros in the padding, and the same every time', () => {
    for (const { send } of CLAIMANTS) {
      for (const round of rounds) {
        const row = send(round);
        expect(row.length).toBe(layout.dimension);
        expect(row.every((value, at) => Math.abs(value) <= 8191 && (at < 1000 || value === 0))).toBe(true);
        expect(send(round)).toEqual(row);
      }
    }
  });

  it('are paid as the tables have it: nothing for noise, once for copies, a share for who trains', () => {
    const pays = measurePay(rounds, 2).filter(({ rule, method }) => rule === 'TrMean' && method === 'confirmation');
    const paid = (name: string) => pays.find(({ claimant }) => claimant.startsWith(name));
    expect(paid('nothing')?.paid).toBe(0);
    expect(paid('noise')?.paid).toBeLessThan(0.2);
    const copy = paid("another's update, to the bit");
    expect(copy).toMatchObject({ foundCopies: 1 });
    expect((copy?.paid ?? 0) + (copy?.first ?? 0)).toBeLessThan(1.3);
    expect(paid('honest, same data')?.paid).toBeGreaterThan(0.8);
    expect(paid('honest, same data')?.foundCopies).toBe(0);
  });

  it('are judged beside how alike honest updates are', () => {
    const { least, largest, sameTraining } = likenessOf(rounds[1] as RealRound);
    expect(sameTraining).toBeCloseTo(1, 12);
    expect(0 < least && least < largest && largest < 0.5).toBe(true);
  });
});

it('real rounds train real clients, whose updates are no copies even from the same data', async () => {
  const played = await playRealRounds({ clients: 4, rounds: 2, seed: 3 }, () => {});
  expect(played.map(({ before }) => before === null)).toEqual([true, false]);
  for (const round of played) {
    const { least, sameData, sameTraining } = likenessOf(round);
    expect(least).toBeGreaterThan(0);
    expect(sameData).toBeLessThan(0.99);
    expect(sameTraining).toBeGreaterThan(0.9999);
  }
}, 120_000);
