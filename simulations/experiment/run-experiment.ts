import type { Experiment, ExperimentRun } from './experiment.ts';
import type { Progress } from './progress.ts';
import { openResults } from './results/results-store.ts';
import type { Runner } from './runner.ts';

/** How an experiment ended. */
export interface Tally {
  /** Runs that have a result, those of earlier processes among them. */
  readonly done: number;
  /** Of these, runs that diverged. */
  readonly diverged: number;
  /** Of these, runs that failed. */
  readonly failed: number;
  /** Runs of the experiment that have none. */
  readonly missing: number;
}

/**
 * Makes those runs that have no result yet, as many at a time as the runner can, and writes all results in grid order. What
 * has failed before is made again. If it throws, what there is stays in the folder to be gone on with.
 *
 * @param chosen - the runs that are wanted
 * @param signal - ends it
 * @throws ExperimentError `experiment/cannot-write`, `experiment/interrupted`, `experiment/refused`, `experiment/damaged`
 */
export async function runExperiment(
  folder: string,
  experiment: Experiment,
  chosen: readonly ExperimentRun[],
  open: (remaining: readonly ExperimentRun[]) => Promise<{ readonly runner: Runner; readonly progress: Progress }>,
  signal: AbortSignal,
): Promise<Tally> {
  const results = await openResults(folder, experiment);
  try {
    const remaining = chosen.filter(({ id }) => (results.done.get(id)?.result.outcome ?? 'failed') === 'failed');
    if (remaining.length > 0) {
      const { runner, progress } = await open(remaining);
      const stop = (): void => void runner.close();
      signal.addEventListener('abort', stop, { once: true });
      if (signal.aborted) stop();
      try {
        await makeAll(remaining, runner, progress, results.keep);
      } finally {
        signal.removeEventListener('abort', stop);
        progress.stop();
        await runner.close();
      }
    }
    await results.finish();
    const outcomes = [...results.done.values()].map(({ result }) => result.outcome);
    const count = (outcome: string): number => outcomes.filter((one) => one === outcome).length;
    return {
      done: outcomes.length,
      ...{ diverged: count('diverged'), failed: count('failed') },
      missing: experiment.runs.length - outcomes.length,
    };
  } finally {
    await results.close();
  }
}

async function makeAll(
  runs: readonly ExperimentRun[],
  runner: Runner,
  progress: Progress,
  keep: (run: ExperimentRun, result: Awaited<ReturnType<Runner['run']>>) => Promise<void>,
): Promise<void> {
  const left = [...runs].reverse();
  let fault: { readonly error: unknown } | undefined;
  const lane = async (): Promise<void> => {
    for (let run = left.pop(); run !== undefined && fault === undefined; run = left.pop()) {
      const made = run;
      try {
        const result = await runner.run(made, { onRound: (round) => progress.round(made, round) });
        await keep(made, result);
        progress.done(made, result);
      } catch (error) {
        // The first fault is the one that counts: the others follow from ending what is under way.
        fault ??= { error };
        await runner.close();
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(runner.capacity, runs.length) }, lane));
  if (fault !== undefined) throw fault.error;
}
