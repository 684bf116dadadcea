import send from '@fastify/send';
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import { z } from 'zod';
import type { Hex } from '../../shared/bytes.ts';
import { PART_BYTES } from '../../shared/commitments/vector-trees.ts';
import { FedanchorError } from '../../shared/errors.ts';
import type { BlobStore } from '../blobs/blob-store.ts';
import type { UploadError, UploadStore } from '../blobs/upload-store.ts';
import type { Log } from '../log.ts';
import { type Session, SessionError, type Sessions } from '../sessions.ts';

/** What the bulk plane works with. */
export interface BulkOptions {
  /** The job. */
  readonly job: Hex;
  /** Stored blobs. */
  readonly blobs: BlobStore;
  /** Updates on their way in. */
  readonly uploads: UploadStore;
  /** Register of sessions, for tokens. */
  readonly sessions: Sessions;
  /** Whether blobs are served to anyone, or to sessions only. */
  readonly openBlobs: boolean;
  /** Where to tell what happens. */
  readonly log: Log;
}

const blobParams = z.strictObject({ id: z.string().regex(/^0x[0-9a-f]{64}$/) });
const partParams = z.strictObject({
  job: z.string().regex(/^0x[0-9a-f]{64}$/),
  root: z.string().regex(/^0x[0-9a-f]{64}$/),
  part: z.coerce.number().int().min(0).max(100_000),
});

/** How a coded error reads in HTTP. */
const STATUS: Readonly<Record<string, number>> = {
  'session/not-open': 401,
  'session/wrong-role': 403,
  'upload/no-offer': 404,
  'upload/no-such-part': 404,
  'blob/missing': 404,
  'upload/over-quota': 429,
};

/** Builds the HTTP server of the bulk plane: content-addressed blobs out, verified parts in. */
export function createBulkServer({ job, blobs, uploads, sessions, openBlobs, log }: BulkOptions): FastifyInstance {
  const server = fastify({
    bodyLimit: PART_BYTES,
    forceCloseConnections: true,
    requestTimeout: 60_000,
    // Paths that cannot even be decoded never reach a route or the error handler.
    frameworkErrors: (error, request, reply) => {
      void (reply as FastifyReply)
        .code(400)
        .send({ code: 'request/invalid', message: `${request.url}: ${error.message}` });
    },
  });
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('application/octet-stream', { parseAs: 'buffer' }, (_request, body, done) =>
    done(null, body),
  );

  const participant = (request: FastifyRequest): Session => {
    const session = sessions.find(request.headers.authorization?.replace(/^Bearer /, '') ?? '');
    if (!session) throw new SessionError('session/not-open', 'send the token of an open session as a Bearer token');
    if (session.role !== 'participant') {
      throw new SessionError('session/wrong-role', `this request is for a participant, not for an ${session.role}`);
    }
    return session;
  };

  server.get('/healthz', async () => ({ status: 'ok' }));

  server.get('/blobs/:id', async (request, reply) => {
    const { id } = blobParams.parse(request.params) as { id: Hex };
    if (!openBlobs && !sessions.find(request.headers.authorization?.replace(/^Bearer /, '') ?? '')) {
      throw new SessionError('session/not-open', 'this job discloses its data to open sessions only');
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
    if (!openBlobs) headers['Cache-Control'] = 'private, max-age=31536000, immutable';
    return reply.code(statusCode).headers(headers).type('application/octet-stream').send(stream);
  });

  server.put('/jobs/:job/uploads/:root/parts/:part', async (request, reply) => {
    const { address } = participant(request);
    const { job: asked, root, part } = partParams.parse(request.params) as { job: Hex; root: Hex; part: number };
    const body = request.body instanceof Uint8Array ? request.body : new Uint8Array();
    if (asked !== job)
      return reply.code(404).send({ code: 'request/wrong-job', message: `job ${asked} is not run here` });
    await uploads.putPart(address, root, part, body);
    return reply.code(204).send();
  });

  server.head('/jobs/:job/uploads/:root/parts/:part', async (request, reply) => {
    const { address } = participant(request);
    const { job: asked, root, part } = partParams.parse(request.params) as { job: Hex; root: Hex; part: number };
    return reply.code(asked === job && (await uploads.hasPart(address, root, part)) ? 200 : 404).send();
  });

  server.setNotFoundHandler((request, reply) =>
    reply.code(404).send({ code: 'request/unknown', message: `there is nothing at ${request.method} ${request.url}` }),
  );
  server.setErrorHandler(
    (error: Error & Partial<Pick<UploadError, 'code'>> & { statusCode?: number }, request, reply) => {
      if (error instanceof FedanchorError) {
        return reply.code(STATUS[error.code] ?? 400).send({ code: error.code, message: error.message });
      }
      if (error instanceof z.ZodError) {
        return reply
          .code(400)
          .send({ code: 'request/invalid', message: `${request.url}: ${error.issues[0]?.message}` });
      }
      const status = error.statusCode ?? 500;
      if (status >= 500) log.error({ url: request.url, error: error.message }, 'request failed');
      const message = status >= 500 ? 'the coordinator could not do this now: try again later' : error.message;
      return reply.code(status).send({ code: status >= 500 ? 'request/failed' : 'request/invalid', message });
    },
  );
  return server;
}
