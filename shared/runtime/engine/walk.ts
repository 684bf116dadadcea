import type { LaneKind } from '../../aggregation/kernels/networks/lanes.ts';
import type { TilePlan } from './tile-plan.ts';

/** Where a row is: in a file, or in the walk's memory, at the byte where its coordinate 0 is or would be. */
export type RowSource = { readonly path: string } | { readonly at: number };

/** What makes the aggregate of a tile. */
export type Aggregation =
  | {
      /** A weighted sum. */
      readonly kind: 'sum';
      /** What the kernel reads: pairs of split weights, or float64 for weights that do not fit those. */
      readonly weights: Uint8Array;
      /** Whether the weights are float64. */
      readonly wide: boolean;
      /** Rows that have one weight and stand next to each other, if there are no more than two such groups; else null. */
      readonly groups: readonly WeightGroup[] | null;
    }
  | {
      /** A coordinate rule. */
      readonly kind: 'reduce';
      /** Names the kernel: the same name, the same module. */
      readonly name: string;
      /** The kernel. */
      readonly module: WebAssembly.Module;
      /** Lanes it computes in. */
      readonly lanes: LaneKind;
      /** The mixture in front of it, as the mixing kernel reads it; null for none. */
      readonly mixing: { readonly lists: Uint8Array; readonly rows: number } | null;
      /** What values are divided by. */
      readonly denominator: number;
    }
  | {
      /** It is there already. */
      readonly kind: 'given';
      /** The coordinates from the walk's first on, in shared memory. */
      readonly aggregate: Int32Array;
    };

/** Neighbouring rows of one weight. */
export interface WeightGroup {
  /** The weight. */
  readonly weight: number;
  /** How many rows have it. */
  readonly rows: number;
}

/** One walk over a stretch of coordinates of all rows: every thread takes ranges of blocks until none is left. */
export interface Walk {
  /** The kernels' memory. */
  readonly memory: WebAssembly.Memory;
  /** Names the memory. */
  readonly memoryId: number;
  /** Address of the first thread's room. */
  readonly scratch: number;
  /** How the room is laid out. */
  readonly plan: TilePlan;
  /** The rows, in order. */
  readonly rows: readonly RowSource[];
  /** The first coordinate. */
  readonly from: number;
  /** The coordinate after the last. */
  readonly to: number;
  /** Blocks of one range, a power of two. */
  readonly rangeBlocks: number;
  /** Whether that one range is all there is, so that its subtree is the whole tree. */
  readonly soleRange: boolean;
  /** A shared counter: the next range nobody has taken. */
  readonly next: Int32Array;
  /** Whether the inner products of the rows are wanted. */
  readonly gram: boolean;
  /** Whether the inner products of each row with itself are wanted, and not all. */
  readonly norms: boolean;
  /** Whether the matrix tree is wanted. */
  readonly hash: boolean;
  /** What aggregate is wanted, if any. */
  readonly aggregation: Aggregation | null;
  /** Whether the inner products with the aggregate are wanted. */
  readonly products: boolean;
  /** Whether the last row is a newcomer, whose products with the others and itself are all that is wanted. */
  readonly newcomer: boolean;
  /** Where the aggregate goes, from the walk's first coordinate on, in shared memory. */
  readonly output: Int32Array | null;
  /** Whether the rows are only to be read, for a benchmark. */
  readonly touch: boolean;
}

/** A coordinate that no update may have. */
export interface Fault {
  /** Its row. */
  readonly row: number;
  /** Its position. */
  readonly coordinate: number;
  /** What is there. */
  readonly value: number;
}

/** The part of the matrix tree over one range. */
export interface Subtree {
  /** The range. */
  readonly range: number;
  /** Its root. */
  readonly root: Uint8Array;
  /** At which height of the tree it stands. */
  readonly height: number;
}

/** What one thread found in its ranges of a walk. */
export interface WalkPart {
  /** Sums of the Gram or the norms kernel, if wanted. */
  readonly gram: BigInt64Array | null;
  /** Sums of the products kernel, if wanted. */
  readonly products: BigInt64Array | null;
  /** Subtrees of the matrix tree, if wanted. */
  readonly subtrees: readonly Subtree[];
  /** The first bad coordinate, by row and position. */
  readonly fault: Fault | null;
}

/** What is sent to a thread. */
export interface WalkRequest {
  /** Names the request. */
  readonly id: number;
  /** Position of the thread among those of the walk. */
  readonly thread: number;
  /** The walk. */
  readonly walk: Walk;
}

/** What a thread answers. */
export type WalkAnswer =
  | { readonly id: number; readonly part: WalkPart }
  | { readonly id: number; readonly failure: WalkFailure };

/** A row that a thread could not read. */
export interface WalkFailure {
  /** Its position; undefined for a failure that no row is to blame for. */
  readonly row?: number;
  /** What the system said. */
  readonly message: string;
}
