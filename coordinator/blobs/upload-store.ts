import { randomUUID } from 'node:crypto';
import { type FileHandle, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { equalBytes, fromHex, type Hex } from '../../shared/bytes.ts';
import { joinParts, PART_BYTES, partCount, partRoot, vectorBytes } from '../../shared/commitments/vector-trees.ts';
import { FedanchorError } from '../../shared/errors.ts';
import type { WireFormat } from '../../shared/wire/format.ts';
import { WireError } from '../../shared/wire/wire-error.ts';

/** Thrown when an offer or a part is refused; nothing of it is kept. */
export class UploadError extends FedanchorError<
  | 'upload/no-offer'
  | 'upload/root-mismatch'
  | 'upload/wrong-part-count'
  | 'upload/wrong-part-length'
  | 'upload/malformed-part'
  | 'upload/no-such-part'
  | 'upload/over-quota'
  | 'upload/incomplete'
> {}

/** What a participant announces before it uploads. */
export interface Offer {
  /** Root of the update's tree. */
  readonly updateRoot: Hex;
  /** Bytes of the update. */
  readonly byteLength: number;
  /** Roots of its parts, in order. */
  readonly partRoots: readonly Hex[];
}

/** Updates on their way in: parts are verified against their roots as they arrive, and only then kept. */
export interface UploadStore {
  /**
   * Takes an offer and answers which parts are missing.
   *
   * @throws UploadError `upload/wrong-part-count`, `upload/root-mismatch`, `upload/over-quota`
   */
  offer(participant: Hex, offer: Offer): Promise<number[]>;
  /**
   * Verifies and keeps one part, which arrives in the job's wire format. Idempotent. The bytes are the caller's again when
   * it settles.
   *
   * @throws UploadError `upload/no-offer`, `upload/no-such-part`, `upload/wrong-part-length`, `upload/malformed-part`,
   * `upload/root-mismatch`, `upload/over-quota`
   */
  putPart(participant: Hex, updateRoot: Hex, part: number, bytes: Uint8Array): Promise<void>;
  /** Whether a part is there. */
  hasPart(participant: Hex, updateRoot: Hex, part: number): Promise<boolean>;
  /**
   * The whole update, as it lies on the disk: whoever keeps it verifies it against its root.
   *
   * @throws UploadError `upload/no-offer`, `upload/incomplete`
   */
  assemble(participant: Hex, updateRoot: Hex): Promise<Uint8Array>;
  /** Drops all that a participant has uploaded. */
  discard(participant: Hex): Promise<void>;
  /** Drops all that anybody has uploaded: the round it was for is over. */
  clear(): Promise<void>;
}

/**
 * Wrong parts of one participant and round after which no coded part of it is looked at: a few bytes may stand for a
 * mebibyte to be hashed, and an honest client sends no wrong part at all.
 */
const MOST_WRONG_PARTS = 32;

/** How an upload store is set up. */
export interface UploadStoreOptions {
  /** The format that parts travel in; left out, they travel as they are. */
  readonly wire?: WireFormat | undefined;
  /** Different updates that one participant may have on their way at once; default 2. */
  readonly offersPerParticipant?: number;
}

/**
 * Keeps parts as files under `<folder>/<participant>/<update root>/<part>`, as they are committed to, however they
 * travelled. Offers live in memory: after a restart a client offers again and learns that the parts it sent before are
 * there.
 *
 * @param folder - created if missing
 * @param options - how parts travel, and how many updates one participant may have on their way at once
 */
export function createUploadStore(folder: string, options: UploadStoreOptions = {}): UploadStore {
  const { offersPerParticipant = 2, wire } = options;
  const offers = new Map<Hex, Map<Hex, Offer>>();
  const haveFolder = new WeakSet<Offer>();
  const wrongParts = new Map<Hex, number>();
  /** What is being dropped, of one participant or of all: who asks for parts meanwhile must not find them. */
  const dropping = new Map<Hex | 'all', Promise<void>>();

  const find = (participant: Hex, updateRoot: Hex): Offer => {
    const offer = offers.get(participant)?.get(updateRoot);
    if (offer) return offer;
    throw new UploadError('upload/no-offer', `update ${updateRoot} was not offered: send update.offer first`);
  };
  const partFile = (participant: Hex, updateRoot: Hex, part: number): string =>
    join(folder, participant, updateRoot, String(part));
  const dropped = (participant: Hex): Promise<unknown> => Promise.all([dropping.get(participant), dropping.get('all')]);
  const hasPart = async (participant: Hex, updateRoot: Hex, part: number): Promise<boolean> => {
    await dropped(participant);
    const found = await ifPresent(() => stat(partFile(participant, updateRoot, part)));
    const offer = offers.get(participant)?.get(updateRoot);
    // A part was verified before it was renamed into place. One that the disk has cut short since is sent again.
    return found !== undefined && (offer === undefined || found.size === partLength(offer, part));
  };
  const drop = (what: Hex | 'all', path: string): Promise<void> => {
    const before = dropping.get(what);
    const removed = (before ?? Promise.resolve()).then(() => rm(path, { recursive: true, force: true }));
    const settled = removed.catch(() => {}).finally(() => dropping.get(what) === settled && dropping.delete(what));
    dropping.set(what, settled);
    return removed;
  };

  return {
    hasPart,
    offer: async (participant, offer) => {
      const expected = partCount(offer.byteLength);
      if (offer.partRoots.length !== expected) {
        throw new UploadError(
          'upload/wrong-part-count',
          `an update of ${offer.byteLength} bytes has ${expected} parts, the offer lists ${offer.partRoots.length}`,
        );
      }
      if (!equalBytes(joinParts(offer.partRoots.map((root) => fromHex(root, 32))), fromHex(offer.updateRoot, 32))) {
        throw new UploadError('upload/root-mismatch', 'the part roots of the offer do not join to its update root');
      }
      const mine = offers.get(participant) ?? new Map<Hex, Offer>();
      if (!mine.has(offer.updateRoot) && mine.size >= offersPerParticipant) {
        throw new UploadError(
          'upload/over-quota',
          `${mine.size} updates are on their way already: submit or wait for the next round`,
        );
      }
      offers.set(participant, mine.set(offer.updateRoot, { ...offer }));
      const missing: number[] = [];
      for (let part = 0; part < expected; part++) {
        if (!(await hasPart(participant, offer.updateRoot, part))) missing.push(part);
      }
      return missing;
    },
    putPart: async (participant, updateRoot, part, body) => {
      const offer = find(participant, updateRoot);
      const root = offer.partRoots[part];
      if (root === undefined) {
        throw new UploadError('upload/no-such-part', `part ${part} is not among the ${offer.partRoots.length} offered`);
      }
      const length = partLength(offer, part);
      if (wire !== undefined) {
        if ((wrongParts.get(participant) ?? 0) >= MOST_WRONG_PARTS) {
          throw new UploadError('upload/over-quota', 'too many wrong parts were sent: wait for the next round');
        }
        if (await hasPart(participant, updateRoot, part)) return;
      }
      const countWrong = (): void => void wrongParts.set(participant, (wrongParts.get(participant) ?? 0) + 1);
      const bytes = wire === undefined ? body : decodePart(wire, body, length, countWrong);
      if (bytes.length !== length) {
        throw new UploadError('upload/wrong-part-length', `part ${part} has ${length} bytes, ${bytes.length} arrived`);
      }
      const file = partFile(participant, updateRoot, part);
      // A part that is there is whole: it is renamed into place. Durability comes with the blob made of all of them.
      const temporary = `${file}.${randomUUID()}.tmp`;
      try {
        if (!haveFolder.has(offer)) await mkdir(dirname(file), { recursive: true });
        haveFolder.add(offer);
        const isRight = await writeMeanwhile(temporary, bytes, () =>
          equalBytes(partRoot(bytes, offer.partRoots.length === 1), fromHex(root)),
        );
        if (!isRight) {
          countWrong();
          throw new UploadError('upload/root-mismatch', `part ${part} does not have the root that was offered`);
        }
        await rename(temporary, file);
      } catch (error) {
        // Nothing of it is kept, least of all on a disk that is full.
        await rm(temporary, { force: true }).catch(() => {});
        // What was dropped meanwhile took its folder with it.
        if (isMissing(error)) find(participant, updateRoot);
        throw error;
      }
    },
    assemble: async (participant, updateRoot) => {
      const offer = find(participant, updateRoot);
      const update = new Uint8Array(offer.byteLength);
      const read = await Promise.all(
        offer.partRoots.map((_, part) => {
          const at = part * PART_BYTES;
          const place = update.subarray(at, at + partLength(offer, part));
          return ifPresent(() => readInto(place, partFile(participant, updateRoot, part)));
        }),
      );
      const missing = read.findIndex((isWhole) => isWhole !== true);
      if (missing >= 0) throw new UploadError('upload/incomplete', `part ${missing} of the update has not arrived`);
      return update;
    },
    discard: (participant) => {
      offers.delete(participant);
      return drop(participant, join(folder, participant));
    },
    clear: () => {
      offers.clear();
      wrongParts.clear();
      return drop('all', folder);
    },
  };
}

/** Bytes of one part of an offered update. */
function partLength({ byteLength }: Offer, part: number): number {
  return Math.min(PART_BYTES, byteLength - part * PART_BYTES);
}

/** The bytes of a part that are committed to, from those that arrived. */
function decodePart(wire: WireFormat, body: Uint8Array, byteLength: number, onWrong: () => void): Uint8Array {
  try {
    return vectorBytes(wire.decodePart(body, Math.floor(byteLength / 2)));
  } catch (cause) {
    if (!(cause instanceof WireError)) throw cause;
    onWrong();
    throw new UploadError('upload/malformed-part', cause.message, cause.data, cause);
  }
}

/** Writes a new file in another thread, and does work of this one meanwhile. */
async function writeMeanwhile<Result>(path: string, bytes: Uint8Array, work: () => Result): Promise<Result> {
  const file = await open(path, 'wx');
  try {
    const writing = writeAll(file, bytes);
    try {
      return work();
    } finally {
      // Whoever gave the bytes may write to them again after this, whatever came of it.
      await writing;
    }
  } finally {
    await file.close();
  }
}

async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; ) at += (await file.write(bytes, at)).bytesWritten;
}

/** Fills memory from a file; whether the file has as much. */
async function readInto(place: Uint8Array, path: string): Promise<boolean> {
  const file = await open(path, 'r');
  try {
    for (let at = 0; at < place.length; ) {
      const { bytesRead } = await file.read(place, at);
      if (bytesRead === 0) return false;
      at += bytesRead;
    }
    return true;
  } finally {
    await file.close();
  }
}

/** What is done with a file, or undefined if there is no such file or folder. */
async function ifPresent<Result>(work: () => Promise<Result>): Promise<Result | undefined> {
  try {
    return await work();
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT';
}
