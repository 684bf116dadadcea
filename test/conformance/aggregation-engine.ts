import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { reduceCoordinates, sumWeighted } from '../../shared/aggregation/aggregate-integers.ts';
import { type AggregationEngine, augmentGram, type UpdateRows } from '../../shared/aggregation/engine.ts';
import { gramMatrix } from '../../shared/aggregation/gram.ts';
import type { CoordinateRule, Mixing } from '../../shared/aggregation/rule.ts';
import { meamed } from '../../shared/aggregation/rules/meamed.ts';
import { median } from '../../shared/aggregation/rules/median.ts';
import { phocas } from '../../shared/aggregation/rules/phocas.ts';
import { signMajority } from '../../shared/aggregation/rules/sign-majority.ts';
import { trimmedMean } from '../../shared/aggregation/rules/trimmed-mean.ts';
import { matrixTree, vectorBytes } from '../../shared/commitments/vector-trees.ts';
import { MAX_UPDATE } from '../../shared/fixed-point/constants.ts';
import { createRng } from '../../shared/rng.ts';

/** What the suite needs to get at an implementation. */
export interface EngineFixture {
  /** The engine under test; it may be shared among tests. */
  readonly engine: () => AggregationEngine;
  /** An empty folder for the rows that are kept in files. */
  readonly folder: () => string;
  /** How many random cases a property is tried on. */
  readonly runs: number;
}

/** A random case: its size, how its values are spread, and where they are. */
interface Case {
  readonly n: number;
  readonly dimension: number;
  readonly spread: 'wide' | 'ends' | 'ties';
  readonly place: 'heap' | 'allocated' | 'files';
  readonly seed: number;
}

const RULES: readonly CoordinateRule[] = [median, trimmedMean, meamed, phocas, signMajority];

const cases: fc.Arbitrary<Case> = fc.record({
  n: fc.oneof({ weight: 4, arbitrary: fc.integer({ min: 1, max: 24 }) }, fc.integer({ min: 25, max: 128 })),
  dimension: fc.integer({ min: 1, max: 1500 }),
  spread: fc.constantFrom('wide', 'ends', 'ties'),
  place: fc.constantFrom('heap', 'allocated', 'files'),
  seed: fc.nat(),
});

/** What every implementation of {@link AggregationEngine} must do: the scalar functions, bit for bit. */
export function describeAggregationEngine(name: string, { engine, folder, runs }: EngineFixture): void {
  describe(`aggregation engine: ${name}`, () => {
    let files = 0;

    const placed = async (rows: readonly Int16Array[], place: Case['place']): Promise<UpdateRows> => {
      const dimension = (rows[0] as Int16Array).length;
      if (place === 'heap') return { place: 'memory', rows };
      if (place === 'allocated') {
        const allocated = engine().allocate(rows.length, dimension);
        for (const [i, row] of rows.entries()) allocated.rows[i]?.set(row);
        return allocated;
      }
      const paths = rows.map(() => join(folder(), `${files++}.update`));
      await Promise.all(paths.map((path, i) => writeFile(path, vectorBytes(rows[i] as Int16Array))));
      return { place: 'files', paths, dimension };
    };

    /** Tries a property on random rows, which it gets in memory and where the engine is to find them. */
    const holds = async (
      property: (rows: readonly Int16Array[], where: UpdateRows, draw: (most: number) => number) => Promise<void>,
      wholeBlocks = false,
    ): Promise<void> => {
      await fc.assert(
        fc.asyncProperty(cases, async (given) => {
          const dimension = wholeBlocks ? Math.ceil(given.dimension / 64) * 64 : given.dimension;
          const rng = createRng(given.seed, 'test/engine');
          const rows = Array.from({ length: given.n }, () =>
            Int16Array.from(
              { length: dimension },
              valuesOf(given.spread, (most) => rng.below(most)),
            ),
          );
          await property(rows, await placed(rows, given.place), (most) => rng.below(most));
        }),
        { numRuns: runs },
      );
    };

    it('multiplies all updates with all', () =>
      holds(async (rows, where) => {
        expect(await engine().gram(where)).toEqual(gramMatrix(rows));
      }));

    it('multiplies one update with all, and each with itself', () =>
      holds(async (rows, where, draw) => {
        const row = draw(rows.length);
        const star = gramMatrix(rows).map((line, i) =>
          line.map((value, j) => (i === j || i === row || j === row ? value : 0n)),
        );
        expect(await engine().gramRow(where, row)).toEqual(star);
      }));

    it('reduces coordinates by every rule', () =>
      holds(async (rows, where, draw) => {
        const rule = RULES[draw(RULES.length)] as CoordinateRule;
        const f = draw(Math.ceil(rows.length / 2));
        const expected = reduceCoordinates(rows, lengthOf(rows), rule, f, null);
        expect(await engine().reduce(where, { rule, f, mixing: null })).toEqual(expected);
      }));

    it('reduces mixtures, of few rows or many, by ones or by weights', () =>
      holds(async (rows, where, draw) => {
        const rule = RULES[draw(RULES.length)] as CoordinateRule;
        const mixing = mixingOf(rows.length, draw);
        const f = draw(rule === meamed ? mixing.entries.length : Math.ceil(mixing.entries.length / 2));
        const expected = reduceCoordinates(rows, lengthOf(rows), rule, f, mixing);
        expect(await engine().reduce(where, { rule, f, mixing })).toEqual(expected);
      }));

    it('sums with weights of either sign, up to 2^30 and beyond', () =>
      holds(async (rows, where, draw) => {
        const weights = weightsOf(rows.length, draw);
        expect(await engine().combine(where, weights)).toEqual(sumWeighted(rows, lengthOf(rows), weights));
      }));

    it('multiplies an aggregate with the updates and itself', () =>
      holds(async (rows, where, draw) => {
        const most = MAX_UPDATE * 256;
        const aggregate = Int32Array.from({ length: lengthOf(rows) }, () => draw(2 * most + 1) - most);
        const products = await engine().products(where, aggregate);
        expect(augmentGram(gramMatrix(rows), products)).toEqual(gramMatrix(rows, aggregate));
      }));

    it('commits to the matrix of updates', () =>
      holds(async (rows, where) => {
        expect(Buffer.from(await engine().matrixRoot(where))).toEqual(Buffer.from(matrixTree(rows).root));
      }, true));

    it('does everything in one walk', () =>
      holds(async (rows, where, draw) => {
        const rule = RULES[draw(RULES.length)] as CoordinateRule;
        const f = draw(Math.ceil(rows.length / 2));
        const aggregate = reduceCoordinates(rows, lengthOf(rows), rule, f, null);
        const wanted = { gram: true, matrixRoot: true, aggregate: { rule, f, mixing: null }, products: true };
        const found = await engine().pass(where, wanted);
        expect(found.aggregate).toEqual(aggregate);
        expect(augmentGram(found.gram ?? [], found.products ?? { along: [], own: 0n })).toEqual(
          gramMatrix(rows, aggregate),
        );
        expect(Buffer.from(found.matrixRoot ?? [])).toEqual(Buffer.from(matrixTree(rows).root));
      }, true));

    it('is exact for the largest values there are', async () => {
      for (const n of [1, 8, 64, 128]) {
        const rows = Array.from({ length: n }, (_, i) =>
          new Int16Array(1000).fill(i % 3 === 2 ? -MAX_UPDATE : MAX_UPDATE),
        );
        const where = await placed(rows, 'allocated');
        expect(await engine().gram(where)).toEqual(gramMatrix(rows));
        for (const sign of [1, -1]) {
          const aggregate = new Int32Array(1000).fill(sign * MAX_UPDATE * 256);
          expect((await engine().products(where, aggregate)).along).toEqual(
            gramMatrix(rows, aggregate).at(-1)?.slice(0, n),
          );
          // The lower halves of these weights are -2^15, the largest in magnitude.
          const weights = rows.map((_, i) => (i % 3 === 2 ? -1 : 1) * (sign * (2 ** 30 / n - 2 ** 16) - 2 ** 15));
          expect(await engine().combine(where, weights)).toEqual(sumWeighted(rows, 1000, weights));
        }
        const all = { entries: rows.map(() => rows.map(() => 1)), denominator: n };
        for (const rule of [trimmedMean, phocas]) {
          const f = Math.floor((n - 1) / 3);
          const expected = reduceCoordinates(rows, 1000, rule, f, all);
          expect(await engine().reduce(where, { rule, f, mixing: all })).toEqual(expected);
        }
      }
    });

    it('brings nothing that was not asked for', async () => {
      const where = await placed([Int16Array.of(1, 2)], 'heap');
      const nothing = { gram: null, matrixRoot: null, aggregate: null, products: null };
      expect(await engine().pass(where, {})).toEqual(nothing);
      expect(await engine().pass(where, { products: true })).toEqual(nothing);
    });

    it('folds updates in as they arrive, in whatever order', () =>
      holds(async (all, _, draw) => {
        const rows = all.slice(0, 12);
        const ids = rows.map((_row, i) => `participant ${i}`);
        const incremental = engine().incrementalGram();
        const arrivals = ids.map((id, i) => ({ id, row: rows[i] as Int16Array, turn: draw(1000) }));
        for (const { id, row } of arrivals.sort((a, b) => a.turn - b.turn)) {
          await incremental.add(id, await placed([row], (['heap', 'allocated', 'files'] as const)[draw(3)] ?? 'heap'));
        }
        expect(await incremental.matrix(ids)).toEqual(gramMatrix(rows));
        const some = ids.filter((_id, i) => i % 2 === 0);
        const chosen = rows.filter((_row, i) => i % 2 === 0);
        expect(await incremental.matrix(some)).toEqual(gramMatrix(chosen));
      }));

    it('replaces an update that arrives again, and forgets one that cannot be folded in', async () => {
      const incremental = engine().incrementalGram();
      const [a, b, c] = [Int16Array.of(1, 2, 3), Int16Array.of(4, -5, 6), Int16Array.of(7, 8, 9)];
      await incremental.add('a', { place: 'memory', rows: [a] });
      await incremental.add('b', { place: 'memory', rows: [b] });
      await incremental.add('a', { place: 'memory', rows: [c] });
      expect(await incremental.matrix(['a', 'b'])).toEqual(gramMatrix([c, b]));
      const bad = incremental.add('d', { place: 'memory', rows: [Int16Array.of(0, 0, 8192)] });
      await expect(bad).rejects.toMatchObject({ code: 'aggregation/out-of-range' });
      const short = incremental.add('b', { place: 'memory', rows: [Int16Array.of(1)] });
      await expect(short).rejects.toMatchObject({ code: 'aggregation/mixed-lengths' });
      await expect(incremental.matrix(['a', 'd'])).rejects.toMatchObject({ code: 'engine/unknown-row' });
      expect(await incremental.matrix(['b', 'a'])).toEqual(gramMatrix([b, c]));
      expect(await incremental.matrix([])).toEqual([]);
    });

    it('refuses what cannot be aggregated, and names the first bad coordinate of the first bad update', async () => {
      const refusal = (where: UpdateRows) => expect(engine().pass(where, { gram: true })).rejects;
      await refusal({ place: 'memory', rows: [] }).toMatchObject({ code: 'aggregation/empty' });
      await refusal({ place: 'memory', rows: [new Int16Array(0)] }).toMatchObject({ code: 'aggregation/empty' });
      await refusal({ place: 'memory', rows: [new Int16Array(3), new Int16Array(4)] }).toMatchObject({
        code: 'aggregation/mixed-lengths',
      });
      for (const place of ['heap', 'allocated', 'files'] as const) {
        for (const value of [8192, -8192, 32767, -32768]) {
          const rows = Array.from({ length: 5 }, () => new Int16Array(5000));
          for (const [row, at] of [
            [4, 3],
            [2, 4999],
            [2, 4200],
            [3, 0],
          ] as const)
            (rows[row] as Int16Array)[at] = value;
          await refusal(await placed(rows, place)).toMatchObject({
            code: 'aggregation/out-of-range',
            data: { what: 'update 2', coordinate: 4200, value },
          });
        }
      }
    });

    it('refuses an aggregate that cannot be multiplied and a reduction that would not be exact', async () => {
      const where = await placed([Int16Array.of(1, 2), Int16Array.of(3, 4)], 'heap');
      const short = engine().products(where, Int32Array.of(1));
      await expect(short).rejects.toMatchObject({ code: 'aggregation/mixed-lengths' });
      const large = engine().products(where, Int32Array.of(1, 8191 * 256 + 1));
      await expect(large).rejects.toMatchObject({ code: 'aggregation/out-of-range' });
      const mixing = { entries: [[1, 0]], denominator: 2 ** 40 };
      const fine = engine().reduce(where, { rule: median, f: 0, mixing });
      await expect(fine).rejects.toMatchObject({ code: 'aggregation/too-large' });
    });

    it('goes on after a refusal, and serves calls that are made at once', async () => {
      const rows = Array.from({ length: 4 }, (_, i) =>
        Int16Array.from({ length: 700 }, (_, at) => (at * (i + 3)) % 91),
      );
      const where = { place: 'memory', rows } as const;
      const [gram, refused, sum] = await Promise.allSettled([
        engine().gram(where),
        engine().gram({ place: 'memory', rows: [Int16Array.of(9000)] }),
        engine().combine(where, [2 ** 28, 2 ** 28, 2 ** 28, 2 ** 28]),
      ]);
      expect(gram).toMatchObject({ status: 'fulfilled', value: gramMatrix(rows) });
      expect(refused).toMatchObject({ status: 'rejected' });
      const mean = sumWeighted(rows, 700, [2 ** 28, 2 ** 28, 2 ** 28, 2 ** 28]);
      expect(sum).toMatchObject({ status: 'fulfilled', value: mean });
    });

    it('allocates rows of zeros', () => {
      const { rows } = engine().allocate(3, 100);
      expect(rows).toEqual([new Int16Array(100), new Int16Array(100), new Int16Array(100)]);
    });
  });
}

function lengthOf(rows: readonly Int16Array[]): number {
  return (rows[0] as Int16Array).length;
}

function valuesOf(spread: Case['spread'], draw: (most: number) => number): () => number {
  if (spread === 'ends') return () => (draw(2) === 0 ? -MAX_UPDATE : MAX_UPDATE);
  if (spread === 'ties') return () => draw(5) - 2;
  return () => draw(2 * MAX_UPDATE + 1) - MAX_UPDATE;
}

/** Ones in most places, ones in few, small counts, or weights over a power of two; as many rows as columns or fewer. */
function mixingOf(n: number, draw: (most: number) => number): Mixing {
  const rows = 1 + draw(n);
  const kind = draw(4);
  const entry = [() => (draw(5) > 0 ? 1 : 0), () => (draw(4) === 0 ? 1 : 0), () => draw(4), () => draw(2 ** 12)][kind];
  const entries = Array.from({ length: rows }, () => Array.from({ length: n }, entry as () => number));
  const largest = Math.max(...entries.map((row) => row.reduce((sum, value) => sum + value, 0)));
  return { entries, denominator: Math.max(1, largest) };
}

/** A mean of all, one row alone, weights of either sign within 2^30, or beyond it. */
function weightsOf(n: number, draw: (most: number) => number): number[] {
  const kind = draw(4);
  if (kind === 0) return Array.from({ length: n }, () => Math.floor(2 ** 30 / n));
  if (kind === 1) {
    const alone = draw(n);
    return Array.from({ length: n }, (_, i) => (i === alone ? 2 ** 30 : 0));
  }
  const most = Math.floor(2 ** (kind === 2 ? 30 : 38) / n);
  return Array.from({ length: n }, () => (draw(2) === 0 ? -1 : 1) * Math.floor((draw(2 ** 20) / 2 ** 20) * most));
}
