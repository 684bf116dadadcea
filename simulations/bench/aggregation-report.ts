import type { BenchReport } from './report.ts';
import { milliseconds, multiple, renderTable } from './table.ts';

/** What one rule or pipeline took, from updates in memory to the aggregate. */
export interface RuleTimes {
  /** Its name: pre-aggregators first, such as `NNM+TrMean`. */
  readonly name: string;
  /** Its family: what looks at coordinates, or at inner products. */
  readonly family: string;
  /** The median of the repeats. */
  readonly medianMs: number;
  /** The fastest. */
  readonly minMs: number;
  /** The slowest. */
  readonly maxMs: number;
}

/** What was measured at one size. */
export interface AggregationTimes {
  /** Updates. */
  readonly n: number;
  /** Coordinates. */
  readonly d: number;
  /** Faulty updates. */
  readonly f: number;
  /** Threads. */
  readonly threads: number;
  /** Reading all updates once in the same threads and doing nothing with them. */
  readonly readOnceMs: number;
  /** Every rule. */
  readonly rules: readonly RuleTimes[];
}

/** What a rule took at one size of the curve. */
export interface CurvePoint {
  /** The rule. */
  readonly name: string;
  /** Updates. */
  readonly n: number;
  /** Coordinates. */
  readonly d: number;
  /** Faulty updates. */
  readonly f: number;
  /** The median of the repeats. */
  readonly medianMs: number;
}

/** The report of `bench aggregation`. */
export function aggregationReport(times: AggregationTimes, curve: readonly CurvePoint[]): BenchReport {
  const { n, d, f, threads, readOnceMs, rules } = times;
  const table = renderTable(
    ['rule', 'family', 'median', 'fastest', 'slowest', 'reads', 'values/s'],
    rules.map(({ name, family, medianMs, minMs, maxMs }) => [
      name,
      family,
      milliseconds(medianMs),
      milliseconds(minMs),
      milliseconds(maxMs),
      multiple(medianMs / readOnceMs),
      `${((n * d) / medianMs / 1e6).toFixed(2)} G`,
    ]),
  );
  const text = [
    `n = ${n} updates of d = ${d} coordinates, f = ${f}, ${threads} threads`,
    '',
    table,
    ...(curve.length === 0 ? [] : ['', curveTable(curve)]),
    '',
    `reads     the median over reading the updates once in the same threads, ${milliseconds(readOnceMs)}`,
    'values/s  coordinates of updates aggregated in a second',
  ].join('\n');
  return { text, document: { ...times, ...(curve.length > 0 && { curve }) } };
}

/** Cost by a coordinate of an update: constant in d, and in n as the family of the rule has it. */
function curveTable(curve: readonly CurvePoint[]): string {
  return renderTable(
    ['curve', 'n', 'd', 'median', 'ns a value'],
    curve.map(({ name, n, d, medianMs }) => [
      name,
      String(n),
      String(d),
      milliseconds(medianMs),
      ((medianMs * 1e6) / (n * d)).toFixed(3),
    ]),
  );
}
