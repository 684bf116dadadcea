import type { Socket } from 'node:net';
import type { FastifyReply, FastifyServerOptions } from 'fastify';
import { PART_BYTES } from '../../shared/commitments/vector-trees.ts';
import type { NetworkLimits } from '../limits/network-limits.ts';
import type { Certificate } from './certificate.ts';

/** How the parser of HTTP requests gives up on one, in the words of the rest of the plane. */
const BROKEN_REQUESTS: Readonly<Record<string, readonly [string, string, string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'request/too-slow', 'the request did not arrive in time'],
  HPE_HEADER_OVERFLOW: ['431 Request Header Fields Too Large', 'request/invalid', 'the headers are too long'],
};
const BROKEN_REQUEST = ['400 Bad Request', 'request/invalid', 'this is not HTTP/1.1'] as const;

/**
 * What the HTTP server is made with: how long each stage of a request may take, and TLS where there is a certificate.
 * A connection that trickles, stands still or says nothing costs its own slot for so long and nobody else's.
 */
export function serverOptions(limits: NetworkLimits, certificate: Certificate | undefined) {
  const { headersMs, requestMs, keepAliveMs, stallMs, handshakeMs } = limits;
  const timing = {
    headersTimeout: headersMs,
    // Time limits are looked at so often; the platform's own 30 seconds would add to each of them.
    connectionsCheckingInterval: Math.ceil(Math.min(headersMs, requestMs) / 2),
  };
  const common = {
    bodyLimit: PART_BYTES,
    forceCloseConnections: true,
    requestTimeout: requestMs,
    keepAliveTimeout: keepAliveMs,
    connectionTimeout: stallMs,
    // Paths that cannot even be decoded never reach a route or the error handler.
    frameworkErrors: (error, request, reply) => {
      void (reply as FastifyReply)
        .code(400)
        .send({ code: 'request/invalid', message: `${request.url}: ${error.message}` });
    },
    clientErrorHandler: (error, socket: Socket) => {
      const known = BROKEN_REQUESTS[error.code] ?? (error.code.startsWith('HPE_') ? BROKEN_REQUEST : undefined);
      // After a reset, or before a TLS handshake, there is nobody to tell.
      if (!known || !socket.writable) return void socket.destroy();
      const [status, code, message] = known;
      const body = JSON.stringify({ code, message });
      socket.end(
        `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`,
      );
      // An end that is never taken would keep the connection open for ever.
      socket.destroySoon();
    },
  } satisfies FastifyServerOptions;
  const secure = certificate && { ...certificate, ...timing, handshakeTimeout: handshakeMs, minVersion: 'TLSv1.2' };
  return secure ? { ...common, https: secure } : { ...common, http: timing };
}
