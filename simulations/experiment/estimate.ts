import type { ExperimentRun } from './experiment.ts';
import type { Runner } from './runner.ts';

/** How long an experiment may take. */
export interface Estimate {
  /** Milliseconds in all. */
  readonly ms: number;
  /** Rules of which some rounds were made to find out. */
  readonly rules: number;
  /** Rounds that were made of each. */
  readonly rounds: number;
}

/** Rounds that are made of a run: the first is slower than those after it. */
const ROUNDS = 5;
/** Rules that are tried, at most. */
const MOST_RULES = 8;

/**
 * How long runs may take, by making some rounds of the first run of each rule, one after the other. What a test of the
 * model takes is in it as often as these rounds have one.
 *
 * @param workers - runs that are to be made at the same time
 * @param now - milliseconds, of any beginning
 */
export async function estimate(
  runs: readonly ExperimentRun[],
  runner: Runner,
  workers: number,
  now: () => number,
): Promise<Estimate> {
  const perRound = new Map<string, number>();
  for (const run of runs) {
    if (perRound.has(run.cell.rule) || perRound.size === MOST_RULES) continue;
    perRound.set(run.cell.rule, await roundMs(run, runner, now));
  }
  const mean = [...perRound.values()].reduce((sum, ms) => sum + ms, 0) / perRound.size;
  const work = runs.reduce((sum, { cell, spec }) => sum + spec.rounds * (perRound.get(cell.rule) ?? mean), 0);
  return { ms: work / Math.min(workers, runs.length), rules: perRound.size, rounds: ROUNDS };
}

async function roundMs(run: ExperimentRun, runner: Runner, now: () => number): Promise<number> {
  const rounds = Math.min(ROUNDS, run.spec.rounds);
  const times = [now()];
  await runner.run({ ...run, spec: { ...run.spec, rounds } }, { onRound: () => times.push(now()) });
  const first = times[1] ?? now();
  const last = times.at(-1) as number;
  // A run of one round has no later ones to go by.
  return times.length > 2 ? (last - first) / (times.length - 2) : first - (times[0] as number);
}
