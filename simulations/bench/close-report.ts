import type { KernelTimes } from './kernel.ts';
import type { MachineLimits } from './limits.ts';
import type { CloseOptions } from './options.ts';
import type { BenchReport } from './report.ts';
import { median } from './statistics.ts';
import { megabytes, milliseconds, multiple, renderTable } from './table.ts';

/** The next model should be stored within this multiple of the round function's own time. */
const TARGET = 1.5;

/** Where the time of one closing went, in milliseconds since the last submission was sent. */
export interface ClosingTimes {
  /** The receipt came. */
  readonly acceptedMs: number;
  /** The next model was stored, its record logged. */
  readonly storedMs: number;
  /** Its record was on chain and the model announced. */
  readonly anchoredMs: number;
  /** It was downloaded. */
  readonly fetchedMs: number;
  /** By the coordinator's own clock: reading, round function, storing. */
  readonly closeMs: number;
  /** By the coordinator's own clock: the round function. */
  readonly aggregationMs: number;
}

/** What was measured with one number of participants and one size of model, every round. */
export interface CloseRow {
  /** Participants. */
  readonly n: number;
  /** Parameters. */
  readonly d: number;
  /** Closings. */
  readonly closings: ClosingTimes[];
  /** The round function alone, on the same updates. */
  readonly kernels: KernelTimes[];
}

function resultOf({ n, d, closings, kernels }: CloseRow) {
  const middle = <T>(list: readonly T[], pick: (item: T) => number): number => median(list.map(pick));
  const kernelMs = middle(kernels, ({ totalMs }) => totalMs);
  const pairs = closings.map((closing, at) => ({ closing, kernel: kernels[at] as KernelTimes }));
  return {
    n,
    d,
    kernelMs,
    storedMs: middle(closings, ({ storedMs }) => storedMs),
    ratio: middle(pairs, ({ closing, kernel }) => closing.storedMs / kernel.totalMs),
    anchoredMs: middle(closings, ({ anchoredMs }) => anchoredMs),
    anchoredRatio: middle(pairs, ({ closing, kernel }) => closing.anchoredMs / kernel.totalMs),
    // The phases that follow one another on the way to the stored model.
    gateMs: middle(closings, ({ storedMs, closeMs }) => storedMs - closeMs),
    roundFunctionMs: middle(closings, ({ aggregationMs }) => aggregationMs),
    readAndStoreMs: middle(closings, ({ closeMs, aggregationMs }) => closeMs - aggregationMs),
    anchorMs: middle(closings, ({ anchoredMs, storedMs }) => anchoredMs - storedMs),
    downloadMs: middle(closings, ({ fetchedMs, anchoredMs }) => fetchedMs - anchoredMs),
    ruleMs: middle(kernels, ({ ruleMs }) => ruleMs),
    gramMs: middle(kernels, ({ gramMs }) => gramMs),
    matrixTreeMs: middle(kernels, ({ matrixTreeMs }) => matrixTreeMs),
    blockTreesMs: middle(kernels, ({ blockTreesMs }) => blockTreesMs),
  };
}

/** The report of `bench close`. */
export function closeReport(options: CloseOptions, limits: MachineLimits, rows: readonly CloseRow[]): BenchReport {
  const results = rows.map(resultOf);
  const titled = (result: { readonly n: number; readonly d: number }): string => `n = ${result.n}, d = ${result.d}`;
  const ratios = renderTable(
    ['', 'round function', 'to stored', 'ratio', 'to announced', 'ratio'],
    results.map((result) => [
      titled(result),
      milliseconds(result.kernelMs),
      milliseconds(result.storedMs),
      multiple(result.ratio),
      milliseconds(result.anchoredMs),
      multiple(result.anchoredRatio),
    ]),
  );
  const phases = renderTable(
    ['phases', 'gate and log', 'read, verify, store', 'round function', 'chain', 'download'],
    results.map((result) => [
      titled(result),
      ...[result.gateMs, result.readAndStoreMs, result.roundFunctionMs, result.anchorMs, result.downloadMs].map(
        milliseconds,
      ),
    ]),
  );
  const parts = renderTable(
    ['round function', 'all walks', 'inner products', 'matrix tree', 'model and aggregate trees', 'matrix hashed at'],
    results.map((result) => [
      titled(result),
      ...[result.ruleMs, result.gramMs, result.matrixTreeMs, result.blockTreesMs].map(milliseconds),
      megabytes(((result.n * result.d * 2) / result.matrixTreeMs) * 1000),
    ]),
  );
  const most = Math.max(...results.map(({ ratio }) => ratio));
  const text = [
    ratios,
    '',
    phases,
    '',
    parts,
    '',
    'ratio     from the last byte of the last update being there to the next model being stored (or announced, which',
    '          waits for the chain), to the round function alone on the same updates in this process: medians over the',
    '          rounds of the two taken one after the other',
    `limits    hashing leaves of 4 KiB ${megabytes(limits.treeBytesPerSecond)} on one core; writing and syncing one ` +
      `file ${megabytes(limits.durableWriteBytesPerSecond)}`,
    `target    stored within ${multiple(TARGET)}: ${most <= TARGET ? 'met' : `missed with ${multiple(most)}`}`,
  ].join('\n');
  return { text, document: { options, limits, target: TARGET, results, rounds: rows } };
}
