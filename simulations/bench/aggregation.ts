import type { MeasurableEngine, UpdateRows } from '../../shared/aggregation/engine.ts';
import { gramFor } from '../../shared/aggregation/gram-for.ts';
import { compilePipeline, planPipeline } from '../../shared/aggregation/pipeline.ts';
import { quantizeWeights } from '../../shared/aggregation/quantize-weights.ts';
import { parseRuleSpec, type RuleSpec } from '../../shared/aggregation/registry.ts';
import { exactScalar } from '../../shared/aggregation/scalar.ts';
import { FedanchorError } from '../../shared/errors.ts';
import { fillRows, updateSource } from './aggregation-input.ts';
import { aggregationReport, type CurvePoint, type RuleTimes } from './aggregation-report.ts';
import type { BenchReport, Progress } from './report.ts';
import { median } from './statistics.ts';

/** What `bench aggregation` is run with. */
export interface AggregationBenchOptions {
  /** Updates. */
  readonly n: number;
  /** Coordinates of each. */
  readonly d: number;
  /** Faulty updates among them. */
  readonly f: number;
  /** Repeats after warming up, of which the median counts. */
  readonly repeats: number;
  /** Whether to measure how the cost grows with n and d, too. */
  readonly curve: boolean;
}

/** Rules and pipelines, in the order they are reported. */
const SPECS = [
  'Average',
  'Median',
  'TrMean',
  'Meamed',
  'Phocas',
  'SignMajority',
  'Krum',
  'MultiKrum',
  'GeometricMedian',
  'CenteredClipping',
  'MoNNA',
  'CAF',
  'CGE',
  'DnC',
  'Bulyan',
  'NNM+Median',
  'NNM+TrMean',
  'NNM+Meamed',
  'NNM+Krum',
  'NNM+MultiKrum',
  'NNM+GeometricMedian',
  'NNM+CenteredClipping',
  'NNM+CAF',
  'Bucketing+TrMean',
  'Clipping+TrMean',
  'ARC+TrMean',
];

/** Repeats that are thrown away first: kernels are compiled better while they run. */
const WARM_UPS = 3;
/** Units of the made updates: what tau and other lengths are compared with. */
const UPDATE_BITS = 13;
const SEED = 1;

const CURVE_ROWS = [10, 20, 50, 100];
const CURVE_DIMENSIONS = [100_000, 300_000, 1_000_000];
const CURVE_SPECS = ['Average', 'TrMean', 'MultiKrum'];

/** Measures every rule on updates in memory, as one call from updates to aggregate, in turn with reading them once. */
export async function benchAggregation(
  engine: MeasurableEngine,
  options: AggregationBenchOptions,
  progress: Progress,
): Promise<BenchReport> {
  const { n, d, f, repeats } = options;
  const rows = madeRows(engine, n, d, f);
  const readOnce = await measure(() => engine.readOnce(rows), repeats);
  const gram = await measure(() => engine.gram(rows), repeats);
  const rules: RuleTimes[] = [{ name: 'Gram', family: 'gram', ...gram }];
  for (const name of SPECS) {
    const spec = specFor(name, n, f);
    if (spec === null) {
      progress(`${name} is left out: it refuses n = ${n} with f = ${f}`);
      continue;
    }
    const times = await measure(() => aggregateBy(engine, rows, n, spec), repeats);
    rules.push({ name, family: familyOf(spec, n), ...times });
    progress(`${name}: ${times.medianMs.toFixed(1)} ms`);
  }
  const curve = options.curve ? await measureCurve(engine, repeats, progress) : [];
  // Once more at the end: the machine may have been busier at the beginning.
  const readAgain = await measure(() => engine.readOnce(rows), repeats);
  const readOnceMs = Math.min(readOnce.medianMs, readAgain.medianMs);
  return aggregationReport({ n, d, f, threads: engine.threads, readOnceMs, rules }, curve);
}

async function measureCurve(engine: MeasurableEngine, repeats: number, progress: Progress): Promise<CurvePoint[]> {
  const points: CurvePoint[] = [];
  for (const n of CURVE_ROWS) {
    for (const d of CURVE_DIMENSIONS) {
      const f = Math.floor(n / 5);
      const rows = madeRows(engine, n, d, f);
      for (const name of CURVE_SPECS) {
        const spec = specFor(name, n, f);
        if (spec === null) continue;
        const { medianMs } = await measure(() => aggregateBy(engine, rows, n, spec), repeats);
        points.push({ name, n, d, f, medianMs });
      }
      progress(`curve: n = ${n}, d = ${d}`);
    }
  }
  return points;
}

function madeRows(engine: MeasurableEngine, n: number, d: number, f: number): UpdateRows {
  const rows = engine.allocate(n, d);
  fillRows(rows, updateSource(n, f, SEED));
  return rows;
}

/** The rule with as many faulty updates as asked for, the mean with none; null where it refuses them. */
function specFor(name: string, n: number, f: number): RuleSpec | null {
  const spec = parseRuleSpec(`${name}:f=${name === 'Average' ? 0 : f}`);
  try {
    compilePipeline(spec, n, true);
    return spec;
  } catch (error) {
    if (error instanceof FedanchorError) return null;
    throw error;
  }
}

function familyOf(spec: RuleSpec, n: number): string {
  const { rule } = compilePipeline(spec, n, true);
  return rule.family;
}

async function aggregateBy(engine: MeasurableEngine, rows: UpdateRows, n: number, spec: RuleSpec): Promise<Int32Array> {
  const pipeline = compilePipeline(spec, n, true);
  const gram = await gramFor(engine, pipeline, rows);
  const samples = new Array<number>(n).fill(1);
  const plan = planPipeline(pipeline, () => gram, samples, exactScalar, { updateBits: UPDATE_BITS, seed: SEED });
  return plan.kind === 'reduce' ? engine.reduce(rows, plan) : engine.combine(rows, quantizeWeights(plan));
}

async function measure(run: () => Promise<unknown>, repeats: number): Promise<Omit<RuleTimes, 'name' | 'family'>> {
  const times: number[] = [];
  for (let repeat = -WARM_UPS; repeat < repeats; repeat += 1) {
    const start = performance.now();
    await run();
    if (repeat >= 0) times.push(performance.now() - start);
  }
  return { medianMs: median(times), minMs: Math.min(...times), maxMs: Math.max(...times) };
}
