import type { NetworkSpec } from '../experiment/run-spec.ts';
import { distributionProblem } from './distributions.ts';

/** What a network is to carry. */
export interface NetworkFacts {
  /** Clients, honest and Byzantine together. */
  readonly clients: number;
  /** Updates that a synchronous round takes, of clients drawn anew each time; null: all of them. */
  readonly sampled: number | null;
  /** Rounds. */
  readonly rounds: number;
  /** Examples that each client trains on for an update. */
  readonly examplesPerClient: readonly number[];
  /** Bytes of an update. */
  readonly updateBytes: number;
  /** Bytes of a model. */
  readonly modelBytes: number;
  /** The run's seed: a whole number from 0. */
  readonly seed: number;
}

/** A year, the longest that a manifest lets a round wait, in seconds. */
export const LONGEST_SECONDS = 31_536_000;

/**
 * Everything about a network that cannot be: each sentence names the field and what it could be. Empty if it can.
 *
 * @param facts - what it is to carry, as far as that decides
 */
export function networkProblems(spec: NetworkSpec, facts: Pick<NetworkFacts, 'clients' | 'sampled'>): string[] {
  const { dropout, straggler, coordinatorSeconds = 0 } = spec;
  return [
    distributionProblem('network.secondsPerExample', spec.secondsPerExample, true),
    distributionProblem('network.downBytesPerSecond', spec.downBytesPerSecond, false),
    distributionProblem('network.upBytesPerSecond', spec.upBytesPerSecond, false),
    distributionProblem('network.latencySeconds', spec.latencySeconds, true),
    within('network.dropout', dropout, 0, 1),
    within('network.straggler.chance', straggler.chance, 0, 1),
    straggler.factor > 0 && Number.isFinite(straggler.factor)
      ? undefined
      : `network.straggler.factor is ${straggler.factor}: give a number above 0, such as 10 for ten times as long`,
    within('network.coordinatorSeconds', coordinatorSeconds, 0, LONGEST_SECONDS),
    ...(spec.mode.kind === 'synchronous' ? synchronousProblems(spec.mode, facts) : bufferedProblems(spec.mode, facts)),
    spec.mode.kind === 'buffered' && dropout === 1
      ? 'network.dropout is 1: no buffered round would ever close. Give a chance below 1'
      : undefined,
  ].filter((problem) => problem !== undefined);
}

function synchronousProblems(
  { quorum, deadlineSeconds, extra = 0, retries = 0, pace }: Extract<NetworkSpec['mode'], { kind: 'synchronous' }>,
  { clients, sampled }: Pick<NetworkFacts, 'clients' | 'sampled'>,
): (string | undefined)[] {
  const asked = Math.min(clients, sampled ?? clients);
  return [
    whole('network.synchronous.quorum', quorum, 1, asked, 'as many as are asked'),
    within('network.synchronous.deadlineSeconds', deadlineSeconds, 0.001, LONGEST_SECONDS),
    whole('network.synchronous.retries', retries, 0, 1000),
    sampled === null && extra > 0
      ? `network.synchronous.extra is ${extra}, but all are asked: give the experiment a sample, or leave it out`
      : whole('network.synchronous.extra', extra, 0, clients - asked, 'clients beside the sample'),
    ...(pace
      ? [
          within('network.synchronous.pace.leastSeconds', pace.leastSeconds, 0.001, deadlineSeconds),
          whole('network.synchronous.pace.quantilePercent', pace.quantilePercent, 50, 100),
          whole('network.synchronous.pace.slackPercent', pace.slackPercent, 100, 10_000),
          whole('network.synchronous.pace.window', pace.window, 1, 100),
        ]
      : []),
  ];
}

function bufferedProblems(
  { size, maxStaleness, concurrency }: Extract<NetworkSpec['mode'], { kind: 'buffered' }>,
  { clients, sampled }: Pick<NetworkFacts, 'clients' | 'sampled'>,
): (string | undefined)[] {
  return [
    sampled === null
      ? undefined
      : `the experiment samples ${sampled} clients a round, but buffered rounds draw nobody: leave the sample out, and set network.buffered.concurrency`,
    whole('network.buffered.concurrency', concurrency, 1, clients, 'as many as there are clients'),
    whole('network.buffered.size', size, 1, concurrency, 'as many as are at work'),
    whole('network.buffered.maxStaleness', maxStaleness, 0, 1000),
  ];
}

function within(field: string, value: number, least: number, most: number): string | undefined {
  return value >= least && value <= most ? undefined : `${field} is ${value}: give a number from ${least} to ${most}`;
}

function whole(field: string, value: number, least: number, most: number, why?: string): string | undefined {
  if (Number.isInteger(value) && value >= least && value <= most) return undefined;
  return `${field} is ${value}: give a whole number from ${least} to ${most}${why ? `, ${why}` : ''}`;
}
