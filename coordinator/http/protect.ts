import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { PART_BYTES } from '../../shared/commitments/vector-trees.ts';
import { FedanchorError } from '../../shared/errors.ts';
import type { Guard } from '../limits/guard.ts';
import { type Session, SessionError, type Sessions } from '../sessions.ts';

/** Thrown for a request that is refused for its form, before its body is read. */
export class EncodingError extends FedanchorError<'request/encoded'> {}

/** The session of a request's token, if there is one. */
export function sessionOfRequest(sessions: Sessions, request: FastifyRequest): Session | undefined {
  return sessions.find(request.headers.authorization?.replace(/^Bearer /, '') ?? '');
}

/** Refuses a missing session by what to do about it. */
export function notOpen(): SessionError {
  return new SessionError('session/not-open', 'send the token of an open session as a Bearer token');
}

/**
 * Looks at every request before a byte of its body is read: whose share it counts against, and whether it is in a form
 * that is taken at all. A body is read for an open session only, and only while the session and its job have a slot.
 */
export function protectRequests(server: FastifyInstance, sessions: Sessions, guard: Guard): void {
  server.addHook('onRequest', async (request, reply) => {
    closeAfterLongBody(request, reply);
    const { 'content-encoding': encoding = 'identity' } = request.headers;
    // A few bytes that unfold to gigabytes are never unfolded.
    if (encoding !== 'identity') {
      throw new EncodingError(
        'request/encoded',
        `content-encoding ${encoding.slice(0, 40)} is not taken: send the bytes as they are`,
      );
    }
    const session = sessionOfRequest(sessions, request);
    if (request.routeOptions.config.isPart !== true) return guard.httpRequest(guard.peerOf(request.raw), session);
    if (!session) {
      guard.httpRequest(guard.peerOf(request.raw), undefined);
      throw notOpen();
    }
    reply.raw.once('close', guard.part(session));
  });
}

/**
 * What a refused request still sends is read and dropped if it is short, so that the answer arrives and the connection
 * lives on; a long body, or one of unknown length, ends with its connection.
 */
function closeAfterLongBody({ headers }: FastifyRequest, reply: FastifyReply): void {
  const isLong = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > PART_BYTES;
  if (isLong) reply.header('connection', 'close');
}

declare module 'fastify' {
  /** What this plane notes about its routes. */
  interface FastifyContextConfig {
    /** Whether the route takes parts of updates. */
    isPart?: boolean;
  }
}
