import type { JobEvent } from '../../coordinator/round/events.ts';
import { rollCallAfter } from '../../coordinator/round/roll-calls.ts';
import { jobRules } from '../../coordinator/round/state.ts';
import { createRng } from '../../shared/rng.ts';
import type { Manifest } from '../../shared/round/manifest.ts';
import type { BufferedMode, NetworkSpec, SynchronousMode } from '../experiment/run-spec.ts';
import { createAgenda } from './agenda.ts';
import { createBufferedCrowd } from './buffered-crowd.ts';
import { LONGEST_SECONDS, type NetworkFacts, networkProblems } from './check-network.ts';
import type { CrowdFacts } from './crowd.ts';
import { drawDevice, drawLuck } from './devices.ts';
import { NetworkError } from './network-error.ts';
import { createRoundClock, type RoundClock } from './round-clock.ts';
import { createSynchronousCrowd } from './synchronous-crowd.ts';
import { createTally } from './tally.ts';
import type { Network, RoundTraffic } from './traffic.ts';
import { createVirtualJob } from './virtual-job.ts';

/** Attempts below the quorum that a run bears if it does not say: as many as a manifest can state. */
const RETRIES = 1000;

/**
 * Clients and their links on a virtual clock, around production's round machine: who is asked, how long a round waits, and
 * what becomes of one below its quorum is decided by `coordinator/round/step.ts` and by nothing here. The same
 * specification, facts and seed give the same rounds.
 *
 * @param spec - how clients and links behave
 * @param facts - what is carried
 * @param onEvent - told every event of the job, in order, before the round machine is
 * @throws NetworkError `network/bad-setting` for what cannot be, naming the field
 * @example
 * ```ts
 * const network = createNetwork(spec, { clients: 100, sampled: 10, rounds: 50, examplesPerClient, updateBytes, modelBytes, seed: 1 });
 * const { deliveries, endedAt } = network.next();
 * ```
 */
export function createNetwork(
  spec: NetworkSpec,
  facts: NetworkFacts,
  onEvent: (event: JobEvent) => void = () => {},
): Network {
  const [problem] = networkProblems(spec, facts);
  if (problem !== undefined) throw new NetworkError('network/bad-setting', problem);
  const { clients, rounds, seed, modelBytes, updateBytes } = facts;
  const { mode, coordinatorSeconds = 0 } = spec;
  const terms = mode.kind === 'buffered' ? bufferedTerms(mode) : synchronousTerms(mode, facts);
  const job = createVirtualJob(clients, rounds, terms, seed);
  const rules = jobRules(job.job, job.manifest);
  const agenda = createAgenda();
  const tally = createTally();
  let over: RoundTraffic | null = null;
  let ended = 0;

  const crowdFacts: CrowdFacts = {
    ...{ job, agenda, tally, modelBytes, updateBytes, examples: facts.examplesPerClient },
    devices: Array.from({ length: clients }, (_, client) => drawDevice(spec, facts, seed, client)),
    luck: (client, work) => drawLuck(spec, seed, client, work),
    clock: () => clock,
  };
  const crowd =
    mode.kind === 'buffered'
      ? createBufferedCrowd(crowdFacts, mode.concurrency, mode.maxStaleness, createRng(seed, 'network/places'))
      : createSynchronousCrowd(crowdFacts);
  const clock: RoundClock = createRoundClock(
    job,
    agenda,
    1000 * coordinatorSeconds,
    {
      closed: (before, event, after) => {
        crowd.closed(before, event, after);
        if (after.phase !== 'aggregating') return;
        const { closing } = rollCallAfter(rules, before, event);
        const deliveries = after.admitted.map(({ participant, parentRoot = before.plan.parentRoot }) => ({
          client: job.clientAt(participant),
          trainedFrom: job.roundOf(parentRoot),
        }));
        tally.closed(event.at, closing as RoundTraffic['closing'], deliveries);
      },
      anchored: (round, at) => {
        over = tally.ended(round, at);
      },
      opened: (state, at) => {
        tally.opened(at);
        crowd.opened(state, at);
      },
    },
    onEvent,
  );
  crowd.arrive();

  return {
    job,
    get happenings() {
      return agenda.done;
    },
    next: () => {
      if (ended === rounds) {
        throw new NetworkError('network/no-more-rounds', `all ${rounds} rounds are over: ask for no more`);
      }
      for (over = null; over === null; ) {
        const { state } = clock;
        if (state.phase === 'failed') {
          const { code, reason } = state;
          throw new NetworkError('network/job-failed', reason, { code, round: ended + 1 });
        }
        if (!agenda.advance()) throw new NetworkError('network/stalled', stalled(ended + 1, state.phase));
      }
      ended++;
      return over;
    },
  };
}

function stalled(round: number, phase: string): string {
  return `round ${round} is ${phase}, and nothing is left that could happen`;
}

/** What a manifest would say of synchronous rounds. */
function synchronousTerms(
  { quorum, deadlineSeconds, extra = 0, retries = RETRIES, pace }: SynchronousMode,
  { sampled, clients }: NetworkFacts,
): Omit<Manifest['participation'], 'admission'> {
  return {
    ...{ expected: clients, quorum, deadlineMs: milliseconds(deadlineSeconds), retries },
    ...(sampled !== null && { sample: { size: sampled, extra } }),
    ...(pace && {
      pace: {
        leastMs: milliseconds(pace.leastSeconds),
        ...{ quantilePercent: pace.quantilePercent, slackPercent: pace.slackPercent },
        ...{ window: pace.window, late: pace.late },
      },
    }),
  };
}

/** What a manifest would say of buffered rounds: each takes as many updates as it is to, however long that is. */
function bufferedTerms({
  size,
  maxStaleness,
  concurrency,
}: BufferedMode): Omit<Manifest['participation'], 'admission'> {
  const deadlineMs = milliseconds(LONGEST_SECONDS);
  return { expected: concurrency, quorum: size, deadlineMs, retries: RETRIES, buffer: { size, maxStaleness } };
}

/** A manifest has whole milliseconds. */
function milliseconds(seconds: number): number {
  return Math.max(1, Math.round(1000 * seconds));
}
