import { FedanchorError } from '../../shared/errors.ts';
import type { RunResult } from '../experiment/run-result.ts';
import type { RunSpec } from '../experiment/run-spec.ts';
import { Chronicle } from './chronicle.ts';
import { openRun } from './open-run.ts';
import { playRound } from './play-round.ts';
import type { RunHooks, RunResources } from './run-resources.ts';

/** Rooms whose refusals are what became of a run; anything else is a fault of the machine or of the program. */
const REFUSALS = [
  'aggregation',
  'attack',
  'manifest',
  'money',
  'network',
  'partition',
  'rule',
  'simulation',
  'staleness',
];

/**
 * Runs one run: virtual clients train, attackers forge, updates are coded as production codes them, and production's round
 * function closes each round. The same specification gives the same result on every machine, whatever the number of threads.
 *
 * A run whose numbers leave what a model can have ends as `diverged`, one whose rule, attack or network cannot be as `failed`,
 * both with what there was until then.
 *
 * @throws the signal's reason when it is aborted; SimulationError `simulation/state-unwritable` when a disk is full;
 * what an engine or a learner throws when it breaks
 */
export async function runOne(spec: RunSpec, resources: RunResources, hooks: RunHooks = {}): Promise<RunResult> {
  const chronicle = new Chronicle(spec, resources.dataset);
  const { signal } = hooks;
  signal?.throwIfAborted();
  try {
    const run = await openRun(spec, resources, hooks);
    try {
      await chronicle.test(run, 0);
      for (let round = 1; round <= spec.rounds; round++) {
        signal?.throwIfAborted();
        const played = await playRound(run, round);
        chronicle.add(run, played);
        hooks.stopwatch?.at('evaluation');
        if (round % spec.evaluateEvery === 0 || round === spec.rounds) await chronicle.test(run, round);
        hooks.stopwatch?.at('other');
        hooks.onRound?.(round, spec.rounds);
      }
    } finally {
      run.close();
    }
    return chronicle.result('finished');
  } catch (error) {
    if (!isRefusal(error)) throw error;
    const outcome = error.code === 'simulation/diverged' ? 'diverged' : 'failed';
    return chronicle.result(outcome, { code: error.code, message: error.message });
  }
}

function isRefusal(error: unknown): error is FedanchorError {
  if (!(error instanceof FedanchorError) || error.code === 'simulation/state-unwritable') return false;
  return REFUSALS.includes(error.code.split('/')[0] as string);
}
