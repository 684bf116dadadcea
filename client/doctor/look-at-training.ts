import { decodeModel } from '../../shared/fixed-point/model.ts';
import type { JobTerms } from '../../shared/round/job-terms.ts';
import { checkModel } from '../session/check-terms.ts';
import type { TrainerFactory } from '../tasks/local-trainer.ts';
import type { Trainer, TrainingProgress } from '../trainers/trainer.ts';
import { bad, good, type Outcome, warning } from './finding.ts';
import type { OpenCoordinator } from './look-at-coordinator.ts';
import type { Ward } from './ward.ts';

/** How training is tried. */
export interface TrialOptions {
  /** Makes the trainer; tells what it found of data and backend. */
  readonly createTrainer: (onReady: (facts: Readonly<Record<string, unknown>>) => void) => TrainerFactory;
  /** Longest trial, in milliseconds. */
  readonly mostMs: number;
  /** A clock that never goes back, in milliseconds. */
  readonly monotonicMs: () => number;
}

/** Looks at data and backend, and trains for a moment from the job's first model to see whether a round can be made in time. */
export async function lookAtTraining(
  ward: Ward,
  terms: JobTerms,
  { bulk }: OpenCoordinator,
  options: TrialOptions,
): Promise<void> {
  const { manifest } = terms;
  const trainer = await ward.look<Trainer>(
    'data and trainer',
    'compare data, trainer and backend with what the manifest asks for',
    async () => {
      let told: Readonly<Record<string, unknown>> = {};
      const factory = options.createTrainer((facts) => {
        told = facts;
      });
      const local = await factory(manifest);
      const facts = Object.entries(told).map(
        ([name, value]) => `${name} ${typeof value === 'string' ? value : JSON.stringify(value)}`,
      );
      return [good(facts.join(', ') || 'the trainer is ready'), local.trainer];
    },
  );
  if (!trainer) return;
  try {
    await ward.look('speed', 'choose a faster --backend or --device, or ask for a longer deadline', async () => {
      const bytes = await bulk.getBlob(terms.job, manifest.initialModelRoot, terms.layout.dimension * 4);
      const model = checkModel(terms, bytes, manifest.initialModelRoot);
      return [await tryRound(trainer, decodeModel(terms.layout, model), manifest.participation.deadlineMs, options)];
    });
  } finally {
    trainer.dispose();
  }
}

/** Trains until a share of the round is done that says how long the whole takes, and no longer. */
async function tryRound(
  trainer: Trainer,
  weights: readonly Float32Array[],
  deadlineMs: number,
  { mostMs, monotonicMs }: TrialOptions,
): Promise<Outcome> {
  const stopping = new AbortController();
  const begun = monotonicMs();
  let first: { readonly at: number; readonly done: number } | undefined;
  let latest: { readonly at: number; readonly done: number } | undefined;
  const onProgress = ({ done }: TrainingProgress): void => {
    const now = { at: monotonicMs(), done };
    // What comes before the first word is paid once: code is compiled, buffers are made.
    first ??= now;
    latest = now;
    if (now.at - begun >= mostMs) stopping.abort();
  };
  const timer = setTimeout(() => stopping.abort(), mostMs);
  let isWhole = false;
  try {
    await trainer.train({ weights, seed: 0, round: 1, onProgress }, stopping.signal);
    isWhole = true;
  } catch (error) {
    if (!stopping.signal.aborted) throw error;
  } finally {
    clearTimeout(timer);
  }
  const took = monotonicMs() - begun;
  const share =
    first && latest && latest.done > first.done ? (latest.at - first.at) / (latest.done - first.done) : undefined;
  const roundMs = isWhole ? took : share;
  if (roundMs === undefined) {
    return warning(`nothing was heard of the training within ${Math.round(took)} ms: its speed is not known`);
  }
  return compare(roundMs, deadlineMs);
}

function compare(roundMs: number, deadlineMs: number): Outcome {
  const seconds = (ms: number): string => `${(ms / 1000).toPrecision(3)} s`;
  const message = `a round takes about ${seconds(roundMs)} of training, and is open for ${seconds(deadlineMs)}`;
  if (roundMs > deadlineMs) return bad(`${message}: it cannot be answered in time`);
  return roundMs > deadlineMs / 2 ? warning(message) : good(message);
}
