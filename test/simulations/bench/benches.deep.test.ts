import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { createScalarEngine } from '../../../shared/aggregation/scalar-engine.ts';
import { benchClose } from '../../../simulations/bench/close.ts';
import { benchIngest } from '../../../simulations/bench/ingest.ts';
import { benchLoad } from '../../../simulations/bench/load.ts';

const root = join(import.meta.dirname, '..', '..', '..');
const entry = join(root, 'fedanchor.ts');
const silent = (): void => {};
const LIMIT_MS = 120_000;

const leftOvers = async (): Promise<string[]> =>
  (await readdir(tmpdir())).filter((name) => name.startsWith('fedanchor-bench-'));

// Real processes, a real chain, real stores; what is small is what they are given. Times are not looked at.
describe('the benchmarks, on a real coordinator', () => {
  beforeEach(() => {
    const loader = pathToFileURL(join(root, 'test', 'typescript-loader.mjs'));
    vi.stubEnv('NODE_OPTIONS', `--import ${loader.href}`);
  });

  test(
    'ingest: every upload of every repeat is verified and gets its receipt, and nothing is left behind',
    async () => {
      const before = await leftOvers();
      const options = { clients: [1, 3], bytes: 5000, totalBytes: 20_000, repeats: 1 };
      const { document } = await benchIngest(entry, options, silent);
      // 2500 coordinates fill 40 blocks of 64, 5120 bytes; four updates a repeat.
      expect(document['repeats']).toMatchObject([
        { clients: 1, bytes: 4 * 5120 },
        { clients: 3, bytes: 4 * 5120 },
      ]);
      expect((await leftOvers()).filter((name) => !before.includes(name))).toEqual([]);
    },
    LIMIT_MS,
  );

  test(
    'close: the coordinator and the round function alone come to the same models',
    async () => {
      const { document } = await benchClose(entry, { n: [4], d: [100], repeats: 2 }, createScalarEngine(), silent);
      const [row] = document['rounds'] as { closings: unknown[]; kernels: unknown[] }[];
      expect(row?.closings).toHaveLength(2);
      expect(row?.kernels).toHaveLength(2);
    },
    LIMIT_MS,
  );

  test(
    'load: all clients join, those asked get receipts, all see the next model',
    async () => {
      const options = { clients: 7, sample: 3, parameters: 64, processes: 2 };
      const { document } = await benchLoad(entry, options, silent);
      expect(document['results']).toMatchObject({ clients: 7, asked: 3, losses: 0 });
    },
    LIMIT_MS,
  );
});
