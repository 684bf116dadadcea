import type { LoadOptions } from './options.ts';
import type { BenchReport } from './report.ts';
import { quantile } from './statistics.ts';
import { milliseconds, percentage, renderTable } from './table.ts';
import type { CoordinatorUsage } from './workers/coordinator-worker.ts';
import type { CrowdTimes } from './workers/crowd-worker.ts';

/** One phase under load. */
export interface LoadPhase {
  /** What happened in it. */
  readonly name: string;
  /** How long it took, in milliseconds. */
  readonly wallMs: number;
  /** What the coordinator used in it. */
  readonly usage: CoordinatorUsage;
}

/** The report of `bench load`. */
export function loadReport(
  options: LoadOptions,
  idle: CoordinatorUsage,
  phases: readonly [storm: LoadPhase, round: LoadPhase],
  crowds: readonly CrowdTimes[],
): BenchReport {
  const all = (pick: (crowd: CrowdTimes) => readonly number[]): number[] => crowds.flatMap(pick);
  const [storm] = phases;
  const startedAt = Math.min(...crowds.map((crowd) => crowd.startedAt));
  // The one that joins last does so when the round is to begin.
  const joined = all(({ joinedAt }) => joinedAt)
    .sort((a, b) => a - b)
    .slice(0, -1);
  const opened = all(({ openedAt }) => openedAt);
  const roundFrom = Math.min(...opened);
  const receipts = all(({ receiptAt }) => receiptAt);
  const closed = all(({ closedAt }) => closedAt);
  const memoryBytes = (storm.usage.rssBytes - idle.rssBytes) / options.clients;
  const spread = (times: readonly number[], from: number): string[] =>
    [0.5, 0.99, 1].map((fraction) => milliseconds(quantile(times, fraction) - from));
  const results = {
    clients: options.clients,
    asked: receipts.length,
    stormMs: Math.max(...joined) - startedAt,
    joinsPerSecond: joined.length / ((Math.max(...joined) - startedAt) / 1000),
    roundMs: Math.max(...closed) - roundFrom,
    collectionMs: Math.max(...receipts) - roundFrom,
    bytesPerClient: memoryBytes,
    noticesPerClient: crowds.reduce((sum, { notices }) => sum + notices, 0) / options.clients,
    losses: crowds.reduce((sum, { losses }) => sum + losses, 0),
  };
  const text = [
    renderTable(
      ['each client', 'half of them', '99 of 100', 'all'],
      [
        ['from the start: joined', ...spread(joined, startedAt)],
        ['from the first notice: sees the round open', ...spread(opened, roundFrom)],
        ['from the first notice: has its receipt', ...spread(receipts, roundFrom)],
        ['from the first notice: sees the next model', ...spread(closed, roundFrom)],
      ],
    ),
    '',
    renderTable(
      ['the coordinator', 'took', 'one core busy', 'loop delay p50', 'p99', 'longest', 'memory'],
      phases.map(({ name, wallMs, usage }) => [
        name,
        milliseconds(wallMs),
        percentage(usage.cpuMs / wallMs),
        milliseconds(usage.loopDelayP50Ms),
        milliseconds(usage.loopDelayP99Ms),
        milliseconds(usage.loopDelayMaxMs),
        `${(usage.rssBytes / 2 ** 20).toFixed(0)} MiB`,
      ]),
    ),
    '',
    `memory    ${(memoryBytes / 1024).toFixed(0)} KiB of the coordinator's resident memory a connected client, over ` +
      `${(idle.rssBytes / 2 ** 20).toFixed(0)} MiB without any`,
    `notices   ${results.noticesPerClient.toFixed(1)} a client from its join to the next model`,
    `joins     ${results.joinsPerSecond.toFixed(0)} a second: connected, session signed and verified, logged durably`,
    `lost      ${results.losses} connections`,
    ...phases.flatMap(({ name, usage }) => usage.complaints.map((complaint) => `logged    in "${name}": ${complaint}`)),
  ].join('\n');
  const kept = phases.map(({ name, wallMs, usage }) => ({ name, wallMs, usage }));
  return { text, document: { options, results, idle, phases: kept } };
}
