import { randomUUID } from 'node:crypto';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { concatBytes, equalBytes, fromHex, type Hex } from '../../shared/bytes.ts';
import { joinParts, PART_BYTES, partCount, partRoot } from '../../shared/commitments/vector-trees.ts';
import { FedanchorError } from '../../shared/errors.ts';
import { readIfPresent } from './files.ts';

/** Thrown when an offer or a part is refused; nothing of it is kept. */
export class UploadError extends FedanchorError<
  | 'upload/no-offer'
  | 'upload/root-mismatch'
  | 'upload/wrong-part-count'
  | 'upload/wrong-part-length'
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
   * Verifies and keeps one part. Idempotent.
   *
   * @throws UploadError `upload/no-offer`, `upload/no-such-part`, `upload/wrong-part-length`, `upload/root-mismatch`
   */
  putPart(participant: Hex, updateRoot: Hex, part: number, bytes: Uint8Array): Promise<void>;
  /** Whether a part is there. */
  hasPart(participant: Hex, updateRoot: Hex, part: number): Promise<boolean>;
  /**
   * The whole update.
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
 * Keeps parts as files under `<folder>/<participant>/<update root>/<part>`. Offers live in memory: after a restart a
 * client offers again and learns that the parts it sent before are there.
 *
 * @param folder - created if missing
 * @param offersPerParticipant - different updates that one participant may have on their way at once
 */
export function createUploadStore(folder: string, offersPerParticipant = 2): UploadStore {
  const offers = new Map<Hex, Map<Hex, Offer>>();

  const find = (participant: Hex, updateRoot: Hex): Offer => {
    const offer = offers.get(participant)?.get(updateRoot);
    if (offer) return offer;
    throw new UploadError('upload/no-offer', `update ${updateRoot} was not offered: send update.offer first`);
  };
  const partFile = (participant: Hex, updateRoot: Hex, part: number): string =>
    join(folder, participant, updateRoot, String(part));
  const hasPart = async (participant: Hex, updateRoot: Hex, part: number): Promise<boolean> =>
    (await readIfPresent(partFile(participant, updateRoot, part))) !== undefined;

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
      offers.set(participant, mine.set(offer.updateRoot, offer));
      const missing: number[] = [];
      for (let part = 0; part < expected; part++) {
        if (!(await hasPart(participant, offer.updateRoot, part))) missing.push(part);
      }
      return missing;
    },
    putPart: async (participant, updateRoot, part, bytes) => {
      const offer = find(participant, updateRoot);
      const root = offer.partRoots[part];
      if (root === undefined) {
        throw new UploadError('upload/no-such-part', `part ${part} is not among the ${offer.partRoots.length} offered`);
      }
      const length = Math.min(PART_BYTES, offer.byteLength - part * PART_BYTES);
      if (bytes.length !== length) {
        throw new UploadError('upload/wrong-part-length', `part ${part} has ${length} bytes, ${bytes.length} arrived`);
      }
      if (!equalBytes(partRoot(bytes, offer.partRoots.length === 1), fromHex(root))) {
        throw new UploadError('upload/root-mismatch', `part ${part} does not have the root that was offered`);
      }
      await mkdir(join(folder, participant, updateRoot), { recursive: true });
      const file = partFile(participant, updateRoot, part);
      // A part that is there is whole: it is renamed into place. Durability comes with the blob made of all of them.
      const temporary = `${file}.${randomUUID()}.tmp`;
      await writeFile(temporary, bytes);
      await rename(temporary, file);
    },
    assemble: async (participant, updateRoot) => {
      const offer = find(participant, updateRoot);
      const parts = await Promise.all(
        offer.partRoots.map((_, part) => readIfPresent(partFile(participant, updateRoot, part))),
      );
      const missing = parts.indexOf(undefined);
      if (missing >= 0) throw new UploadError('upload/incomplete', `part ${missing} of the update has not arrived`);
      return concatBytes(...(parts as Uint8Array[]));
    },
    discard: async (participant) => {
      offers.delete(participant);
      await rm(join(folder, participant), { recursive: true, force: true });
    },
    clear: async () => {
      offers.clear();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
