import type { BackendName, BackendOptions } from '../trainers/tfjs/backend.ts';
import { initialWeights } from '../trainers/tfjs/layers-model.ts';
import { createTfjsTrainer } from '../trainers/tfjs/tfjs-trainer.ts';
import { BATCH_SIZE, type ThroughputModel } from './throughput-models.ts';

/** How fast a backend trains a model, and in how much memory. */
export interface Throughput {
  /** What it computes on, where the backend tells. */
  readonly device: string;
  /** Numbers that are trained. */
  readonly parameters: number;
  /** Steps that were timed. */
  readonly steps: number;
  /** Milliseconds of one step, the mean. */
  readonly stepMs: number;
  /** Processor time of one step, in milliseconds over all cores: on a busy machine it says more than the clock. */
  readonly processorMs: number;
  /** Resident memory of this process at its largest, in bytes. */
  readonly peakBytes: number;
}

/** Rounds are made this long at most: a step says how many fit into the time that is left. */
const MOST_STEPS = 2_000;

interface Timing {
  readonly ms: number;
  readonly processorMs: number;
  readonly device: string;
}

/**
 * Times training steps: one round of a few steps to warm up, one to see how long they take, one that is timed. The process
 * should do nothing else and have done nothing before, for its memory to be that of the training.
 *
 * @param backend - which backend
 * @param model - what to train
 * @param seconds - how long to time
 * @param backendOptions - device and packages
 */
export async function measureThroughput(
  backend: BackendName,
  model: ThroughputModel,
  seconds: number,
  backendOptions: BackendOptions,
): Promise<Throughput> {
  const { architecture, data } = model;
  const weights = await initialWeights(architecture, 1);
  const time = async (steps: number): Promise<Timing> => {
    const trainer = await createTfjsTrainer({
      architecture,
      data,
      backend,
      backendOptions,
      training: { optimizer: 'momentum', learningRate: 0.01, momentum: 0.9, batchSize: BATCH_SIZE, steps },
    });
    try {
      const [start, usedBefore] = [performance.now(), process.cpuUsage()];
      await trainer.train({ weights, seed: 1, round: 0 });
      const { user, system } = process.cpuUsage(usedBefore);
      return {
        ms: (performance.now() - start) / steps,
        processorMs: (user + system) / 1_000 / steps,
        device: trainer.backend.device ?? '',
      };
    } finally {
      trainer.dispose();
    }
  };
  await time(1);
  const { ms } = await time(2);
  const steps = Math.min(Math.max(Math.round((1_000 * seconds) / ms), 1), MOST_STEPS);
  const timed = await time(steps);
  return {
    device: timed.device,
    parameters: weights.reduce((sum, values) => sum + values.length, 0),
    steps,
    stepMs: timed.ms,
    processorMs: timed.processorMs,
    // Linux, macOS and Windows alike: Node gives kibibytes.
    peakBytes: process.resourceUsage().maxRSS * 1_024,
  };
}
