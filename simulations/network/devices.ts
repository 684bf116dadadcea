import { createRng } from '../../shared/rng.ts';
import type { NetworkSpec } from '../experiment/run-spec.ts';
import { quantileOf, uniform } from './distributions.ts';

/** What one client's machine and link are like, for the whole run. */
export interface Device {
  /** Milliseconds that it takes for one example. */
  readonly msPerExample: number;
  /** Milliseconds that the model takes to it. */
  readonly downMs: number;
  /** Milliseconds that an update takes from it. */
  readonly upMs: number;
}

/** What chance does to one client in one attempt. */
export interface Luck {
  /** Whether it goes away and never answers. */
  readonly drops: boolean;
  /** Factor on the time it trains. */
  readonly slowness: number;
  /** Milliseconds that each of its messages takes. */
  readonly latencyMs: number;
}

/** What every device carries. */
interface Load {
  /** Bytes of the model. */
  readonly modelBytes: number;
  /** Bytes of an update. */
  readonly updateBytes: number;
}

/**
 * Draws one client's device. Every client has a stream of its own, in which every property has its place: another number
 * of clients, or another distribution of one property, changes nothing else.
 *
 * @param seed - the run's
 * @param client - index
 */
export function drawDevice(
  { secondsPerExample, downBytesPerSecond, upBytesPerSecond }: NetworkSpec,
  { modelBytes, updateBytes }: Load,
  seed: number,
  client: number,
): Device {
  const rng = createRng(seed, `network/device/${client}`);
  return {
    msPerExample: 1000 * quantileOf(secondsPerExample, uniform(rng)),
    downMs: (1000 * modelBytes) / quantileOf(downBytesPerSecond, uniform(rng)),
    upMs: (1000 * updateBytes) / quantileOf(upBytesPerSecond, uniform(rng)),
  };
}

/**
 * Draws what happens to one client in one piece of work. A stream for each: nobody's luck depends on who else is asked.
 *
 * @param seed - the run's
 * @param client - index
 * @param work - which piece of work of the client this is, such as a round and attempt
 */
export function drawLuck(
  { dropout, straggler, latencySeconds }: NetworkSpec,
  seed: number,
  client: number,
  work: string,
): Luck {
  const rng = createRng(seed, `network/luck/${client}/${work}`);
  return {
    drops: uniform(rng) < dropout,
    slowness: uniform(rng) < straggler.chance ? straggler.factor : 1,
    latencyMs: 1000 * quantileOf(latencySeconds, uniform(rng)),
  };
}
