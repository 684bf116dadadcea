import type { Hex } from '../../shared/bytes.ts';
import type { RoundPlan } from '../../shared/round/plan.ts';
import { drawSample } from '../../shared/round/sampling.ts';
import { entered, type Step } from './outcome.ts';
import { allowanceMs, isWaitedFor, standingOf } from './standing.ts';
import { type Collecting, isHeldUp, type JobRules, type Progress } from './state.ts';

/** -> collecting if a quorum is present and nothing holds the job up, else -> open; -> failed without a seed left. */
export function openRound(rules: JobRules, progress: Progress, at: number): Step {
  if (isHeldUp(progress) || progress.present.length < rules.quorum)
    return entered({ phase: 'open', progress, need: rules.quorum });
  const round = progress.rounds + 1;
  const { attempt, modelRoot: parentRoot, updateBits } = progress;
  // Round and attempt never fall and one of them rises with each plan, so no seed is used twice.
  const plan: RoundPlan = { round, attempt, parentRoot, updateBits, seedIndex: round + attempt };
  if (plan.seedIndex > rules.lastSeed) return outOfSeeds(rules, progress);
  const asked = whoIsAsked(rules, progress, plan);
  const lengthMs = waitMs(rules, progress, asked.expected);
  return entered({
    phase: 'collecting',
    progress,
    plan,
    ...asked,
    answers: {},
    deadlineAt: at + lengthMs,
    ...(rules.pace && { wait: { openedAt: at, lengthMs } }),
  });
}

/** -> failed: rewinds use up seeds, which no one may see twice. */
function outOfSeeds({ lastSeed }: JobRules, progress: Progress): Step {
  return entered({
    phase: 'failed',
    progress,
    code: 'round/seeds-spent',
    reason: `the job's ${lastSeed} seeds are spent on rounds that were rewound: create another job from its latest model`,
  });
}

/**
 * Draws whom a round waits for among those present. The draw's seed was public before the round opened and fixed before
 * the job began; together with the log of who came and went it can be drawn again by anyone.
 */
function whoIsAsked(
  rules: JobRules,
  { present, standings = {}, seed }: Progress,
  plan: RoundPlan,
): Pick<Collecting, 'expected' | 'draw'> {
  const ready = present.filter((participant) => isWaitedFor(standingOf(standings, participant), plan));
  // Below a quorum of those who answer, the others are needed too.
  const eligible = ready.length >= rules.quorum ? ready : present;
  if (!rules.sample || !seed) return { expected: eligible };
  const { size, extra } = rules.sample;
  const { cut, asked } = drawSample(seed.seed, plan, eligible, size + extra);
  return { expected: asked, draw: { ...seed, cut } };
}

/** As long as the slowest of those it waits for is given: nobody is hurried by the others' being quick. */
function waitMs({ pace, deadlineMs }: JobRules, { standings = {} }: Progress, expected: readonly Hex[]): number {
  if (!pace) return deadlineMs;
  const allowances = expected.map((participant) => allowanceMs(pace, deadlineMs, standingOf(standings, participant)));
  return allowances.reduce((longest, allowance) => Math.max(longest, allowance), pace.leastMs);
}
