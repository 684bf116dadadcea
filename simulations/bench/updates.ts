import { type Hex, toHex, ZERO_HASH } from '../../shared/bytes.ts';
import { joinParts, PART_BYTES, partCount, partRoot, vectorBytes } from '../../shared/commitments/vector-trees.ts';
import { largestMagnitude } from '../../shared/fixed-point/update.ts';
import { createRng } from '../../shared/rng.ts';

/** An update made by code, with all that its sender offers and states. */
export interface BenchUpdate {
  /** Root of its tree. */
  readonly updateRoot: Hex;
  /** Its bytes. */
  readonly byteLength: number;
  /** Roots of its parts. */
  readonly partRoots: readonly Hex[];
  /** The bytes of one part. */
  part(part: number): Uint8Array;
  /** Its coordinates, a copy. */
  vector(): Int16Array;
  /** Samples stated. */
  readonly samples: number;
  /** Largest magnitude stated. */
  readonly largestMagnitude: number;
  /** Data set committed to: none. */
  readonly datasetCommitment: Hex;
}

/** Makes updates that differ in their first part only, so that very many of them cost little to make and to hold. */
export type UpdateFamily = (member: number) => BenchUpdate;

const SAMPLES = 100;

/** Largest magnitude of every member, at its second coordinate. */
const PEAK = 4001;

/**
 * Creates a family of updates.
 *
 * @param dimension - coordinates with padding
 * @param parameters - coordinates in use, at least 2
 * @param seed - decides all coordinates but the first
 */
export function updateFamily(dimension: number, parameters: number, seed: number): UpdateFamily {
  const rng = createRng(seed, 'bench/update');
  const base = new Int16Array(dimension);
  for (let at = 0; at < parameters; at++) base[at] = rng.below(2 * PEAK - 1) - PEAK + 1;
  base[1] = PEAK;
  const bytes = vectorBytes(base);
  const count = partCount(bytes.length);
  const alone = count === 1;
  const rest = Array.from({ length: count - 1 }, (_, index) => {
    const part = bytes.subarray((index + 1) * PART_BYTES, (index + 2) * PART_BYTES);
    return { part, root: partRoot(part, false) };
  });
  return (member) => {
    const first = new Int16Array(base.subarray(0, PART_BYTES / 2));
    // Base 8001 in the first coordinates: as many members as anyone asks for.
    first[0] = (member % 8001) - 4000;
    if (parameters > 2) first[2] = Math.floor(member / 8001) - 4000;
    const parts = [{ part: vectorBytes(first), root: partRoot(vectorBytes(first), alone) }, ...rest];
    return {
      updateRoot: toHex(joinParts(parts.map(({ root }) => root))),
      byteLength: bytes.length,
      partRoots: parts.map(({ root }) => toHex(root)),
      part: (index) => parts[index]?.part as Uint8Array,
      vector: () => {
        const vector = base.slice();
        vector.set(first);
        return vector;
      },
      samples: SAMPLES,
      largestMagnitude: largestMagnitude(first),
      datasetCommitment: ZERO_HASH,
    };
  };
}
