import { afterAll, expect, test } from 'vitest';
import { readKernels } from '../../../../shared/runtime/engine/kernels.ts';
import { createThreads } from '../../../../shared/runtime/engine/threads.ts';
import { planTile, WALK_SIZES } from '../../../../shared/runtime/engine/tile-plan.ts';
import type { Walk } from '../../../../shared/runtime/engine/walk.ts';

const threads = createThreads(2, new WebAssembly.Module(readKernels()));
afterAll(() => threads.close());

/** A walk over one row of zeros that only looks at it. */
function walk(): Walk {
  const needs = { rows: 1, mixedRows: 0, listBytes: 0, gram: true, files: false };
  const plan = planTile(needs, { ...WALK_SIZES, tileBytes: 1000 });
  return {
    memory: new WebAssembly.Memory({ initial: 4, maximum: 65_536, shared: true }),
    memoryId: 0,
    scratch: 65_536,
    plan,
    rows: [{ at: 0 }],
    from: 0,
    to: 1000,
    rangeBlocks: 8,
    soleRange: false,
    next: new Int32Array(new SharedArrayBuffer(4)),
    gram: true,
    norms: false,
    hash: false,
    aggregation: null,
    products: false,
    newcomer: false,
    output: null,
    touch: false,
  };
}

test('a walk that fails in a thread says so, and threads go on to the next', async () => {
  const failing = threads.run({ ...walk(), memory: {} as WebAssembly.Memory });
  const next = threads.run(walk());
  await expect(failing).rejects.toMatchObject({ code: 'engine/thread-failed' });
  const parts = await next;
  expect(parts.map(({ fault }) => fault)).toEqual([null, null]);
  expect(parts.flatMap(({ gram }) => [...(gram ?? [])]).every((sum) => sum === 0n)).toBe(true);
});

test('every range is taken once, whoever takes it', async () => {
  const given = walk();
  await threads.run(given);
  // Two ranges of eight blocks, and each thread asks once more.
  expect(given.next[0]).toBe(2 + 2);
});
