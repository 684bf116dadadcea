import type { Server as HttpServer } from 'node:http';
import { Server, type Socket } from 'socket.io';
import { NOTICES } from '../../shared/protocol/messages.ts';
import { Decoder, Encoder } from '../../shared/protocol/parser.ts';
import type { HostedJob, JobRegister } from '../job-register.ts';
import type { Guard } from '../limits/guard.ts';
import type { LimitError } from '../limits/limit-error.ts';
import { createSlots } from '../limits/slots.ts';
import type { Log } from '../log.ts';
import { createPlaces } from '../places.ts';
import type { Sessions } from '../sessions.ts';
import { announceChanges } from './announcements.ts';
import { type Asker, answerRequest } from './answer-request.ts';
import { createAttendance } from './attendance.ts';
import type { Connection } from './connection.ts';
import type { ControlHandlers } from './control-handlers.ts';

/** What the control plane works with. */
export interface SocketServerOptions {
  /** The server it shares with the bulk plane. */
  readonly http: HttpServer;
  /** What requests mean. */
  readonly handlers: ControlHandlers;
  /** The register of sessions. */
  readonly sessions: Sessions;
  /** The coordinator's jobs. */
  readonly jobs: JobRegister;
  /** Holds every party to its share. */
  readonly guard: Guard;
  /** Where to tell what happens. */
  readonly log: Log;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** The code of a request over its sender's share. */
const LIMITED: LimitError['code'] = 'request/too-many';

/** A connection below socket.io. */
type RawConnection = Socket['conn'];

/** Serves the control plane over socket.io. */
export function createSocketServer(options: SocketServerOptions): Server {
  const { http, handlers, sessions, jobs, guard, log, now } = options;
  const { limits } = guard;
  const server = new Server(http, {
    parser: { Encoder, Decoder },
    serveClient: false,
    maxHttpBufferSize: limits.messageBytes,
    transports: ['websocket'],
    // A few compressed bytes could unfold to any number.
    perMessageDeflate: false,
    httpCompression: false,
    connectTimeout: limits.handshakeMs,
    pingInterval: limits.heartbeatMs,
    pingTimeout: limits.heartbeatTimeoutMs,
    allowRequest: (request, decide) => {
      try {
        guard.handshake(guard.peerOf(request));
        decide(null, true);
      } catch (error) {
        decide((error as Error).message, false);
      }
    },
  });
  holdConnections(server, guard);
  const attendance = createAttendance(limits.absenceMs);
  const places = createPlaces({
    isAlive: async (id) => answersPing(server.sockets.sockets.get(id)),
    disconnect: (id) => {
      const raw = server.sockets.sockets.get(id)?.conn;
      if (raw) cutOff(raw);
    },
  });
  jobs.onJob((hosted) => {
    attendance.open(hosted);
    announceChanges(hosted, now, (state) => server.to(state.job).emit(NOTICES.jobState, state));
  });

  server.on('connection', (socket) => {
    const watched = new Map<HostedJob, () => void>();
    const connection: Connection = {
      challenge: undefined,
      session: undefined,
      join: async (job, { address }) => {
        await places.claim(`${job.terms.job}/${address}`, socket.id);
        void socket.join(job.terms.job);
        attendance.arrive(job, address, socket.id);
      },
      watch: (job) => {
        void socket.join(job.terms.job);
        if (watched.has(job)) return;
        const { runner } = job;
        for (const event of runner.history) socket.emit(NOTICES.jobEvent, { job: job.terms.job, event });
        watched.set(
          job,
          runner.subscribe((event) => socket.emit(NOTICES.jobEvent, { job: job.terms.job, event })),
        );
      },
    };
    const handshake = setTimeout(() => connection.session ?? socket.disconnect(true), limits.handshakeMs);
    // An operator that begins to watch is sent a whole history at once.
    holdUnread(socket.conn, limits.unreadMessages, () => connection.session?.role !== 'operator');

    const asker: Asker = { id: socket.id, peer: guard.peerOf(socket.request), connection };
    let refusals = 0;
    socket.onAny(async (name: string, payload: unknown, acknowledge: unknown) => {
      if (typeof acknowledge !== 'function') return void socket.disconnect(true);
      const reply = await answerRequest({ handlers, guard, log }, asker, name, payload);
      acknowledge(reply);
      if (!reply.ok && reply.code === LIMITED && ++refusals >= limits.refusalsPerConnection) cutOff(socket.conn);
    });
    socket.on('disconnect', () => {
      clearTimeout(handshake);
      for (const stop of watched.values()) stop();
      if (connection.session) sessions.end(connection.session);
      places.release(socket.id);
      attendance.depart(socket.id);
    });
  });
  return server;
}

/** How long a connection has to answer a ping that was sent because another one claims its place. */
const PING_ANSWER_MS = 3000;

/** Whether the other end of a connection still answers. */
async function answersPing(socket: Socket | undefined): Promise<boolean> {
  if (!socket?.connected) return false;
  const { conn } = socket;
  return new Promise((resolve) => {
    const answer = (isAlive: boolean): void => {
      clearTimeout(limit);
      conn.off('heartbeat', alive);
      resolve(isAlive);
    };
    const alive = (): void => answer(true);
    const limit = setTimeout(() => answer(false), PING_ANSWER_MS);
    conn.once('heartbeat', alive);
    // The engine pings on its own clock only; its method for it is not part of its declared interface.
    (conn as unknown as { sendPacket(type: 'ping'): void }).sendPacket('ping');
  });
}

/** Engine connections of one address, proxies' clients each for themselves; further ones are cut off. */
function holdConnections(server: Server, guard: Guard): void {
  const slots = createSlots(guard.limits.connectionsPerAddress, guard.limits.connections);
  server.engine.on('connection', (raw: RawConnection) => {
    const peer = guard.peerOf(raw.request);
    if (peer === undefined) return;
    const release = slots.take(peer);
    if (release) raw.once('close', release);
    else cutOff(raw);
  });
}

/** Cuts a connection off when more waits for it than one that reads ever lets wait. */
function holdUnread(raw: RawConnection, mostUnread: number, isHeld: () => boolean): void {
  let unread = 0;
  raw.on('packetCreate', () => {
    unread++;
    if (unread > mostUnread && isHeld()) cutOff(raw);
  });
  raw.on('flush', () => {
    unread = 0;
  });
}

/** Ends a connection at once: a farewell would wait behind all that its peer does not read. */
function cutOff({ request }: RawConnection): void {
  request.socket.destroy();
}
