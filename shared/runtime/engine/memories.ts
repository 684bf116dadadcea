import type { MemoryRows } from '../../aggregation/engine.ts';
import { ROW_BYTES } from './tile-plan.ts';

const PAGE = 65_536;
/** Pages that a memory may have: 4 GiB. */
const MOST_PAGES = 65_536;
/** Bytes of a cache line. Rows whose distance is an odd number of them do not compete for the same places in a cache. */
const LINE = 64;

/** A memory that kernels work in. */
export interface KernelMemory {
  /** Names it among the engine's memories. */
  readonly id: number;
  /** The memory, shared with the threads. */
  readonly memory: WebAssembly.Memory;
  /** Bytes at its beginning that belong to rows. */
  readonly rowBytes: number;
}

/** The memories of an engine. */
export interface Memories {
  /** One that holds no rows of its own. */
  readonly workspace: KernelMemory;
  /** Rows in a memory of their own, where kernels read them in place; in the ordinary heap when they are too many. */
  allocate(n: number, dimension: number): MemoryRows;
  /** The memory in which all of these rows lie; undefined if there is none. */
  holding(rows: readonly Int16Array[]): KernelMemory | undefined;
}

/** Creates an engine's memories. */
export function createMemories(): Memories {
  const byBuffer = new WeakMap<ArrayBufferLike, KernelMemory>();
  let count = 0;
  const create = (rowBytes: number): KernelMemory => {
    const initial = Math.max(1, Math.ceil(rowBytes / PAGE));
    const memory = new WebAssembly.Memory({ initial, maximum: MOST_PAGES, shared: true });
    const kernelMemory = { id: count++, memory, rowBytes };
    byBuffer.set(memory.buffer, kernelMemory);
    return kernelMemory;
  };
  return {
    workspace: create(0),
    allocate: (n, dimension) => {
      const stride = (Math.ceil((dimension * 2) / ROW_BYTES) * 2 + 1) * LINE;
      // A quarter of the most is left for the threads' room.
      if (n * stride > 0.75 * MOST_PAGES * PAGE) {
        return { place: 'memory', rows: Array.from({ length: n }, () => new Int16Array(dimension)) };
      }
      const { buffer } = create(n * stride).memory;
      const rows = Array.from({ length: n }, (_, row) => new Int16Array(buffer, row * stride, dimension));
      return { place: 'memory', rows };
    },
    holding: (rows) => {
      const [first] = rows;
      if (first === undefined || rows.some(({ buffer }) => buffer !== first.buffer)) return undefined;
      return byBuffer.get(first.buffer);
    },
  };
}

/** Makes a memory at least so large. */
export function growTo(memory: WebAssembly.Memory, bytes: number): void {
  const missing = Math.ceil((bytes - memory.buffer.byteLength) / PAGE);
  if (missing > 0) memory.grow(missing);
}
