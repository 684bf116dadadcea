import { keccak_256 } from '@noble/hashes/sha3.js';
import { concatBytes, type Hex, toHex, utf8, word } from '../bytes.ts';
import { buildTree, leafHash, TREE } from '../commitments/merkle-tree.ts';
import { FedanchorError } from '../errors.ts';
import { BLOCK } from './constants.ts';

/** One tensor as the manifest lists it. */
export interface TensorSpec {
  /** Name, unique in the manifest. */
  readonly name: string;
  /** Dimensions, all positive; `[]` is a scalar. */
  readonly shape: readonly number[];
  /** Binary places of its model coordinates. */
  readonly fractionBits: number;
  /** Its update coordinates count units of 2^-(updateBits + preScaleBits); 0 is the rule. */
  readonly preScaleBits: number;
}

/** Where a tensor lies in the vectors of a job. */
export interface TensorSlot extends TensorSpec {
  /** First coordinate. */
  readonly offset: number;
  /** Coordinates in use. */
  readonly size: number;
  /** Coordinates in use and padding, a multiple of 64. */
  readonly paddedSize: number;
}

/** How the tensors of a job are laid out in one vector, each padded with zeros to whole blocks. */
export interface Layout {
  /** The tensors in manifest order. */
  readonly slots: readonly TensorSlot[];
  /** Coordinates of a vector, padding included. */
  readonly dimension: number;
  /** Coordinates in use: parameters of the model. */
  readonly parameters: number;
}

/** Thrown when tensors cannot be laid out or do not fit their layout. */
export class LayoutError extends FedanchorError<'layout/empty' | 'layout/duplicate-name' | 'layout/shape-mismatch'> {}

/**
 * Lays tensors out one after the other, each from the start of a block, so that no leaf straddles two tensors.
 *
 * @throws LayoutError `layout/empty`, `layout/duplicate-name`
 */
export function layoutOf(tensors: readonly TensorSpec[]): Layout {
  if (tensors.length === 0) throw new LayoutError('layout/empty', 'the manifest lists no tensors: add at least one');
  const names = new Set<string>();
  const slots: TensorSlot[] = [];
  let offset = 0;
  for (const tensor of tensors) {
    if (names.has(tensor.name)) {
      throw new LayoutError('layout/duplicate-name', `tensor "${tensor.name}" is listed twice: names must differ`);
    }
    names.add(tensor.name);
    const size = tensor.shape.reduce((product, extent) => product * extent, 1);
    const paddedSize = Math.ceil(size / BLOCK) * BLOCK;
    slots.push({ ...tensor, offset, size, paddedSize });
    offset += paddedSize;
  }
  return { slots, dimension: offset, parameters: slots.reduce((sum, slot) => sum + slot.size, 0) };
}

/**
 * The first padding coordinate that is not zero, or -1.
 *
 * @param vector - `layout.dimension` coordinates
 */
export function dirtyPadding(layout: Layout, vector: Int16Array | Int32Array): number {
  for (const slot of layout.slots) {
    for (let at = slot.offset + slot.size; at < slot.offset + slot.paddedSize; at++) if (vector[at] !== 0) return at;
  }
  return -1;
}

/** Leaf hashes of the table of tensors; a leaf is keccak256(name), offset, size, fractionBits and preScaleBits. */
export function tensorLeaves(layout: Layout): Uint8Array[] {
  return layout.slots.map((slot) =>
    leafHash(
      TREE.tensors,
      concatBytes(
        keccak_256(utf8(slot.name)),
        word(slot.offset),
        word(slot.size),
        word(slot.fractionBits),
        word(slot.preScaleBits),
      ),
    ),
  );
}

/** Root over the table of tensors, whose leaves are {@link tensorLeaves}. */
export function tensorTableRoot(layout: Layout): Hex {
  return toHex(buildTree(TREE.tensors, tensorLeaves(layout)).root);
}
