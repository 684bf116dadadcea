import type { Readable } from 'node:stream';
import { PART_BYTES } from '../../shared/commitments/vector-trees.ts';
import { FedanchorError } from '../../shared/errors.ts';

/** Thrown when the body of a part does not arrive as it should; nothing is kept of it. */
export class PartBodyError extends FedanchorError<'request/invalid'> {
  /** Status of the answer. */
  readonly statusCode: number;

  /**
   * @param statusCode - status of the answer
   * @param message - a sentence
   */
  constructor(statusCode: number, message: string) {
    super('request/invalid', message);
    this.statusCode = statusCode;
  }
}

/** Takes in the bodies of parts, in memory that is used again and again. */
export interface PartBodies {
  /**
   * Reads a whole body.
   *
   * @param payload - where it comes from
   * @param announced - bytes that its sender says it has, if it does
   * @returns the body; its memory is its reader's until it is given back
   * @throws PartBodyError with status 413 for more than a part, 400 for a body that breaks off
   */
  read(payload: Readable, announced: number | undefined): Promise<Uint8Array>;
  /** Gives the memory of a body back: nobody may be looking at it any more. One that was not read here is ignored. */
  giveBack(body: unknown): void;
}

/** Buffers that are kept for the next parts: as many as come at once on a busy day. More are made when needed. */
const MOST_KEPT = 32;

/** Shorter bodies have memory of their own. */
const SHORT_BYTES = PART_BYTES / 16;

/**
 * Creates the reader. A body's pieces are copied into place as they come, so that many tiny ones take no more memory
 * than a few large ones; and a mebibyte that was written to before costs the system none of the work of a fresh one.
 */
export function createPartBodies(): PartBodies {
  const free: Uint8Array[] = [];
  const lent = new WeakMap<Uint8Array, Uint8Array>();

  const giveBack = (body: unknown): void => {
    const whole = lent.get(body as Uint8Array);
    if (!whole) return;
    lent.delete(body as Uint8Array);
    if (free.length < MOST_KEPT) free.push(whole);
  };

  return {
    giveBack,
    read: (payload, announced = PART_BYTES) =>
      new Promise((resolve, reject) => {
        if (announced > PART_BYTES) return void reject(tooLong());
        const isShort = announced <= SHORT_BYTES;
        const whole = isShort ? Buffer.allocUnsafeSlow(announced) : (free.pop() ?? Buffer.allocUnsafeSlow(PART_BYTES));
        let length = 0;

        const leave = (): void => {
          payload.off('data', take).off('end', end).off('error', fail).off('close', fail);
        };
        const refuse = (error: PartBodyError): void => {
          leave();
          if (!isShort && free.length < MOST_KEPT) free.push(whole);
          reject(error);
        };
        const take = (piece: Uint8Array): void => {
          if (length + piece.length > whole.length) {
            refuse(tooLong());
            return;
          }
          whole.set(piece, length);
          length += piece.length;
        };
        const end = (): void => {
          leave();
          const body = whole.subarray(0, length);
          if (!isShort) lent.set(body, whole);
          resolve(body);
        };
        const fail = (): void => refuse(new PartBodyError(400, 'the body broke off: send the part again'));
        payload.on('data', take).on('end', end).on('error', fail).on('close', fail);
      }),
  };
}

function tooLong(): PartBodyError {
  return new PartBodyError(413, `a part has at most ${PART_BYTES} bytes`);
}
