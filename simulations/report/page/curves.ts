import type { ResultLine } from '../../experiment/experiment.ts';
import type { CurvePoint } from '../../experiment/run-result.ts';
import type { CellRuns } from '../cells.ts';
import { spreadOf } from '../statistics.ts';

/** A point of a cell's curve: means over its runs at one tested round. */
export interface BandPoint {
  /** Where it stands along the horizontal axis. */
  readonly x: number;
  /** Mean. */
  readonly y: number;
  /** Mean less the sample standard deviation; the mean where there is one run. */
  readonly low: number;
  /** Mean and the sample standard deviation. */
  readonly high: number;
}

/** Where a run stopped that did not finish. */
export interface Break {
  /** Horizontal place of its last tested round. */
  readonly x: number;
  /** Value at its last tested round. */
  readonly y: number;
}

/** What a chart shows of the tested rounds of a run: null where there is nothing to show. */
export type Reading = (point: CurvePoint, run: ResultLine, index: number) => number | null;

/** Horizontal axes. */
export const ALONG = {
  round: (point) => point.round,
  megabytes: (point) => (point.bytesUp + point.bytesDown) / 1e6,
  seconds: (point) => point.seconds,
} as const satisfies Record<string, Reading>;

/** Accuracy in percent. */
export const accuracy: Reading = (point) => 100 * point.accuracy;

/** Share of triggered examples that go to the attacker's class, in percent. */
export const backdoor: Reading = (point) => (point.backdoor === undefined ? null : 100 * point.backdoor);

/** Share of the weight that the attackers were given, in percent; runs may have a value for round 0 or begin with round 1. */
export const byzantineWeight: Reading = (_, { result }, index) => {
  const value = result.byzantineWeight[index - (result.curve.length - result.byzantineWeight.length)];
  return typeof value === 'number' ? 100 * value : null;
};

/**
 * Mean and deviation over the runs of a cell that finished, at no more than `most` of the rounds that were tested, evenly
 * chosen, the first and the last among them.
 */
export function bandOf(cell: CellRuns, along: Reading, reading: Reading, most: number): BandPoint[] {
  const tested = Math.max(0, ...cell.finished.map(({ result }) => result.curve.length));
  return spaced(tested, most).flatMap((index): BandPoint[] => {
    const pairs = cell.finished.flatMap((run): [number, number][] => {
      const point = run.result.curve[index];
      if (point === undefined) return [];
      const x = along(point, run, index);
      const y = reading(point, run, index);
      return x === null || y === null ? [] : [[x, y]];
    });
    const x = spreadOf(pairs.map(([value]) => value)).mean;
    const { mean, sd } = spreadOf(pairs.map(([, value]) => value));
    return x === null || mean === null ? [] : [{ x, y: mean, low: mean - (sd ?? 0), high: mean + (sd ?? 0) }];
  });
}

/** Where the runs of a cell broke off that diverged or failed. */
export function breaksOf(cell: CellRuns, along: Reading, reading: Reading): Break[] {
  return cell.runs.flatMap((run): Break[] => {
    const index = run.result.curve.length - 1;
    const point = run.result.curve[index];
    if (run.result.outcome === 'finished' || point === undefined) return [];
    const x = along(point, run, index);
    const y = reading(point, run, index);
    return x === null || y === null ? [] : [{ x, y }];
  });
}

/** At most `most` of the places 0 to `count - 1`, evenly, the first and the last among them. */
function spaced(count: number, most: number): number[] {
  if (count <= most) return Array.from({ length: count }, (_, index) => index);
  return Array.from({ length: most }, (_, index) => Math.round((index * (count - 1)) / (most - 1)));
}
