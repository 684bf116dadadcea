import type { IncomingMessage } from 'node:http';
import type { Hex } from '../../shared/bytes.ts';
import { LimitError } from './limit-error.ts';
import type { NetworkLimits } from './network-limits.ts';
import type { Peers } from './peers.ts';
import { createSlots } from './slots.ts';
import { createTokenBuckets } from './token-bucket.ts';

/** Whose share a request counts against. */
export interface Party {
  /** Address that a session has proven. */
  readonly address: Hex;
  /** The session's job; null for an operator. */
  readonly job: Hex | null;
}

/** Holds every party to its share of the coordinator, so that what one asks for is taken from no other. */
export interface Guard {
  /** The limits it goes by. */
  readonly limits: NetworkLimits;
  /** Whom limits by address count for a request; undefined for a peer they do not hold for. */
  peerOf(request: IncomingMessage): string | undefined;
  /**
   * A control connection or a session begins.
   *
   * @throws LimitError
   */
  handshake(peer: string | undefined): void;
  /**
   * A request of the control plane; `connection` tells connections without a session apart.
   *
   * @throws LimitError
   */
  request(connection: string, party: Party | undefined): void;
  /**
   * A part of an update is about to be sent: its bytes are read only if this returns.
   *
   * @returns the way to say that the part has been dealt with
   * @throws LimitError
   */
  part(party: Party): () => void;
  /**
   * Any other HTTP request.
   *
   * @throws LimitError
   */
  httpRequest(peer: string | undefined, party: Party | undefined): void;
  /**
   * A blob of a job is asked for.
   *
   * @throws LimitError
   */
  download(job: Hex): void;
}

/** Pause asked of those who have too many parts on their way in: about the time that one takes. */
const PARTS_PAUSE_MS = 250;

/**
 * Creates the guard of one coordinator.
 *
 * A party's own share is always looked at before its job's: one flooding participant spends its own tokens, and what is
 * refused to it is not taken from the others of its job.
 *
 * @param limits - the numbers
 * @param peers - tells addresses apart
 * @param nowMs - a clock in milliseconds
 */
export function createGuard(limits: NetworkLimits, peers: Peers, nowMs: () => number): Guard {
  const handshakes = createTokenBuckets(limits.handshakesPerAddress, nowMs);
  const requests = createTokenBuckets(limits.requestsPerSession, nowMs);
  const jobRequests = createTokenBuckets(limits.requestsPerJob, nowMs);
  const parts = createTokenBuckets(limits.partsPerSession, nowMs);
  const partsOfSession = createSlots(limits.partsAtOncePerSession, Number.POSITIVE_INFINITY);
  const partsOfJob = createSlots(limits.partsAtOncePerJob, limits.partsAtOnce);
  const downloads = createTokenBuckets(limits.downloadsPerParty, nowMs);
  const jobDownloads = createTokenBuckets(limits.downloadsPerJob, nowMs);

  const hold = (what: string, waitMs: number): void => {
    if (waitMs > 0) throw new LimitError(what, waitMs);
  };

  return {
    limits,
    peerOf: ({ socket, headers }) => peers.keyOf(socket.remoteAddress, headers['x-forwarded-for']),
    handshake: (peer) => {
      if (peer !== undefined) hold('handshakes from this address', handshakes.take(peer));
    },
    request: (connection, party) => {
      hold('requests', requests.take(party ? keyOf(party) : connection));
      if (party?.job) hold(`requests of job ${party.job}`, jobRequests.take(party.job));
    },
    part: (party) => {
      const key = keyOf(party);
      hold('parts', parts.take(key));
      const done = partsOfSession.take(key);
      if (!done) throw new LimitError('parts at once', PARTS_PAUSE_MS);
      const doneForJob = partsOfJob.take(party.job ?? key);
      if (!doneForJob) {
        done();
        throw new LimitError(`parts at once of job ${party.job}`, PARTS_PAUSE_MS);
      }
      return () => {
        done();
        doneForJob();
      };
    },
    httpRequest: (peer, party) => {
      const key = party ? keyOf(party) : peer;
      if (key !== undefined) hold('requests', downloads.take(key));
    },
    download: (job) => hold(`downloads of job ${job}`, jobDownloads.take(job)),
  };
}

function keyOf({ address, job }: Party): string {
  return `${job ?? 'operator'}/${address}`;
}
