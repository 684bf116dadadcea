import type { JobEvent } from '../../../coordinator/round/events.ts';
import type {
  BufferedMode,
  Distribution,
  NetworkSpec,
  SynchronousMode,
} from '../../../simulations/experiment/run-spec.ts';
import type { NetworkFacts } from '../../../simulations/network/check-network.ts';
import { createNetwork } from '../../../simulations/network/network.ts';
import { NetworkError } from '../../../simulations/network/network-error.ts';
import type { Network, RoundTraffic } from '../../../simulations/network/traffic.ts';

export const constant = (value: number): Distribution => ({ kind: 'constant', value });

/** Everything the same for everybody, and nothing goes wrong. */
export const CALM: NetworkSpec = {
  secondsPerExample: constant(0.01),
  downBytesPerSecond: constant(1_000_000),
  upBytesPerSecond: constant(250_000),
  latencySeconds: constant(0.05),
  dropout: 0,
  straggler: { chance: 0, factor: 1 },
  mode: { kind: 'synchronous', quorum: 1, deadlineSeconds: 3600 },
};

/** Everything differs, and much goes wrong. */
export const ROUGH: NetworkSpec = {
  secondsPerExample: { kind: 'lognormal', median: 0.01, sigma: 1 },
  downBytesPerSecond: { kind: 'lognormal', median: 1_000_000, sigma: 1 },
  upBytesPerSecond: { kind: 'uniform', least: 50_000, most: 500_000 },
  latencySeconds: { kind: 'exponential', mean: 0.1 },
  dropout: 0.15,
  straggler: { chance: 0.2, factor: 8 },
  coordinatorSeconds: 0.2,
  mode: { kind: 'synchronous', quorum: 4, deadlineSeconds: 6 },
};

export function synchronous(
  mode: Partial<SynchronousMode>,
  spec: Omit<NetworkSpec, 'mode'> = CALM,
): NetworkSpec & { readonly mode: SynchronousMode } {
  return { ...spec, mode: { kind: 'synchronous', quorum: 1, deadlineSeconds: 3600, ...mode } };
}

export function buffered(
  mode: Partial<BufferedMode>,
  spec: Omit<NetworkSpec, 'mode'> = CALM,
): NetworkSpec & { readonly mode: BufferedMode } {
  return { ...spec, mode: { kind: 'buffered', size: 2, maxStaleness: 10, concurrency: 4, ...mode } };
}

/** What is carried, for so many clients with 100 examples each. */
export function facts(clients: number, rounds: number, more: Partial<NetworkFacts> = {}): NetworkFacts {
  const examplesPerClient = Array.from({ length: clients }, () => 100);
  return {
    clients,
    rounds,
    examplesPerClient,
    sampled: null,
    updateBytes: 100_000,
    modelBytes: 200_000,
    seed: 1,
    ...more,
  };
}

/** All rounds of a network; of one that gives up, those before. */
export function life(spec: NetworkSpec, about: NetworkFacts, onEvent?: (event: JobEvent) => void): RoundTraffic[] {
  return livedBy(createNetwork(spec, about, onEvent), about.rounds);
}

/** As many rounds as a network has of those asked for. */
export function livedBy(network: Network, rounds: number): RoundTraffic[] {
  const lived: RoundTraffic[] = [];
  try {
    while (lived.length < rounds) lived.push(network.next());
  } catch (error) {
    if (!(error instanceof NetworkError) || error.code !== 'network/job-failed') throw error;
  }
  return lived;
}
