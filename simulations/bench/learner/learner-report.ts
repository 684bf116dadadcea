import type { BenchReport } from '../report.ts';
import { median } from '../statistics.ts';
import { milliseconds, multiple, percentage, renderTable } from '../table.ts';
import type { KernelRates } from './kernel-rates.ts';

/** What the steps of one workload took, in milliseconds, every repeat. */
export interface StepTimes {
  /** The workload. */
  readonly name: string;
  /** Threads that computed. */
  readonly threads: number;
  /** Clients of a step. */
  readonly clients: number;
  /** Examples of a client. */
  readonly batch: number;
  /** Values of the model. */
  readonly parameters: number;
  /** Products and sums of a step. */
  readonly operations: number;
  /** All clients at one model, in one call. */
  readonly stepMs: readonly number[];
  /** The same in processor time of all threads. */
  readonly stepProcessorMs: readonly number[];
  /** Each client at its own model, in one call. */
  readonly ownMs: readonly number[];
  /** All clients at one model, a call each. */
  readonly commonApartMs: readonly number[];
  /** Each client at its own model, a call each. */
  readonly ownApartMs: readonly number[];
  /** Testing a model on 10,000 examples. */
  readonly testMs: readonly number[];
}

/** What E3's step may take on two threads. */
const BAR_MS = 3.5;

/** The report of `bench learner`. */
export function learnerReport(
  options: Readonly<Record<string, unknown>>,
  rates: KernelRates,
  steps: readonly StepTimes[],
): BenchReport {
  const results = steps.map((step) => ({
    ...step,
    stepMedianMs: median(step.stepMs),
    stepProcessorMedianMs: median(step.stepProcessorMs),
    stepFastestMs: Math.min(...step.stepMs),
    gigaOperations: step.operations / median(step.stepMs) / 1e6,
    testMedianMs: median(step.testMs),
    // Neighbours in time are compared: what else runs on the machine then disturbs both.
    commonFactor: ratio(step.commonApartMs, step.stepMs),
    ownFactor: ratio(step.ownApartMs, step.ownMs),
  }));
  const kernelTable = renderTable(
    ['kernel, one thread', 'G operations/s', 'of the peak'],
    [
      ['in registers', rates.peak.toFixed(1), percentage(1)],
      ['forward, 250 x 784 x 100', rates.forward.toFixed(1), percentage(rates.forward / rates.peak)],
      ['gradient, 784 x 25 x 100', rates.gradient.toFixed(1), percentage(rates.gradient / rates.peak)],
    ],
  );
  const stepTable = renderTable(
    ['step', 'threads', 'median', 'fastest', 'processor', 'G operations/s', '10,000 tested', 'one model', 'own models'],
    results.map((result) => [
      `${result.name}, ${result.clients} x ${result.batch}`,
      String(result.threads),
      milliseconds(result.stepMedianMs),
      milliseconds(result.stepFastestMs),
      milliseconds(result.stepProcessorMedianMs),
      result.gigaOperations.toFixed(1),
      milliseconds(result.testMedianMs),
      multiple(result.commonFactor),
      multiple(result.ownFactor),
    ]),
  );
  const barred = results.find(({ name, threads }) => name.startsWith('E3') && threads === 2);
  const verdict =
    barred && (barred.stepMedianMs <= BAR_MS ? 'met' : `missed with ${milliseconds(barred.stepMedianMs)}`);
  const text = [
    kernelTable,
    '',
    stepTable,
    '',
    'in registers  products and sums that never leave their registers: what one thread can do at most',
    'processor     processor time of all threads: what else runs on the machine counts less',
    'one model     a call for each client over one for all, all clients at one model: above 1, together is faster',
    'own models    the same with each client at its own model, as in local training',
    ...(verdict === undefined
      ? []
      : [`bar           E3's step within ${milliseconds(BAR_MS)} on two threads: ${verdict}`]),
  ].join('\n');
  return { text, document: { options, rates, barMs: BAR_MS, results } };
}

function ratio(apart: readonly number[], together: readonly number[]): number {
  return median(apart.map((ms, at) => ms / (together[at] as number)));
}
