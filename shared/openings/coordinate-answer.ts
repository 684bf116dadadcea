import { keccak_256 } from '@noble/hashes/sha3.js';
import { type Hex, toHex, utf8 } from '../bytes.ts';
import { buildTree, TREE, type TreeKind } from '../commitments/merkle-tree.ts';
import { blockTree } from '../commitments/vector-trees.ts';
import { BLOCK } from '../fixed-point/constants.ts';
import { tensorLeaves } from '../fixed-point/layout.ts';
import { type Leaf, matrixTreeOf, NO_LEAF, openMatrix, openVector, proofAt } from './leaf.ts';
import { noData } from './opening-error.ts';
import type { RoundView, UpdateBlocks, VectorName } from './round-view.ts';

/** A tensor as the table's leaf holds it. */
export interface Tensor {
  /** keccak256 of its name. */
  readonly nameHash: Hex;
  /** First coordinate. */
  readonly offset: number;
  /** Coordinates in use. */
  readonly size: number;
  /** Binary places of its model coordinates. */
  readonly fractionBits: number;
  /** By how many binary places its updates are finer. */
  readonly preScaleBits: number;
}

/** What shows that a coordinate is right: `CoordinateJudge.Answer`. */
export interface CoordinateAnswer {
  /** What the answer is to. */
  readonly kind: 'coordinate';
  /** The block of all updates. */
  readonly matrix: Leaf;
  /** The block of the aggregate. */
  readonly aggregate: Leaf;
  /** The block of the model before. */
  readonly parentModel: Leaf;
  /** The block of the model after. */
  readonly model: Leaf;
  /** The block of the server's state before; empty where there is none. */
  readonly parentState: Leaf;
  /** The block of the server's state after; empty where there is none. */
  readonly state: Leaf;
  /** The tensor that the coordinate is of. */
  readonly tensor: Tensor;
  /** Its place in the table. */
  readonly tensorIndex: number;
  /** Its proof. */
  readonly tensorProof: readonly Hex[];
  /** All weights; empty for a rule that works coordinate by coordinate. */
  readonly weights: readonly number[];
}

/** What shows that trees hold nothing behind the last block: proofs in matrix, aggregate, model and server state. */
export interface PaddingAnswer {
  /** What the answer is to. */
  readonly kind: 'padding';
  /** The four proofs; the last is empty where the step keeps no state of the model's length. */
  readonly proofs: readonly [readonly Hex[], readonly Hex[], readonly Hex[], readonly Hex[]];
}

/**
 * Shows that one coordinate is right, or that there is nothing behind the last one.
 *
 * @throws OpeningError `opening/no-data`, `opening/out-of-range`
 */
export async function answerCoordinate(view: RoundView, coordinate: number): Promise<CoordinateAnswer | PaddingAnswer> {
  const { layout, manifest } = view.terms;
  const block = Math.floor(coordinate / BLOCK);
  const updates = present(view.updates, 'updates');
  const hasMomentum = manifest.aggregation.serverStep.name === 'FedAvgM';
  if (coordinate >= layout.dimension) return answerPadding(view, updates, block, hasMomentum);

  const open = async (kind: TreeKind, name: VectorName): Promise<Leaf> => {
    const vector = present(await view.vector(name), name);
    return openVector(kind, blockTree(kind, vector), vector, block);
  };
  const tensorIndex = layout.slots.findIndex((slot) => coordinate < slot.offset + slot.paddedSize);
  const slot = layout.slots[tensorIndex] as (typeof layout.slots)[number];
  return {
    kind: 'coordinate',
    matrix: await openMatrix(updates, block),
    aggregate: await open(TREE.aggregate, 'aggregate'),
    parentModel: await open(TREE.model, 'parentModel'),
    model: await open(TREE.model, 'model'),
    // Before round 1 there is no state: the contract puts zeros in its place.
    parentState: hasMomentum && view.record.round > 1 ? await open(TREE.serverState, 'parentState') : NO_LEAF,
    state: hasMomentum ? await open(TREE.serverState, 'state') : NO_LEAF,
    tensor: {
      nameHash: toHex(keccak_256(utf8(slot.name))),
      offset: slot.offset,
      size: slot.size,
      fractionBits: slot.fractionBits,
      preScaleBits: slot.preScaleBits,
    },
    tensorIndex,
    tensorProof: proofAt(TREE.tensors, buildTree(TREE.tensors, tensorLeaves(layout)), tensorIndex),
    weights: view.document.weights ?? [],
  };
}

async function answerPadding(
  view: RoundView,
  updates: UpdateBlocks,
  block: number,
  hasMomentum: boolean,
): Promise<PaddingAnswer> {
  const prove = async (kind: TreeKind, name: VectorName): Promise<Hex[]> =>
    proofAt(kind, blockTree(kind, present(await view.vector(name), name)), block);
  return {
    kind: 'padding',
    proofs: [
      proofAt(TREE.matrix, await matrixTreeOf(updates), block),
      await prove(TREE.aggregate, 'aggregate'),
      await prove(TREE.model, 'model'),
      hasMomentum ? await prove(TREE.serverState, 'state') : [],
    ],
  };
}

function present<T>(value: T | null, what: string): T {
  if (value === null) throw noData(what);
  return value;
}
