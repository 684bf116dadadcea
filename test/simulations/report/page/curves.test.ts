import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CellRuns, cellsOf } from '../../../../simulations/report/cells.ts';
import { ALONG, accuracy, bandOf, breaksOf, byzantineWeight } from '../../../../simulations/report/page/curves.ts';
import { sampleExperiment } from '../sample-experiment.ts';

function cellsWith(tested: number): CellRuns[] {
  const { experiment, lines } = sampleExperiment({ rules: ['Average'], attacks: ['none', 'IPM'], tested });
  return cellsOf(experiment, lines);
}

describe('the curve of a cell', () => {
  it('is mean and deviation of its runs at each tested round', () => {
    const [cell] = cellsWith(5) as [CellRuns];
    const values = cell.finished.map(({ result }) => 100 * (result.curve[2]?.accuracy as number));
    const mean = values.reduce((sum, value) => sum + value, 0) / 3;
    const sd = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 2);
    const { x, y, low, high } = bandOf(cell, ALONG.round, accuracy, 100)[2] as ReturnType<typeof bandOf>[0];
    expect([x, y, low, high]).toEqual([150, ...[mean, mean - sd, mean + sd].map((one) => expect.closeTo(one, 9))]);
  });

  it('has few points, evenly chosen, the first and the last among them', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 120 }), fc.integer({ min: 2, max: 40 }), (tested, most) => {
        const [cell] = cellsWith(tested) as [CellRuns];
        const rounds = bandOf(cell, ALONG.round, accuracy, most).map(({ x }) => x);
        expect(rounds).toHaveLength(Math.min(tested, most));
        expect([rounds[0], rounds.at(-1)]).toEqual([0, 300]);
        const all = new Set(cell.finished[0]?.result.curve.map(({ round }) => round));
        expect(rounds.filter((round) => !all.has(round))).toEqual([]);
        expect(new Set(rounds).size).toBe(rounds.length);
      }),
      { numRuns: 30 },
    );
  });

  it('leaves out a run that diverged, and marks where it broke off', () => {
    const [, cell] = cellsWith(5) as [CellRuns, CellRuns];
    expect(cell.diverged).toBe(1);
    const broken = cell.runs.find(({ result }) => result.outcome === 'diverged')?.result.curve.at(-1);
    expect(breaksOf(cell, ALONG.round, accuracy)).toEqual([
      { x: broken?.round, y: 100 * (broken?.accuracy as number) },
    ]);
    const last = bandOf(cell, ALONG.round, accuracy, 100).at(-1);
    const ends = cell.finished.map(({ result }) => 100 * result.finalAccuracy);
    expect(ends).toHaveLength(2);
    expect(last?.y).toBeCloseTo(((ends[0] as number) + (ends[1] as number)) / 2, 9);
  });

  it('knows weights from round 1 on where round 0 has none', () => {
    const [cell] = cellsWith(5) as [CellRuns];
    const without = {
      ...cell,
      finished: cell.finished.map((run) => ({
        ...run,
        result: { ...run.result, byzantineWeight: [null, 0.1, 0.2, 0.3, 0.4].slice(1) },
      })),
    };
    expect(bandOf(without, ALONG.round, byzantineWeight, 100).map(({ x, y }) => [x, Math.round(y)])).toEqual([
      ...[
        [75, 10],
        [150, 20],
        [225, 30],
        [300, 40],
      ],
    ]);
  });
});
