import { tmpdir } from 'node:os';
import { afterAll, describe, expect, it } from 'vitest';
import { closeLab, run, SMALL } from './lab.ts';

afterAll(closeLab);

const MIB = 2 ** 20;

describe('a run of 5,000 clients', () => {
  it('remembers 542 MiB of momentum in 32 MiB of memory', { timeout: 300_000 }, async () => {
    const spec = {
      ...SMALL,
      ...{ honest: 4900, byzantine: 100, sampled: 50, rounds: 120, evaluateEvery: 60 },
      data: { name: 'synthetic', alpha: 0.5, beta: 0.5, devices: 200, features: 60, classes: 10, most: 200 },
      model: { name: 'mlp', hidden: [400] },
      rule: { pre: [], rule: 'Median', f: 10, params: {} },
    };
    const before = process.memoryUsage().rss;
    let most = 0;
    const onRound = (): void => {
      most = Math.max(most, process.memoryUsage().rss - before);
    };
    const result = await run(spec, 1, { onRound }, tmpdir(), 32 * MIB);
    expect(result).toMatchObject({ outcome: 'finished', left: [] });
    expect(result.kinds.honest.updates + result.kinds.byzantine.updates).toBe(120 * 50);
    // The vectors, the data (40 MiB at most), gradients and coded updates of 50 clients, two WebAssembly memories, the heap.
    console.log(`resident beyond the beginning: ${Math.round(most / MIB)} MiB`);
    expect(most).toBeLessThan(300 * MIB);
  });
});
