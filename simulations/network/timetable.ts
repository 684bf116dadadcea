import type { Device, Luck } from './devices.ts';

/**
 * When a client does what in one piece of work, in milliseconds on the virtual clock. The messages are those of the protocol
 * (docs/protocol.md), one after the other: the request for the model and its answer; the offer of the update and its answer;
 * the parts and their answer; the statement.
 */
export interface Timetable {
  /** The first byte of the model is on its way. */
  readonly fetchesAt: number;
  /** The model is there. */
  readonly fetchedAt: number;
  /** The update is trained. */
  readonly trainedAt: number;
}

/** When a client that begins to send does what. */
export interface Sending {
  /** The first byte of the update is on its way. */
  readonly sendsAt: number;
  /** The last byte of it has been sent. */
  readonly sentAt: number;
  /** The statement is with the coordinator, which decides. */
  readonly arrivesAt: number;
}

/**
 * `trainedAt = heardAt + 2 latencies + model / down + examples x time of one x slowness`
 *
 * @param heardAt - when the client hears that it is to work
 * @param examples - examples that it trains on
 */
export function timetable(
  { msPerExample, downMs }: Device,
  { latencyMs, slowness }: Luck,
  heardAt: number,
  examples: number,
): Timetable {
  const fetchesAt = heardAt + latencyMs;
  const fetchedAt = fetchesAt + latencyMs + downMs;
  return { fetchesAt, fetchedAt, trainedAt: fetchedAt + examples * msPerExample * slowness };
}

/**
 * `arrivesAt = from + 5 latencies + update / up`
 *
 * @param from - when the client begins to send
 */
export function sending({ upMs }: Device, { latencyMs }: Luck, from: number): Sending {
  const sendsAt = from + 2 * latencyMs;
  const sentAt = sendsAt + upMs;
  return { sendsAt, sentAt, arrivesAt: sentAt + 3 * latencyMs };
}

/** What of some bytes has been carried by a time, whole bytes. */
export function carried(bytes: number, at: number, fromMs: number, lengthMs: number): number {
  if (at <= fromMs) return 0;
  return at >= fromMs + lengthMs ? bytes : Math.floor((bytes * (at - fromMs)) / lengthMs);
}
