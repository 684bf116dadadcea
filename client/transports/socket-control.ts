import { io } from 'socket.io-client';
import {
  type AnswerOf,
  NOTICES,
  type OperationName,
  parseJobState,
  parseReply,
  type RequestOf,
} from '../../shared/protocol/messages.ts';
import { Decoder, Encoder } from '../../shared/protocol/parser.ts';
import type { ControlTransport } from './control-transport.ts';
import { type RetryOptions, retrying } from './retry.ts';
import { ProtocolError, TransportError } from './transport-error.ts';

/** Pauses of a client that is told it asks too much: a few, then the refusal stands. */
const TOO_MANY_RETRY: RetryOptions = { tries: 6, firstDelayMs: 250, mostDelayMs: 5_000 };

/** Longest message that is taken in, unpacked: the longest there is names the missing parts of an update, 100,000 of them. */
const MOST_MESSAGE_BYTES = 2 ** 20;

/** How to reach the control plane. */
export interface SocketControlOptions {
  /** The coordinator's address, `http:` or `https:`. */
  readonly url: string;
  /** Time for one answer; default 30 seconds. */
  readonly requestTimeoutMs?: number;
  /** First pause before connecting again, doubled up to `mostReconnectDelayMs`; default 250 ms. */
  readonly reconnectDelayMs?: number;
  /** Longest pause before connecting again; default 10 seconds. */
  readonly mostReconnectDelayMs?: number;
}

/**
 * The control plane over socket.io with MessagePack. It connects again by itself; requests are never queued while the
 * connection is down, so that nothing stale is sent later.
 */
export function createSocketControl(options: SocketControlOptions): ControlTransport {
  const { url, requestTimeoutMs = 30_000, reconnectDelayMs = 250, mostReconnectDelayMs = 10_000 } = options;
  const { origin, pathname } = new URL(url);
  const socket = io(origin, {
    path: `${pathname.replace(/\/+$/, '')}/socket.io`,
    parser: { Encoder, Decoder },
    transports: ['websocket'],
    autoConnect: false,
    forceNew: true,
    ...({ maxPayload: MOST_MESSAGE_BYTES, perMessageDeflate: false } as object),
    reconnectionDelay: reconnectDelayMs,
    reconnectionDelayMax: mostReconnectDelayMs,
  });
  let pending: NodeJS.Timeout | undefined;
  const lifetime = new AbortController();

  const connectLater = (delayMs: number): void => {
    clearTimeout(pending);
    if (!lifetime.signal.aborted) pending = setTimeout(() => socket.connect(), delayMs);
  };

  const requestOnce = async <Name extends OperationName>(
    name: Name,
    payload: RequestOf<Name>,
  ): Promise<AnswerOf<Name>> => {
    if (!socket.connected) throw disconnected(name);
    let value: unknown;
    try {
      value = await socket.timeout(requestTimeoutMs).emitWithAck(name, payload);
    } catch (cause) {
      if (!socket.connected) throw disconnected(name, cause);
      throw new TransportError(
        'transport/timeout',
        `the coordinator did not answer "${name}" within ${requestTimeoutMs} ms: it may be overloaded`,
        { name, requestTimeoutMs },
        cause,
      );
    }
    const reply = parseReply(name, value);
    if (!reply) {
      throw new TransportError(
        'transport/bad-reply',
        `the coordinator's answer to "${name}" has not the form of this protocol version: compare the versions`,
        { name },
      );
    }
    if (!reply.ok) throw new ProtocolError(reply.code, reply.message, { name });
    return reply.answer;
  };

  return {
    connect: () => {
      socket.connect();
    },
    reconnect: (delayMs) => {
      socket.disconnect();
      connectLater(delayMs);
    },
    // Whoever asks too much is told to wait: that is no refusal of what it asks.
    request: (name, payload) => retrying(() => requestOnce(name, payload), isTooMany, TOO_MANY_RETRY, lifetime.signal),
    onState: (listener) => {
      socket.on(NOTICES.jobState, (value: unknown) => {
        const state = parseJobState(value);
        if (state) listener(state);
      });
    },
    onEvent: (listener) => {
      socket.on(NOTICES.jobEvent, listener);
    },
    onConnection: (listener) => {
      socket.on('connect', () => listener(true, ''));
      socket.on('disconnect', (reason) => {
        listener(false, reason);
        // socket.io does not connect again by itself when the server has ended the connection.
        if (reason === 'io server disconnect') connectLater(reconnectDelayMs);
      });
      socket.on('connect_error', (error) => {
        listener(false, error.message);
        if (!socket.active) connectLater(mostReconnectDelayMs);
      });
    },
    close: () => {
      lifetime.abort(new TransportError('transport/disconnected', 'the connection was closed on purpose', { url }));
      clearTimeout(pending);
      // Closing on purpose is no loss of the connection.
      socket.removeAllListeners();
      socket.disconnect();
    },
  };
}

function isTooMany(error: unknown): boolean {
  return error instanceof ProtocolError && error.code === 'request/too-many';
}

function disconnected(name: string, cause?: unknown): TransportError {
  return new TransportError(
    'transport/disconnected',
    `the connection was lost before "${name}" was answered: it is sent again once connected`,
    { name },
    cause,
  );
}
