import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { MetricsAccess } from '../config/coordinator-config.ts';
import type { Readiness } from '../operator/readiness.ts';
import type { CoordinatorMetrics } from './coordinator-metrics.ts';

/** What the routes answer from. */
export interface OperatorRoutes {
  /** Whether the coordinator can do its work. */
  readonly readiness: () => Promise<Readiness>;
  /** The numbers. */
  readonly metrics: CoordinatorMetrics;
  /** Who may read the numbers. */
  readonly access: MetricsAccess;
}

/**
 * Adds `GET /readyz` (200 or 503, and why) and `GET /metrics`, and measures what the other routes move. To be called
 * before the server is ready.
 */
export function addOperatorRoutes(server: FastifyInstance, { readiness, metrics, access }: OperatorRoutes): void {
  const ends = new WeakMap<FastifyRequest, ReturnType<CoordinatorMetrics['requestBegan']>>();
  const end = (request: FastifyRequest, bytesOut: number): void => {
    ends.get(request)?.(Number(request.headers['content-length'] ?? 0) || 0, bytesOut);
    ends.delete(request);
  };
  server.addHook('onRequest', async (request) => {
    ends.set(request, metrics.requestBegan(request.method === 'PUT' ? 'upload' : 'other'));
  });
  server.addHook('onResponse', async (request, reply) => {
    end(request, request.method === 'HEAD' ? 0 : Number(reply.getHeader('content-length') ?? 0) || 0);
  });
  server.addHook('onRequestAbort', async (request) => end(request, 0));

  server.get('/readyz', async (request, reply) => {
    const answer = await readiness();
    // Paths and nodes are nobody's business elsewhere.
    const { ready, checks } = answer;
    const outline = { ready, checks: checks.map(({ name, ok }) => ({ name, ok })) };
    return reply.code(ready ? 200 : 503).send(isFromHere(request) ? answer : outline);
  });
  if (access === 'off') return;
  server.get('/metrics', async (request, reply) => {
    if (access === 'loopback' && !isFromHere(request)) {
      const message =
        'metrics are for programs on the coordinator\'s machine: set metrics.access = "anyone" to change that';
      return reply.code(403).send({ code: 'metrics/not-here', message });
    }
    return reply.type(metrics.contentType).send(await metrics.text());
  });
}

/** Whether a request comes from this machine, and not by way of a proxy on it. */
function isFromHere({ raw, headers }: FastifyRequest): boolean {
  const address = raw.socket.remoteAddress ?? '';
  const isLocal = address === '::1' || /^(::ffff:)?127\./.test(address);
  return isLocal && headers['x-forwarded-for'] === undefined && headers.forwarded === undefined;
}
