import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { usePlatformHashing } from '../platform-hashing.ts';
import type { CoordinateKernel, Kernels } from './kernels.ts';
import { RowUnreadable } from './row-readers.ts';
import type { Walk, WalkAnswer, WalkRequest } from './walk.ts';
import { type KernelSet, walkRanges } from './walk-ranges.ts';

// One thread of the engine: it answers every walk it is sent, one after the other.

/** Memories whose kernels are kept: the engine's own, and one that a caller fills. */
const KEPT_MEMORIES = 2;

const port = parentPort as MessagePort;
const kernelsModule = workerData as WebAssembly.Module;
const sets = new Map<string, KernelSet>();

usePlatformHashing();
port.on('message', (request: WalkRequest) => port.postMessage(answer(request)));

function answer({ id, thread, walk }: WalkRequest): WalkAnswer {
  try {
    return { id, part: walkRanges(walk, thread, kernelSet(walk)) };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { id, failure: error instanceof RowUnreadable ? { row: error.row, message } : { message } };
  }
}

/** Instances over the walk's memory. One that has grown gets new ones, which know its size. */
function kernelSet({ memory, memoryId }: Walk): KernelSet {
  const name = `${memoryId}:${memory.buffer.byteLength}`;
  const known = sets.get(name);
  sets.delete(name);
  const set = known ?? createKernelSet(memory);
  sets.set(name, set);
  for (const oldest of sets.keys()) if (sets.size > KEPT_MEMORIES) sets.delete(oldest);
  return set;
}

function createKernelSet(memory: WebAssembly.Memory): KernelSet {
  const imports = { env: { memory } };
  const coordinate = new Map<string, CoordinateKernel>();
  return {
    kernels: new WebAssembly.Instance(kernelsModule, imports).exports as Kernels,
    coordinate: (name, module) => {
      const known = coordinate.get(name);
      if (known !== undefined) return known;
      const instance = new WebAssembly.Instance(module, imports).exports as CoordinateKernel;
      coordinate.set(name, instance);
      return instance;
    },
  };
}
