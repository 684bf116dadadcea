import fc from 'fast-check';
import type { JobEvent, RoundsRewound } from '../../../coordinator/round/events.ts';
import type { JobRules, JobState, Open, RoundResult } from '../../../coordinator/round/state.ts';
import { type Hex, ZERO_HASH } from '../../../shared/bytes.ts';
import type { RoundRecordJson } from '../../../shared/commitments/record.ts';
import type { Pace } from '../../../shared/round/participation.ts';
import { hash } from '../fixture.ts';

export const PEOPLE: readonly Hex[] = ['0a', '1b', '2c', '3d', '4e'].map((byte) => `0x${byte.repeat(20)}` as Hex);

export const RULES: JobRules = {
  job: hash('job'),
  rounds: 3,
  expected: 4,
  quorum: 3,
  deadlineMs: 1000,
  retries: 2,
  lastSeed: 1000,
};

/** Where a job by these rules begins. */
export function beginning({ expected, sample, pace, buffer, retryPauseMs }: JobRules = RULES): Open {
  return {
    phase: 'open',
    need: expected,
    progress: {
      ...{ rounds: 0, attempt: 0, modelRoot: hash('model 0'), updateBits: 12, location: null, present: [] },
      ...(sample && { seed: { seedIndex: 0, seed: hash('commitment') } }),
      ...(pace && { standings: {} }),
      ...(buffer && { parents: [hash('model 0')] }),
      ...(retryPauseMs !== undefined && { setbacks: 0 }),
    },
  };
}

/** A round and attempt. */
export interface Attempt {
  readonly round: number;
  readonly attempt: number;
}

export const joined = (participant: Hex, at = 0): JobEvent => ({ type: 'participantJoined', at, participant });
export const left = (participant: Hex, at = 0): JobEvent => ({ type: 'participantLeft', at, participant });
export const deadline = ({ round, attempt }: Attempt, at = 0): JobEvent => ({
  type: 'deadlinePassed',
  at,
  round,
  attempt,
});
export const pauseEnded = ({ round, attempt }: Attempt, at = 0): JobEvent => ({
  type: 'pauseEnded',
  at,
  round,
  attempt,
});
export const restarted = (at = 0): JobEvent => ({ type: 'coordinatorRestarted', at });

export function accepted(participant: Hex, { round, attempt }: Attempt, at = 0, salt = ''): JobEvent {
  const updateRoot = hash(`update of ${participant} for ${round}/${attempt} ${salt}`);
  const about = { job: RULES.job, round, attempt, updateRoot };
  return {
    type: 'updateAccepted',
    at,
    participant,
    statement: {
      ...about,
      parentRoot: ZERO_HASH,
      samples: 10,
      largestMagnitude: 4000,
      datasetCommitment: ZERO_HASH,
    },
    signature: `0x${'aa'.repeat(65)}`,
    receipt: { ...about, participant, verdict: 'accepted', code: '', signature: `0x${'bb'.repeat(65)}` },
  };
}

export function refused(participant: Hex, { round, attempt }: Attempt, at = 0): JobEvent {
  return {
    type: 'updateRefused',
    at,
    participant,
    receipt: {
      ...{ job: RULES.job, round, attempt, participant, updateRoot: hash('bad'), verdict: 'rejected' },
      ...{ code: 'gate/out-of-range', signature: `0x${'bb'.repeat(65)}` },
    },
  };
}

export function declined(participant: Hex, { round, attempt }: Attempt, at = 0): JobEvent {
  return { type: 'roundDeclined', at, participant, round, attempt, code: 'trainer/failed', message: 'no memory' };
}

export function aggregated({ round, attempt }: Attempt, at = 0): JobEvent {
  const root = (what: string): Hex => hash(`${what} ${round}/${attempt}`);
  const record: RoundRecordJson = {
    ...{ job: RULES.job, round, attempt, participants: 3, updateBits: 12, seedIndex: round + attempt },
    ...{
      seed: root('seed'),
      fixedPlanHash: hash('plan'),
      tensorTableRoot: hash('tensors'),
      parentModelRoot: ZERO_HASH,
    },
    ...{ modelRoot: root('model'), serverStateRoot: ZERO_HASH, aggregateRoot: root('aggregate') },
    ...{ matrixRoot: root('matrix'), contributionsRoot: root('contributions'), gramRoot: root('gram') },
    ...{ weightsRoot: root('weights'), scoresRoot: root('scores'), rewardsRoot: root('rewards') },
    ...{ rewardsTotal: String(100n ** 12n), location: root('document') },
  };
  return { type: 'roundAggregated', at, record, scores: [], earned: [], aggregationMs: 1, closeMs: 2, saturated: 0 };
}

export function failedToAggregate({ round, attempt }: Attempt, at = 0): JobEvent {
  return { type: 'aggregationFailed', at, round, attempt, code: 'rule/too-many-faulty', message: 'f is too large' };
}

export function anchored({ round, attempt }: Attempt, at = 0): JobEvent {
  return {
    ...{ type: 'roundAnchored', at, round, attempt, transactionHash: hash(`transaction ${round}/${attempt}`) },
    ...{ blockNumber: round, gasUsed: '21000' },
  };
}

/** The chain takes back rounds from one on; `to` is what is there before round 1 unless it is told. */
export function rewound(firstRound: number, minAttempt: number, at = 0, to?: RoundResult): RoundsRewound {
  const { modelRoot, updateBits, location } = beginning().progress;
  const lastRound = firstRound;
  return {
    type: 'roundsRewound',
    at,
    firstRound,
    lastRound,
    minAttempt,
    to: to ?? { modelRoot, updateBits, location },
  };
}

/** Something that may happen, told apart from any particular state: rounds and attempts are offsets from the current. */
export interface Happening {
  readonly kind: JobEvent['type'];
  readonly who: number;
  readonly roundOffset: number;
  readonly attemptOffset: number;
  readonly afterMs: number;
}

const OFFSET = fc.oneof(
  { weight: 6, arbitrary: fc.constant(0) },
  { weight: 1, arbitrary: fc.integer({ min: -2, max: 2 }) },
);
const KIND = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom<JobEvent['type']>('participantJoined', 'updateAccepted') },
  { weight: 3, arbitrary: fc.constantFrom<JobEvent['type']>('roundAggregated', 'roundAnchored', 'updateAccepted') },
  { weight: 2, arbitrary: fc.constantFrom<JobEvent['type']>('updateRefused', 'roundDeclined', 'deadlinePassed') },
  { weight: 2, arbitrary: fc.constant<JobEvent['type']>('pauseEnded') },
  { weight: 1, arbitrary: fc.constant<JobEvent['type']>('participantLeft') },
  { weight: 1, arbitrary: fc.constantFrom<JobEvent['type']>('coordinatorRestarted', 'metricsReported') },
  { weight: 1, arbitrary: fc.constant<JobEvent['type']>('aggregationFailed') },
  { weight: 1, arbitrary: fc.constantFrom<JobEvent['type']>('jobPaused', 'jobResumed', 'jobResumed') },
  { weight: 1, arbitrary: fc.constantFrom<JobEvent['type']>('participantBanned', 'participantAllowed') },
);

export const HAPPENINGS: fc.Arbitrary<Happening[]> = fc.array(
  fc.record({
    kind: KIND,
    who: fc.nat(PEOPLE.length - 1),
    roundOffset: OFFSET,
    attemptOffset: OFFSET,
    afterMs: fc.nat(500),
  }),
  { minLength: 1, maxLength: 120, size: 'max' },
);

const PACE: fc.Arbitrary<Pace> = fc.record({
  leastMs: fc.integer({ min: 1, max: RULES.deadlineMs }),
  quantilePercent: fc.integer({ min: 50, max: 100 }),
  slackPercent: fc.integer({ min: 100, max: 400 }),
  window: fc.integer({ min: 1, max: 3 }),
  late: fc.constantFrom('credited', 'ignored'),
});

/** Half of them are as manifests were before they had samples, paces, buffers and pauses. */
export const ANY_RULES: fc.Arbitrary<JobRules> = fc
  .record({
    rounds: fc.integer({ min: 1, max: 4 }),
    quorum: fc.integer({ min: 1, max: 4 }),
    more: fc.nat(2),
    retries: fc.nat(3),
    options: fc.option(
      fc.record({
        sample: fc.option(fc.record({ more: fc.nat(1), extra: fc.nat(1) }), { nil: undefined }),
        pace: fc.option(PACE, { nil: undefined }),
        buffer: fc.option(fc.record({ more: fc.nat(1), maxStaleness: fc.nat(2) }), { nil: undefined }),
        retryPauseMs: fc.option(fc.integer({ min: 1, max: 2000 }), { nil: undefined }),
      }),
    ),
  })
  .map(({ rounds, quorum, more, retries, options }) => {
    const { sample, pace, buffer, retryPauseMs } = options ?? {};
    const isBuffered = buffer && !sample && !pace;
    return {
      ...{ ...RULES, rounds, quorum, expected: quorum + more, retries },
      ...(sample && { sample: { size: quorum + sample.more, extra: sample.extra } }),
      ...(pace && { pace }),
      ...(isBuffered && { buffer: { size: quorum + buffer.more, maxStaleness: buffer.maxStaleness } }),
      ...(retryPauseMs !== undefined && { retryPauseMs }),
    };
  });

/** The round and attempt that a state is about. */
export function attemptOf(state: JobState): Attempt {
  if (state.phase === 'collecting' || state.phase === 'aggregating') return state.plan;
  if (state.phase === 'anchoring') return state.record;
  return { round: state.progress.rounds + 1, attempt: state.progress.attempt };
}

/** The round and attempt that an event names, if it names any. */
export function namedBy(event: JobEvent): Attempt | undefined {
  switch (event.type) {
    case 'updateAccepted':
    case 'updateRefused':
      return event.receipt;
    case 'roundAggregated':
      return event.record;
    case 'roundDeclined':
    case 'deadlinePassed':
    case 'pauseEnded':
    case 'aggregationFailed':
    case 'roundAnchored':
      return event;
    default:
      return undefined;
  }
}

/** Makes a happening an event near where a job stands. */
export function eventOf(state: JobState, happening: Happening, at: number, salt: string): JobEvent {
  const { kind, who, roundOffset, attemptOffset } = happening;
  const current = attemptOf(state);
  const about = {
    round: Math.max(0, current.round + roundOffset),
    attempt: Math.max(0, current.attempt + attemptOffset),
  };
  const participant = PEOPLE[who] as Hex;
  switch (kind) {
    case 'participantJoined':
      return joined(participant, at);
    case 'participantLeft':
      return left(participant, at);
    case 'updateAccepted':
      return accepted(participant, about, at, salt);
    case 'updateRefused':
      return refused(participant, about, at);
    case 'roundDeclined':
      return declined(participant, about, at);
    case 'deadlinePassed':
      return deadline(about, at);
    case 'pauseEnded':
      return pauseEnded(about, at);
    case 'roundAggregated':
      return aggregated(about, at);
    case 'aggregationFailed':
      return failedToAggregate(about, at);
    case 'roundAnchored':
      return anchored(about, at);
    case 'coordinatorRestarted':
      return restarted(at);
    case 'metricsReported':
      return {
        ...{ type: kind, at, participant, round: 0, modelRoot: ZERO_HASH },
        ...{ correct: 1, total: 2, lossSum: 3, constantCorrect: 1 },
      };
    case 'roundsRewound':
      return rewound(Math.max(1, current.round + roundOffset), current.attempt + 1 + attemptOffset, at);
    case 'headAttested':
      return { type: kind, at, participant, round: 1, head: hash(salt), signature: hash(salt) };
    case 'bondFellShort':
      return { type: kind, at, held: '1', needed: '2' };
    case 'bondRestored':
      return { type: kind, at };
    case 'jobPaused':
    case 'jobResumed':
    case 'jobStopped':
      return { type: kind, at, by: PEOPLE[0] as Hex, reason: salt };
    case 'participantBanned':
    case 'participantAllowed':
      return { type: kind, at, by: PEOPLE[0] as Hex, participant, reason: salt };
  }
}
