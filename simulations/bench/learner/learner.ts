import { createRng } from '../../../shared/rng.ts';
import type { GradientTask, Learner } from '../../models/learner.ts';
import { planModel } from '../../models/model-plan.ts';
import { layersOf } from '../../models/model-spec.ts';
import { openLearner } from '../../models/open-learner.ts';
import type { BenchReport, Progress } from '../report.ts';
import { measureKernels } from './kernel-rates.ts';
import { learnerReport, type StepTimes } from './learner-report.ts';
import { CLASSES, noise, stepOperations, WORKLOADS, type Workload } from './workloads.ts';

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
const WARM_UPS = 3;

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
  return learnerReport(options, rates, steps);
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
    const [stepMs, ownMs, commonApartMs, ownApartMs] = await measure(
      [together(common), together(own), oneByOne(common), oneByOne(own)],
      repeats,
    );
    const tested = noise(TESTED, features);
    const { weights } = common[0] as GradientTask;
    const [testMs] = await measure([async () => void (await learner.evaluate(tested, weights))], Math.min(3, repeats));
    const operations = stepOperations(planModel(layersOf(model), shape, CLASSES)) * clients * batch;
    return {
      ...{ name, threads, clients, batch, parameters: learner.parameters, operations },
      ...{ stepMs: stepMs ?? [], ownMs: ownMs ?? [], commonApartMs: commonApartMs ?? [] },
      ...{ ownApartMs: ownApartMs ?? [], testMs: testMs ?? [] },
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

/** Times of each, milliseconds, by turns: what else runs on the machine then disturbs all alike. */
async function measure(works: readonly (() => Promise<void>)[], repeats: number): Promise<number[][]> {
  const times = works.map(() => [] as number[]);
  // The slower a step, the less there is to warm up.
  const startedAt = performance.now();
  for (let warmUp = 0; warmUp < WARM_UPS && performance.now() - startedAt < 1000; warmUp++) {
    for (const work of works) await work();
  }
  for (let repeat = 0; repeat < repeats; repeat++) {
    for (const [at, work] of works.entries()) {
      const from = performance.now();
      await work();
      times[at]?.push(performance.now() - from);
    }
  }
  return times;
}
