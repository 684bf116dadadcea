import { isWithin } from './hours.ts';
import type { AgentView, JobView, WorkView } from './job-view.ts';
import type { Policy } from './policy.ts';

/** Why a job is not taken. */
export interface Reason {
  /** Stable identifier. */
  readonly code: ReasonCode;
  /** What it is about, for people. */
  readonly message: string;
}

/** What may keep an agent from a job; those of the second kind may pass by themselves. */
export type ReasonCode = (typeof LASTING)[number] | (typeof PASSING)[number];

const LASTING = [
  'job-over',
  'not-allowed',
  'token-not-wanted',
  'price-too-low',
  'share-too-low',
  'stake-too-high',
  'foreign-contracts',
  'too-many-rounds',
  'bad-manifest',
  'task-not-wanted',
  'not-admitted',
  'no-data',
  'too-much-data',
  'too-much-work',
] as const;

const PASSING = [
  'no-address',
  'unreachable',
  'underfunded',
  'out-of-hours',
  'enough-jobs',
  'stakes-exhausted',
  'too-few-tokens',
  'leaving',
] as const;

/**
 * What an agent does about a job. `inspect`: what the chain says is fine, now the manifest must be read. `join`: take part,
 * after adding `stake`. `stay`: go on. `ignore`: for good, as far as can be told. `wait`: not now. `leave`: stop for now.
 */
export type Decision =
  | { readonly kind: 'inspect' }
  | { readonly kind: 'join'; readonly stake: bigint }
  | { readonly kind: 'stay' }
  | { readonly kind: 'ignore' | 'wait' | 'leave'; readonly reasons: readonly Reason[] };

/**
 * Decides what an agent does about one job, from what is known and nothing else.
 *
 * @param work - what its manifest says; undefined while it has not been read
 */
export function decide(policy: Policy, job: JobView, work: WorkView | undefined, agent: AgentView): Decision {
  const isRunning = agent.running.includes(job.anchor);
  const reasons = [
    ...chainReasons(policy, job, agent),
    ...(work === undefined ? [] : workReasons(policy, job, work)),
    ...momentReasons(policy, job, agent, isRunning),
  ];
  if (isRunning) {
    // What was agreed is kept: only the hours, and what the chain has changed, end it.
    const ending = reasons.filter(
      ({ code }) => code === 'out-of-hours' || code === 'leaving' || code === 'not-allowed',
    );
    return ending.length === 0 ? { kind: 'stay' } : { kind: 'leave', reasons: ending };
  }
  const isLasting = reasons.some(({ code }) => (LASTING as readonly string[]).includes(code));
  if (reasons.length > 0) return { kind: isLasting ? 'ignore' : 'wait', reasons };
  if (work === undefined) return { kind: 'inspect' };
  return { kind: 'join', stake: missingStake(job) };
}

/** What must be staked besides, so that the agent may take part. */
function missingStake({ minStake, staked }: JobView): bigint {
  return staked >= minStake ? 0n : minStake - staked;
}

/** What the chain alone says against it. */
function chainReasons(policy: Policy, job: JobView, { ended }: AgentView): Reason[] {
  const reasons: Reason[] = [];
  const refuse = (code: ReasonCode, message: string) => reasons.push({ code, message });
  const { allow, tokens, work } = policy;
  if (ended.includes(job.anchor)) refuse('job-over', 'it has ended for this agent');
  else if (job.anchored >= job.rounds) refuse('job-over', `all of its ${job.rounds} rounds are anchored`);
  const isKnown = job.registrant !== undefined && allow.publishers.includes(job.registrant);
  if (!allow.anybody && !isKnown && !allow.manifests.includes(job.manifestHash)) {
    const who = job.registrant ?? 'a contract in between, so that nobody can be named';
    refuse('not-allowed', `its manifest ${job.manifestHash} is not listed, nor is its publisher, ${who}`);
  }
  const terms = tokens.find(({ token }) => token === job.token);
  if (terms === undefined) {
    refuse('token-not-wanted', `it pays in ${job.token}, which is not listed`);
  } else {
    if (job.pricePerRound < terms.minPricePerRound) {
      refuse('price-too-low', `a round pays ${job.pricePerRound}, at least ${terms.minPricePerRound} is asked for`);
    }
    if (job.minStake > terms.maxStakePerJob) {
      refuse('stake-too-high', `it asks for a stake of ${job.minStake}, at most ${terms.maxStakePerJob} is given`);
    }
  }
  if (!job.isGenuine) refuse('foreign-contracts', "the contracts that would hold the stake are not this version's");
  if (job.rounds > work.maxRounds) refuse('too-many-rounds', `it has ${job.rounds} rounds, at most ${work.maxRounds}`);
  return reasons;
}

/** What the manifest says against it. */
function workReasons(policy: Policy, job: JobView, view: WorkView): Reason[] {
  const reasons: Reason[] = [];
  const refuse = (code: ReasonCode, message: string) => reasons.push({ code, message });
  const { work, tokens, data } = policy;
  if (!view.isAdmitted) {
    refuse('not-admitted', "the agent's account is not on its list of participants");
    // Nothing else of it may be known.
    return reasons;
  }
  if (!work.tasks.includes(view.task)) refuse('task-not-wanted', `its task is "${view.task}", which is not listed`);
  const [named, published] = [data.some(({ task }) => task === view.task), view.publishedBytes];
  if (published === undefined && !named) refuse('no-data', `there is no data for tasks of kind "${view.task}"`);
  if (published !== undefined && !policy.publishedData) {
    refuse('no-data', 'it is trained on published data, which the policy does not take');
  } else if (published !== undefined && published > policy.maxPublishedBytes) {
    refuse('too-much-data', `it publishes ${published} bytes of data, at most ${policy.maxPublishedBytes} are fetched`);
  }
  const share = job.pricePerRound / BigInt(Math.max(1, view.sharers));
  const least = tokens.find(({ token }) => token === job.token)?.minSharePerRound ?? 0n;
  if (share < least) refuse('share-too-low', `shared by ${view.sharers} a round pays ${share}, less than ${least}`);
  for (const [name, value, most] of [
    ['steps', view.steps, work.maxSteps],
    ['epochs', view.epochs, work.maxEpochs],
    ['batchSize', view.batchSize, work.maxBatchSize],
    ['parameters', view.parameters, work.maxParameters],
  ] as const) {
    if (value !== undefined && value > most) refuse('too-much-work', `${name} is ${value}, at most ${most}`);
  }
  return reasons;
}

/** What is against it now. */
function momentReasons(policy: Policy, job: JobView, agent: AgentView, isRunning: boolean): Reason[] {
  const reasons: Reason[] = [];
  const refuse = (code: ReasonCode, message: string) => reasons.push({ code, message });
  const { hours, work, tokens } = policy;
  if (hours && !isWithin(hours, agent.nowMs)) refuse('out-of-hours', `it is not one of the hours (${hours.timeZone})`);
  if (job.isLeaving) refuse('leaving', 'the stake was asked back: when it is out, it may be put in again');
  if (isRunning) return reasons;
  if (job.coordinatorUrl === undefined) refuse('no-address', `nobody says where its coordinator ${job.coordinator} is`);
  if (agent.running.length >= work.maxJobs) refuse('enough-jobs', `${agent.running.length} jobs are being worked on`);
  const remaining = BigInt(Math.max(0, job.rounds - job.anchored)) * job.pricePerRound;
  if (job.unearned * 100n < remaining * BigInt(work.minFundedPercent)) {
    refuse('underfunded', `its vault holds ${job.unearned} of the ${remaining} that its remaining rounds may earn`);
  }
  const terms = tokens.find(({ token }) => token === job.token);
  const stake = missingStake(job);
  if (terms === undefined || stake === 0n) return reasons;
  const total = agent.stakedByToken.get(job.token) ?? 0n;
  if (total + stake > terms.maxStakeTotal) {
    refuse('stakes-exhausted', `${total} are staked, and with ${stake} more it would be above ${terms.maxStakeTotal}`);
  }
  const holds = agent.balances.get(job.token) ?? 0n;
  if (holds < stake) refuse('too-few-tokens', `it needs a stake of ${stake}, and ${holds} of ${job.token} are there`);
  return reasons;
}
