import { Packr } from 'msgpackr';
import { FedanchorError } from '../errors.ts';
import { isPlainMessagePack } from './plain-messagepack.ts';

/** Thrown when bytes on the wire are not a packet. */
export class ParserError extends FedanchorError<'protocol/bad-packet'> {}

/** A socket.io packet (protocol 5): what both of its ends exchange. */
interface Packet {
  /** Packet type, 0 to 4 here: connect, disconnect, event, ack, connect error. */
  readonly type: number;
  /** Namespace. */
  readonly nsp: string;
  /** Payload, by type. */
  readonly data?: unknown;
  /** Acknowledgement id. */
  readonly id?: number;
}

// Plain maps only: no records, no extension types, so that a message is data and nothing else. These options bind the
// writer; what arrives is held to it by isPlainMessagePack.
const packr = new Packr({ useRecords: false, moreTypes: false, mapsAsObjects: true, int64AsType: 'number' });

/** Encodes socket.io packets as MessagePack, one binary frame a packet. */
export class Encoder {
  /** The frames of one packet. */
  encode(packet: Packet): Uint8Array[] {
    const { type, nsp, data, id } = packet;
    return [packr.pack(id === undefined ? { type, nsp, data } : { type, nsp, data, id })];
  }
}

type Listener = (...args: readonly unknown[]) => void;

/**
 * Decodes MessagePack frames to packets. socket.io asks for an emitter of `decoded`; a frame that is no packet throws,
 * upon which socket.io closes the connection it came from and no other.
 */
export class Decoder {
  readonly #listeners = new Map<string, Set<Listener>>();

  /** Takes one frame. Throws ParserError `protocol/bad-packet`. */
  add(frame: unknown): void {
    if (!(frame instanceof Uint8Array) && !(frame instanceof ArrayBuffer)) {
      throw new ParserError('protocol/bad-packet', 'expected a binary frame');
    }
    const bytes = frame instanceof ArrayBuffer ? new Uint8Array(frame) : frame;
    if (!isPlainMessagePack(bytes)) throw new ParserError('protocol/bad-packet', 'the frame is not plain MessagePack');
    let packet: unknown;
    try {
      packet = packr.unpack(bytes);
    } catch (cause) {
      throw new ParserError('protocol/bad-packet', 'the frame is not MessagePack', {}, cause);
    }
    if (!isPacket(packet)) throw new ParserError('protocol/bad-packet', 'the frame is not a socket.io packet');
    for (const listener of this.#listeners.get('decoded') ?? []) listener(packet);
  }

  /** Subscribes a listener. */
  on(event: string, listener: Listener): this {
    this.#listeners.set(event, (this.#listeners.get(event) ?? new Set()).add(listener));
    return this;
  }

  /** Removes one listener, those of one event, or all. */
  off(event?: string, listener?: Listener): this {
    if (event === undefined) this.#listeners.clear();
    else if (listener === undefined) this.#listeners.delete(event);
    else this.#listeners.get(event)?.delete(listener);
    return this;
  }

  /** {@link Decoder.off} under the name socket.io's client calls it by. */
  removeListener(event: string, listener: Listener): this {
    return this.off(event, listener);
  }

  /** Ends the decoder's life. */
  destroy(): void {
    this.off();
  }
}

/** Names that socket.io gives to events of its own: a peer that sends one would fake them. */
const RESERVED: ReadonlySet<string> = new Set([
  'connect',
  'connect_error',
  'disconnect',
  'disconnecting',
  'newListener',
  'removeListener',
]);

function isPacket(value: unknown): value is Packet {
  if (typeof value !== 'object' || value === null) return false;
  const { type, nsp, data, id } = value as Record<string, unknown>;
  if (!Number.isInteger(type) || (type as number) < 0 || (type as number) > 4 || typeof nsp !== 'string') return false;
  if (id !== undefined && (!Number.isSafeInteger(id) || (id as number) < 0)) return false;
  switch (type) {
    case 2:
      return Array.isArray(data) && typeof data[0] === 'string' && !RESERVED.has(data[0]);
    case 3:
      return Array.isArray(data) && id !== undefined;
    case 4:
      return typeof data === 'string' || (typeof data === 'object' && data !== null);
    default:
      return data === undefined || data === null || (typeof data === 'object' && !Array.isArray(data));
  }
}
