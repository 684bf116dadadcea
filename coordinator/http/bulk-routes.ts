import type { IncomingMessage } from 'node:http';
import send from '@fastify/send';
import { type FastifyInstance, type FastifyRequest, fastify } from 'fastify';
import { z } from 'zod';
import type { Hex } from '../../shared/bytes.ts';
import { FedanchorError } from '../../shared/errors.ts';
import { type HostedJob, type JobRegister, jobOfSession } from '../job-register.ts';
import type { Guard } from '../limits/guard.ts';
import { LimitError } from '../limits/limit-error.ts';
import type { Log } from '../log.ts';
import { type Session, SessionError, type Sessions } from '../sessions.ts';
import type { Certificate } from './certificate.ts';
import { createPartBodies, PartBodyError } from './part-bodies.ts';
import { notOpen, protectRequests, sessionOfRequest } from './protect.ts';
import { serverOptions } from './server-options.ts';

/** What the bulk plane works with. */
export interface BulkOptions {
  /** The coordinator's jobs. */
  readonly jobs: JobRegister;
  /** Register of sessions, for tokens. */
  readonly sessions: Sessions;
  /** Holds every party to its share. */
  readonly guard: Guard;
  /** Serves TLS with it; plaintext without. */
  readonly certificate?: Certificate | undefined;
  /** Where to tell what happens. */
  readonly log: Log;
}

const blobParams = z.strictObject({
  job: z.string().regex(/^0x[0-9a-f]{64}$/),
  id: z.string().regex(/^0x[0-9a-f]{64}$/),
});
const partParams = z.strictObject({
  job: z.string().regex(/^0x[0-9a-f]{64}$/),
  root: z.string().regex(/^0x[0-9a-f]{64}$/),
  part: z.coerce.number().int().min(0).max(100_000),
});

/** How a coded error reads in HTTP. */
const STATUS: Readonly<Record<string, number>> = {
  'session/not-open': 401,
  'session/wrong-role': 403,
  'session/not-allowed': 403,
  'request/encoded': 415,
  'request/too-many': 429,
  'request/unknown-job': 404,
  'request/wrong-job': 404,
  'upload/no-offer': 404,
  'upload/no-such-part': 404,
  'blob/missing': 404,
  'upload/over-quota': 429,
  'coordinator/storage-unavailable': 503,
};

/** Builds the HTTP server of the bulk plane: content-addressed blobs out, verified parts in. */
export function createBulkServer({ jobs, sessions, guard, certificate, log }: BulkOptions): FastifyInstance {
  // Over TLS it is another kind of server to the compiler, and the same one to all that is done with it here.
  const server = fastify(serverOptions(guard.limits, certificate)) as unknown as FastifyInstance;
  server.removeAllContentTypeParsers();
  const bodies = createPartBodies();
  server.addContentTypeParser('application/octet-stream', (request: FastifyRequest, payload: IncomingMessage) => {
    const announced = request.headers['content-length'];
    return bodies.read(payload, announced === undefined ? undefined : Number(announced));
  });

  protectRequests(server, sessions, guard);
  const session = (request: FastifyRequest): Session => {
    const found = sessionOfRequest(sessions, request);
    if (found) return found;
    throw notOpen();
  };
  const participation = (request: FastifyRequest, asked: Hex): { job: HostedJob; address: Hex } => {
    const found = session(request);
    if (found.role === 'participant') return { job: jobOfSession(jobs, found, asked), address: found.address };
    throw new SessionError('session/wrong-role', `this request is for a participant, not for an ${found.role}`);
  };

  server.get('/healthz', async () => ({ status: 'ok' }));

  server.get('/jobs/:job/blobs/:id', async (request, reply) => {
    const { job: asked, id } = blobParams.parse(request.params) as { job: Hex; id: Hex };
    const { terms, blobs, runner } = jobs.find(asked);
    guard.download(asked);
    const isPublic = terms.manifest.disclosure === 'public';
    if (!isPublic && (session(request).job ?? asked) !== asked) {
      throw new SessionError('session/not-allowed', `job ${asked} discloses its data to its own sessions only`);
    }
    if (runner.isSealed(id)) {
      const message = `update ${id} is of a round that is still open: it is disclosed with the round's outcome`;
      return reply.code(403).send({ code: 'blob/sealed', message });
    }
    const { statusCode, headers, stream, type } = await send(request.raw, blobs.relativePath(id), {
      root: blobs.folder,
      immutable: true,
      maxAge: '365d',
      contentType: false,
    });
    if (type === 'error') {
      const [code, message] =
        statusCode === 416
          ? ['blob/no-such-range', `blob ${id} does not reach so far`]
          : ['blob/missing', `there is no blob ${id}`];
      return reply.code(statusCode).send({ code, message });
    }
    // A shared cache must not hand to anyone what this server hands to sessions only.
    if (!isPublic) headers['Cache-Control'] = 'private, max-age=31536000, immutable';
    return reply.code(statusCode).headers(headers).type('application/octet-stream').send(stream);
  });

  const partRoute = { config: { isPart: true } };
  server.put('/jobs/:job/uploads/:root/parts/:part', partRoute, async (request, reply) => {
    const { job: asked, root, part } = partParams.parse(request.params) as { job: Hex; root: Hex; part: number };
    const { job, address } = participation(request, asked);
    const body = request.body instanceof Uint8Array ? request.body : new Uint8Array();
    await job.uploads.putPart(address, root, part, body).finally(() => bodies.giveBack(body));
    return reply.code(204).send();
  });

  server.head('/jobs/:job/uploads/:root/parts/:part', partRoute, async (request, reply) => {
    const { job: asked, root, part } = partParams.parse(request.params) as { job: Hex; root: Hex; part: number };
    const { job, address } = participation(request, asked);
    return reply.code((await job.uploads.hasPart(address, root, part)) ? 200 : 404).send();
  });

  server.setNotFoundHandler((request, reply) =>
    reply.code(404).send({ code: 'request/unknown', message: `there is nothing at ${request.method} ${request.url}` }),
  );
  server.setErrorHandler((error: Error & { statusCode?: number }, request, reply) => {
    if (error instanceof LimitError) reply.header('retry-after', Math.ceil(error.retryAfterMs / 1000));
    if (error instanceof PartBodyError) {
      return reply.code(error.statusCode).send({ code: error.code, message: error.message });
    }
    if (error instanceof FedanchorError) {
      return reply.code(STATUS[error.code] ?? 400).send({ code: error.code, message: error.message });
    }
    if (error instanceof z.ZodError) {
      return reply.code(400).send({ code: 'request/invalid', message: `${request.url}: ${error.issues[0]?.message}` });
    }
    const status = error.statusCode ?? 500;
    if (status >= 500) log.error({ url: request.url, error: error.message }, 'request failed');
    const message = status >= 500 ? 'the coordinator could not do this now: try again later' : error.message;
    return reply.code(status).send({ code: status >= 500 ? 'request/failed' : 'request/invalid', message });
  });
  return server;
}
