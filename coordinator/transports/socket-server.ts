import type { Server as HttpServer } from 'node:http';
import { Server, type Socket } from 'socket.io';
import type { Hex } from '../../shared/bytes.ts';
import { FedanchorError } from '../../shared/errors.ts';
import { NOTICES, OPERATIONS, type OperationName, type Reply } from '../../shared/protocol/messages.ts';
import { Decoder, Encoder } from '../../shared/protocol/parser.ts';
import { jobStateMessage } from '../job-state-message.ts';
import type { Log } from '../log.ts';
import type { JobRunner } from '../runner.ts';
import type { Sessions } from '../sessions.ts';
import type { Connection, ControlHandlers } from './control-handlers.ts';

/** What the control plane works with. */
export interface SocketServerOptions {
  /** The server it shares with the bulk plane. */
  readonly http: HttpServer;
  /** What requests mean. */
  readonly handlers: ControlHandlers;
  /** The register of sessions. */
  readonly sessions: Sessions;
  /** The job. */
  readonly job: Hex;
  /** The job's loop. */
  readonly runner: JobRunner;
  /** Where to tell what happens. */
  readonly log: Log;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** A message of the control plane is small; bulk data goes over HTTP. */
const MESSAGE_LIMIT_BYTES = 1 << 20;

/** How long a connection may stay without a session. */
const HANDSHAKE_LIMIT_MS = 10_000;

/** How long a participant may be away before the next round stops waiting for it. */
const ABSENCE_GRACE_MS = 10_000;

/** Serves the control plane over socket.io. */
export function createSocketServer(options: SocketServerOptions): Server {
  const { http, handlers, sessions, job, runner, log, now } = options;
  const server = new Server(http, {
    parser: { Encoder, Decoder },
    serveClient: false,
    maxHttpBufferSize: MESSAGE_LIMIT_BYTES,
    transports: ['websocket'],
  });
  const connections = new Map<Hex, Set<string>>();

  runner.subscribe((_event, state) => {
    server.to('followers').emit(NOTICES.jobState, jobStateMessage(job, state, now()));
    if (state.phase !== 'open') return;
    // Who is connected is there to start with, even after a deadline was missed: nobody would tell them to join again.
    for (const address of connections.keys()) {
      if (!state.progress.present.includes(address)) void runner.join(address).catch(() => {});
    }
  });

  server.on('connection', (socket) => {
    const joined = new Set<Hex>();
    let stopWatching: (() => void) | undefined;
    const connection: Connection = {
      challenge: undefined,
      session: undefined,
      join: (address) => {
        void socket.join('followers');
        joined.add(address);
        connections.set(address, (connections.get(address) ?? new Set()).add(socket.id));
      },
      watch: () => {
        void socket.join('followers');
        if (stopWatching) return;
        for (const event of runner.history) socket.emit(NOTICES.jobEvent, event);
        stopWatching = runner.subscribe((event) => socket.emit(NOTICES.jobEvent, event));
      },
    };
    const handshake = setTimeout(() => connection.session ?? socket.disconnect(true), HANDSHAKE_LIMIT_MS);

    socket.onAny((name: string, ...args: unknown[]) => {
      void serve(socket, connection, handlers, name, args, log);
    });
    socket.on('disconnect', () => {
      clearTimeout(handshake);
      stopWatching?.();
      if (connection.session) sessions.end(connection.session);
      // A connection may have opened sessions under several addresses, one after the other.
      for (const address of joined) {
        const mine = connections.get(address);
        if (!mine?.delete(socket.id) || mine.size > 0) continue;
        connections.delete(address);
        setTimeout(() => {
          if (!connections.has(address)) void runner.leave(address).catch(() => {});
        }, ABSENCE_GRACE_MS).unref();
      }
    });
  });
  return server;
}

/** Validates a request, has it handled, acknowledges it with a typed reply. */
async function serve(
  socket: Socket,
  connection: Connection,
  handlers: ControlHandlers,
  name: string,
  args: readonly unknown[],
  log: Log,
): Promise<void> {
  const [payload, acknowledge] = args;
  if (typeof acknowledge !== 'function') {
    socket.disconnect(true);
    return;
  }
  acknowledge(await reply(connection, handlers, name, payload, log));
}

async function reply(
  connection: Connection,
  handlers: ControlHandlers,
  name: string,
  payload: unknown,
  log: Log,
): Promise<Reply<unknown>> {
  if (!Object.hasOwn(OPERATIONS, name)) {
    return { ok: false, code: 'request/unknown', message: `there is no request named "${name.slice(0, 80)}"` };
  }
  const operation = name as OperationName;
  const request = OPERATIONS[operation].request.safeParse(payload);
  if (!request.success) {
    const issue = request.error.issues[0];
    return {
      ok: false,
      code: 'request/invalid',
      message: `${operation}, field "${issue?.path.join('.') ?? ''}": ${issue?.message ?? 'is not valid'}`,
    };
  }
  try {
    const handle = handlers[operation] as (connection: Connection, request: unknown) => Promise<unknown>;
    return { ok: true, answer: await handle(connection, request.data) };
  } catch (error) {
    if (error instanceof FedanchorError) return { ok: false, code: error.code, message: error.message };
    log.error({ operation, error: (error as Error).message }, 'request failed');
    return { ok: false, code: 'request/failed', message: 'the coordinator could not do this now: try again later' };
  }
}
