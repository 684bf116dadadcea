import { createRng } from '../../../shared/rng.ts';
import type { GradientTask, Learner } from '../../models/learner.ts';
import { planModel } from '../../models/model-plan.ts';
import { layersOf } from '../../models/model-spec.ts';
import { openLearner } from '../../models/open-learner.ts';
import { stepOperations } from '../../models/operations.ts';
import type { BenchReport, Progress } from '../report.ts';
import { measureKernels } from './kernel-rates.ts';
import { learnerReport, type StepTimes } from './learner-report.ts';
import { CLASSES, noise, WORKLOADS, type Workload } from './workloads.ts';

/** What `bench learner` is asked. */
export interface LearnerBenchOptions {
  /** Threads, at most; every step is measured on one, too. */
  readonly threads: number;
  /** Repeats of each measurement after some that only warm up. */
  readonly repeats: number;
  /** Which workloads: those whose names begin so; all if absent. */
  readonly only?: string;
}

const EXAMPLES = 2000;
const TESTED = 10_000;
const KERNEL_REPEATS = 40;
const WARM_UPS = 20;
const WARM_UP_MS = 1000;
/** Slow steps are repeated less often than asked for: no repeat begins after so long. */
const MOST_MS = 20_000;

/**
 * Measures the simulations' own learners: the kernels against what the machine can do, steps of the published experiments,
 * tests, and what computing many clients together saves.
 */
export async function benchLearner(options: LearnerBenchOptions, progress: Progress): Promise<BenchReport> {
  progress('kernels');
  const rates = measureKernels(KERNEL_REPEATS * options.repeats);
  const steps: StepTimes[] = [];
  for (const workload of WORKLOADS.filter(({ name }) => name.startsWith(options.only ?? ''))) {
    for (const threads of new Set([1, options.threads])) {
      progress(`${workload.name}, ${threads} threads`);
      steps.push(await measureSteps(workload, threads, options.repeats));
    }
  }
  return learnerReport({ ...options }, rates, steps);
}

async function measureSteps(workload: Workload, threads: number, repeats: number): Promise<StepTimes> {
  const { name, model, shape, clients, batch } = workload;
  const features = shape.reduce((product, extent) => product * extent, 1);
  const train = noise(EXAMPLES, features);
  const learner = await openLearner(model, { shape, classes: CLASSES }, threads);
  try {
    const common = tasksOf(learner, workload, 1);
    const own = tasksOf(learner, workload, clients);
    const rng = createRng(2, 'bench learner');
    const together = (tasks: readonly GradientTask[]) => async (): Promise<void> => {
      await learner.gradients(train, tasks, rng);
    };
    const oneByOne = (tasks: readonly GradientTask[]) => async (): Promise<void> => {
      for (const task of tasks) await learner.gradients(train, [task], rng);
    };
    const [step, ownStep, apart, ownApart] = await measure(
      [together(common), together(own), oneByOne(common), oneByOne(own)],
      repeats,
    );
    const tested = noise(TESTED, features);
    const { weights } = common[0] as GradientTask;
    const [test] = await measure([async () => void (await learner.evaluate(tested, weights))], Math.min(3, repeats));
    const operations = stepOperations(planModel(layersOf(model), shape, CLASSES)) * clients * batch;
    return {
      ...{ name, threads, clients, batch, parameters: learner.parameters, operations },
      ...{ stepMs: step.ms, stepProcessorMs: step.processorMs, ownMs: ownStep.ms },
      ...{ commonApartMs: apart.ms, ownApartMs: ownApart.ms, testMs: test.ms },
    };
  } finally {
    await learner.close();
  }
}

/** Batches at so many models, in vectors of the learner's own, as a run has them. */
function tasksOf(learner: Learner, { clients, batch }: Workload, models: number): GradientTask[] {
  const rng = createRng(1, 'bench learner/tasks');
  const weights = learner.vectors(models);
  for (const vector of weights) vector.set(learner.initial(rng));
  const gradients = learner.vectors(clients);
  return gradients.map((gradient, at) => ({
    weights: weights[at % models] as Float32Array,
    batch: Int32Array.from({ length: batch }, () => rng.below(EXAMPLES)),
    gradient,
  }));
}

interface Times {
  /** What passed, milliseconds. */
  readonly ms: number[];
  /** Processor time of all threads, milliseconds: what else runs on the machine counts less. */
  readonly processorMs: number[];
}

/** Times of each, by turns: what else runs on the machine then disturbs all alike. */
async function measure<const Works extends readonly (() => Promise<void>)[]>(
  works: Works,
  repeats: number,
): Promise<{ [At in keyof Works]: Times }> {
  const times = works.map((): Times => ({ ms: [], processorMs: [] }));
  // The slower a step, the less there is to warm up.
  const startedAt = performance.now();
  for (let warmUp = 0; warmUp < WARM_UPS && performance.now() - startedAt < WARM_UP_MS; warmUp++) {
    for (const work of works) await work();
  }
  for (let repeat = 0; repeat < repeats && (repeat === 0 || performance.now() - startedAt < MOST_MS); repeat++) {
    for (const [at, work] of works.entries()) {
      const usedBefore = process.cpuUsage();
      const from = performance.now();
      await work();
      times[at]?.ms.push(performance.now() - from);
      const { user, system } = process.cpuUsage(usedBefore);
      times[at]?.processorMs.push((user + system) / 1000);
    }
  }
  return times as { [At in keyof Works]: Times };
}
