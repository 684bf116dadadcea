import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { AggregationEngine } from '../../../shared/aggregation/engine.ts';
import { openDataset } from '../../data/open-dataset.ts';
import { runOne } from '../../engine/run-one.ts';
import { createStopwatch, RUN_PARTS, type RunPart } from '../../engine/stopwatch.ts';
import { openLearner } from '../../models/open-learner.ts';
import type { BenchReport, Progress } from '../report.ts';
import { median } from '../statistics.ts';
import { multiple, percentage, renderTable } from '../table.ts';
import { E3_RULES, type E3Rule, e3Run } from './e3.ts';

/** What is measured. */
export interface SimulationBenchOptions {
  /** Folder of Fashion-MNIST. */
  readonly data: string;
  /** Threads that a run computes with. */
  readonly threads: number;
  /** Rounds of a run. */
  readonly rounds: number;
  /** Runs of each kind, of which the median counts. */
  readonly repeats: number;
}

/** What the runs of one kind took, in milliseconds. */
interface Timed extends E3Rule {
  readonly commit: boolean;
  readonly accuracy: number;
  readonly totals: number[];
  readonly parts: Readonly<Record<RunPart, number>>[];
}

/**
 * Runs reference experiment E3 for each of its rules, and again with every round committed to, and says where the time goes.
 * Its table compares with what ByzFL took for as many rounds, on the machine of the reference.
 *
 * @param engine - of as many threads as the options say
 * @throws DatasetError if the data are not there
 */
export async function benchSimulation(
  options: SimulationBenchOptions,
  engine: AggregationEngine,
  progress: Progress,
): Promise<BenchReport> {
  const data = resolve(options.data);
  const specOf = (rule: string, commit: boolean) => e3Run(rule, { data, rounds: options.rounds, commit });
  const dataset = await openDataset(specOf('Average', false).data, '/');
  const learner = await openLearner(specOf('Average', false).model, dataset, options.threads);
  const folder = await mkdtemp(join(tmpdir(), 'fedanchor-bench-simulation-'));
  const timed: Timed[] = [];
  try {
    // What is compiled while it first runs belongs to no rule.
    const warm = { ...specOf('Average', false), rounds: 20, evaluateEvery: 20 };
    await runOne(warm, { dataset, learner, engine, folder, baseFolder: '/' });
    for (const commit of [false, true]) {
      for (const rule of E3_RULES) {
        progress(`${rule.rule}${commit ? ', committed to' : ''}`);
        const [totals, parts] = [[] as number[], [] as Record<RunPart, number>[]];
        let accuracy = 0;
        for (let repeat = 0; repeat < options.repeats; repeat++) {
          const stopwatch = createStopwatch(() => performance.now());
          const resources = { dataset, learner, engine, folder, baseFolder: '/' };
          accuracy = (await runOne(specOf(rule.rule, commit), resources, { stopwatch })).finalAccuracy;
          const read = stopwatch.read();
          parts.push(read);
          totals.push(Object.values(read).reduce((sum, one) => sum + one, 0));
        }
        timed.push({ ...rule, commit, accuracy, totals, parts });
      }
    }
  } finally {
    await learner.close();
    await rm(folder, { recursive: true });
  }
  return { text: textOf(timed, options), document: { options: { ...options, data: undefined }, runs: timed } };
}

/** Rounds of the reference's runs. */
const REFERENCE_ROUNDS = 300;

function textOf(timed: readonly Timed[], { threads, rounds }: SimulationBenchOptions): string {
  const rows = timed.map(({ rule, commit, referenceSeconds, accuracy, totals, parts }) => {
    const ms = median(totals);
    const share = (part: RunPart): string => percentage(median(parts.map((one) => one[part])) / ms);
    const faster = (referenceSeconds * 1000 * rounds) / REFERENCE_ROUNDS / ms;
    const name = commit ? `${rule}, committed` : rule;
    return [name, `${(ms / 1000).toFixed(2)} s`, multiple(faster), percentage(accuracy), ...RUN_PARTS.map(share)];
  });
  const head = ['rule', 'a run', 'reference / run', 'accuracy', ...RUN_PARTS];
  return [
    `E3 under sign flipping, ${rounds} rounds, ${threads} threads; the reference is ByzFL on one thread of its machine`,
    renderTable(head, rows),
  ].join('\n');
}
