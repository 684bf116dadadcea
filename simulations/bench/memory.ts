import { mkdir, open, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { AggregationEngine, FileRows } from '../../shared/aggregation/engine.ts';
import { trimmedMean } from '../../shared/aggregation/rules/trimmed-mean.ts';
import { updateSource } from './aggregation-input.ts';
import { BenchError } from './bench-error.ts';
import type { BenchReport, Progress } from './report.ts';
import { inFolder } from './stage.ts';
import { milliseconds, renderTable } from './table.ts';

/** What `bench memory` is run with. */
export interface MemoryBenchOptions {
  /** Updates. */
  readonly n: number;
  /** Coordinates of each. */
  readonly d: number;
}

/** What was measured. */
interface MemoryUse {
  readonly wholeMs: number;
  readonly bytes: number;
  /** Resident before the engine was used, at most. */
  readonly beforeBytes: number;
  /** Resident at most, ever. */
  readonly peakBytes: number;
}

const SEED = 1;
/** Coordinates that are made at a time. */
const MADE = 2 ** 20;
/** The bar of 100 updates of 10^7 coordinates. */
const BAR_BYTES = 512 * 2 ** 20;

/**
 * Aggregates updates from files and tells the largest resident memory of the whole process: everything a round makes of
 * its updates, in one walk by the trimmed mean.
 *
 * @throws BenchError `bench/disk-full` when the temporary folder has too little room
 */
export async function benchMemory(
  engine: AggregationEngine,
  { n, d }: MemoryBenchOptions,
  progress: Progress,
): Promise<BenchReport> {
  const f = Math.floor(n / 5);
  const use = await inFolder(async (folder) => {
    const rows = await writeUpdates(folder, n, d, f, progress);
    const beforeBytes = peakResident();
    const start = performance.now();
    const reduction = { rule: trimmedMean, f, mixing: null };
    await engine.pass(rows, { gram: true, matrixRoot: true, aggregate: reduction, products: true });
    return { wholeMs: performance.now() - start, bytes: 2 * n * d, beforeBytes, peakBytes: peakResident() };
  });
  return memoryReport({ n, d, threads: engine.threads }, use);
}

async function writeUpdates(folder: string, n: number, d: number, f: number, progress: Progress): Promise<FileRows> {
  await mkdir(folder, { recursive: true });
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  if (free < 2 * n * d * 1.1) {
    const sentence = `${folder} has ${gigabytes(free)} free and the updates take ${gigabytes(2 * n * d)}: set TMPDIR`;
    throw new BenchError('bench/disk-full', sentence, { free, needed: 2 * n * d });
  }
  progress(`writing ${gigabytes(2 * n * d)} of updates`);
  const source = updateSource(n, f, SEED);
  const values = new Int16Array(Math.min(MADE, d));
  const paths: string[] = [];
  for (let row = 0; row < n; row += 1) {
    const path = join(folder, `${row}.update`);
    await using file = await open(path, 'w');
    for (let from = 0; from < d; from += MADE) {
      const stretch = values.subarray(0, Math.min(MADE, d - from));
      source.fill(row, from, stretch);
      await file.write(new Uint8Array(stretch.buffer, 0, stretch.byteLength));
    }
    paths.push(path);
  }
  return { place: 'files', paths, dimension: d };
}

function memoryReport(
  options: MemoryBenchOptions & { threads: number },
  { wholeMs, bytes, beforeBytes, peakBytes }: MemoryUse,
): BenchReport {
  const { n, d, threads } = options;
  const rate = bytes / wholeMs / 1e6;
  const table = renderTable(
    ['n', 'd', 'updates', 'before', 'peak', 'one walk', 'GB/s'],
    [
      [
        String(n),
        String(d),
        gigabytes(bytes),
        megabytes(beforeBytes),
        megabytes(peakBytes),
        milliseconds(wholeMs),
        rate.toFixed(2),
      ],
    ],
  );
  const text = [
    table,
    '',
    'peak      largest resident memory of the process: aggregate (4 bytes a coordinate), threads, everything',
    'one walk  inner products, matrix tree, trimmed mean and its products, from files',
    `bar       100 updates of 10^7 coordinates in ${megabytes(BAR_BYTES)}`,
  ].join('\n');
  return { text, document: { n, d, threads, wholeMs, bytes, beforeBytes, peakBytes } };
}

/** Bytes; the system counts in KiB. */
function peakResident(): number {
  return process.resourceUsage().maxRSS * 1024;
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MiB`;
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(2)} GB`;
}
