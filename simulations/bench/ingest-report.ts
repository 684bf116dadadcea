import type { MachineLimits } from './limits.ts';
import type { IngestOptions } from './options.ts';
import type { BenchReport } from './report.ts';
import { median } from './statistics.ts';
import { megabytes, percentage, renderTable } from './table.ts';

/** Verified uploads should reach this part of a bare server's throughput. */
const TARGET = 0.6;

/** What was measured with one number of clients, every repeat. */
export interface IngestRow {
  /** Clients at the same time. */
  readonly clients: number;
  /** Bytes of a repeat. */
  bytes: number;
  /** Bare server, in milliseconds. */
  readonly bareMs: number[];
  /** Coordinator: offers and parts, in milliseconds. */
  readonly uploadMs: number[];
  /** Coordinator: submissions after that, in milliseconds. */
  readonly submitMs: number[];
}

/** What follows from one row. */
function resultOf({ clients, bytes, bareMs, uploadMs, submitMs }: IngestRow, limits: MachineLimits) {
  const rate = (ms: number): number => (bytes / ms) * 1000;
  const bare = rate(median(bareMs));
  const verified = rate(median(uploadMs));
  const receipted = rate(median(uploadMs.map((ms, at) => ms + (submitMs[at] as number))));
  const ratio = median(uploadMs.map((ms, at) => (bareMs[at] as number) / ms));
  // A server of one thread that also hashes what it takes cannot need less than both together.
  const bound = limits.treeBytesPerSecond / (limits.treeBytesPerSecond + bare);
  return { clients, bare, verified, receipted, ratio, receiptedRatio: receipted / bare, bound };
}

/** The report of `bench ingest`. */
export function ingestReport(options: IngestOptions, limits: MachineLimits, rows: readonly IngestRow[]): BenchReport {
  const results = rows.map((row) => resultOf(row, limits));
  const table = renderTable(
    ['clients', 'bare PUT', 'verified', 'ratio', 'bound', 'with receipt', 'ratio'],
    results.map(({ clients, bare, verified, receipted, ratio, receiptedRatio, bound }) => [
      String(clients),
      megabytes(bare),
      megabytes(verified),
      percentage(ratio),
      percentage(bound),
      megabytes(receipted),
      percentage(receiptedRatio),
    ]),
  );
  const least = Math.min(...results.map(({ ratio }) => ratio));
  const text = [
    table,
    '',
    'ratio     verified uploads (offer, parts hashed against their roots, written) to PUTs of the same bodies on a bare',
    '          node:http server: the median of its repeats, each of which measures one after the other',
    'bound     the ratio of a bare server that also hashes what it takes, on the same thread and nothing else',
    'receipt   up to the signed receipt: the whole update checked again, stored, synced to disk, logged',
    `limits    hashing a tree ${megabytes(limits.treeBytesPerSecond)} on one core; writing and syncing one file ` +
      megabytes(limits.durableWriteBytesPerSecond),
    `target    at least ${percentage(TARGET)}: ${least >= TARGET ? 'met' : `missed with ${percentage(least)}`}`,
  ].join('\n');
  return { text, document: { options, limits, target: TARGET, results, repeats: rows } };
}
