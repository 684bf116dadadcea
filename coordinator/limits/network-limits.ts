import { FedanchorError } from '../../shared/errors.ts';
import type { Rate } from './token-bucket.ts';

/** Thrown for limits that would lock everybody out or that are not numbers. */
export class NetworkLimitsError extends FedanchorError<'limits/invalid'> {}

/** What the network side of a coordinator grants, in numbers. An honest client stays far below each of them. */
export interface NetworkLimits {
  /** Connections at once, of everybody together; further ones are closed as they come. */
  readonly connections: number;
  /** Connections at once from one address; exempt peers are not counted. */
  readonly connectionsPerAddress: number;
  /** Control connections and sessions begun from one address. */
  readonly handshakesPerAddress: Rate;
  /** Control requests of one participant in one job, or of one connection that has no session yet. */
  readonly requestsPerSession: Rate;
  /** Control requests of all participants of one job together. */
  readonly requestsPerJob: Rate;
  /** Parts of updates sent by one participant in one job, whether they are taken or refused. */
  readonly partsPerSession: Rate;
  /** Parts on their way in at once, of one participant in one job. */
  readonly partsAtOncePerSession: number;
  /** Parts on their way in at once, of all participants of one job together. */
  readonly partsAtOncePerJob: number;
  /** Parts on their way in at once, of everybody: times the size of a part, the memory that uploads take. */
  readonly partsAtOnce: number;
  /** Other HTTP requests of one session, or of one address without one. */
  readonly downloadsPerParty: Rate;
  /** Other HTTP requests of one job. */
  readonly downloadsPerJob: Rate;
  /** Refused control requests after which a connection is closed. */
  readonly refusalsPerConnection: number;
  /** Notices and replies that wait for a connection that does not read; beyond them it is closed. */
  readonly unreadMessages: number;
  /** Bytes of one message of the control plane. */
  readonly messageBytes: number;
  /** Milliseconds that a connection may stay without a session, and that a TLS handshake may take. */
  readonly handshakeMs: number;
  /** Milliseconds within which the headers of an HTTP request must be there. */
  readonly headersMs: number;
  /** Milliseconds within which a whole HTTP request must be there, its body included. */
  readonly requestMs: number;
  /** Milliseconds that an HTTP connection may be idle between requests. */
  readonly keepAliveMs: number;
  /** Milliseconds that an HTTP connection may stand still within a request, such as one that does not read its answer. */
  readonly stallMs: number;
  /** Milliseconds between two signs of life asked of a control connection. */
  readonly heartbeatMs: number;
  /** Milliseconds that a sign of life may take; then the connection counts as lost. */
  readonly heartbeatTimeoutMs: number;
  /** Milliseconds that a participant may be away before a round stops waiting for it. */
  readonly absenceMs: number;
}

/** Limits for a coordinator of a few thousand clients on a small machine. */
export const DEFAULT_LIMITS: NetworkLimits = {
  connections: 16_384,
  connectionsPerAddress: 1024,
  handshakesPerAddress: { perSecond: 50, burst: 1000 },
  requestsPerSession: { perSecond: 20, burst: 100 },
  requestsPerJob: { perSecond: 2000, burst: 20_000 },
  partsPerSession: { perSecond: 200, burst: 2000 },
  partsAtOncePerSession: 8,
  partsAtOncePerJob: 256,
  partsAtOnce: 512,
  downloadsPerParty: { perSecond: 50, burst: 500 },
  downloadsPerJob: { perSecond: 2000, burst: 20_000 },
  refusalsPerConnection: 200,
  unreadMessages: 1024,
  messageBytes: 2 ** 20,
  handshakeMs: 10_000,
  headersMs: 10_000,
  requestMs: 60_000,
  keepAliveMs: 10_000,
  stallMs: 60_000,
  heartbeatMs: 25_000,
  heartbeatTimeoutMs: 20_000,
  absenceMs: 10_000,
};

/**
 * The limits of a coordinator: the defaults but for what is given.
 *
 * @throws NetworkLimitsError `limits/invalid` for a number that is not above 0, or a burst below 1
 */
export function networkLimits(given: Partial<NetworkLimits> = {}): NetworkLimits {
  const limits = { ...DEFAULT_LIMITS, ...given };
  for (const [field, limit] of Object.entries(limits) as [keyof NetworkLimits, number | Rate][]) {
    const isRate = typeof limit === 'object';
    const isValid = isRate ? limit.perSecond > 0 && limit.burst >= 1 : Number.isInteger(limit) && limit > 0;
    if (isValid) continue;
    const wanted = isRate ? 'perSecond above 0 and a burst of 1 or more' : 'a whole number above 0';
    throw new NetworkLimitsError('limits/invalid', `limit "${field}": give ${wanted}`, { field, limit });
  }
  return limits;
}
