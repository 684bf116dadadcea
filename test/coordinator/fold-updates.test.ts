import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createFileBlobStore } from '../../coordinator/blobs/file-blob-store.ts';
import { createFolding, type Folding } from '../../coordinator/fold-updates.ts';
import type { AggregationEngine, PassRequest } from '../../shared/aggregation/engine.ts';
import { gramMatrix } from '../../shared/aggregation/gram.ts';
import type { Hex } from '../../shared/bytes.ts';
import { vectorBytes } from '../../shared/commitments/vector-trees.ts';
import { createRng } from '../../shared/rng.ts';
import { createFileEngine } from './file-engine.ts';
import { createQuietLog, hash, temporaryFolder } from './fixture.ts';
import { createWorld, playToTheEnd, recompute, startLife } from './runner-harness.ts';

const DIMENSION = 128;
const ROWS = Array.from({ length: 6 }, (_, i) => {
  const rng = createRng(i, 'test/folding');
  return Int16Array.from({ length: DIMENSION }, () => rng.below(16_383) - 8191);
});
const IDS: readonly Hex[] = ROWS.map((_, i) => hash(`update ${i}`));

interface Scene {
  readonly folding: Folding;
  readonly log: ReturnType<typeof createQuietLog>;
  /** Updates whose folding has begun. */
  readonly begun: string[];
  /** Resolves when so many are folded in. */
  folded(count: number): Promise<void>;
}

/** Updates in files and what folds them, each after the gate opens. */
async function createScene(gate: Promise<void> = Promise.resolve(), dimension = DIMENSION): Promise<Scene> {
  const blobs = await createFileBlobStore(join(await temporaryFolder(), 'blobs'));
  for (const [i, id] of IDS.entries()) await blobs.put(id, vectorBytes(ROWS[i] as Int16Array));
  const log = createQuietLog();
  const begun: string[] = [];
  let count = 0;
  const waiting = new Map<number, () => void>();
  const engine = createFileEngine();
  const watched: AggregationEngine = {
    ...engine,
    incrementalGram: () => {
      const gram = engine.incrementalGram();
      const add = async (id: string, row: Parameters<typeof gram.add>[1]): Promise<void> => {
        begun.push(id);
        await gate;
        await gram.add(id, row);
        waiting.get(++count)?.();
      };
      return { ...gram, add };
    },
  };
  const folded = (wanted: number): Promise<void> =>
    new Promise((resolve) => (count >= wanted ? resolve() : waiting.set(wanted, resolve)));
  return { folding: createFolding({ engine: watched, blobs, dimension, log }), log, begun, folded };
}

const add = ({ folding }: Scene, rows: readonly number[], attempt = 0): void => {
  for (const i of rows) folding.add({ round: 1, attempt, updateRoot: IDS[i] as Hex });
};

const take = ({ folding }: Scene, rows: readonly number[]) => folding.take(rows.map((i) => IDS[i] as Hex));

const exactly = (rows: readonly number[]) => gramMatrix(rows.map((i) => ROWS[i] as Int16Array));

describe('folding', () => {
  it('gives the exact products in the order asked for, whatever the order of arrival', async () => {
    const scene = await createScene();
    add(scene, [3, 0, 4, 1, 2]);
    await scene.folded(5);
    expect(await take(scene, [0, 1, 2, 3, 4])).toEqual(exactly([0, 1, 2, 3, 4]));
  });

  it('waits for the last update, which the round closes by', async () => {
    const scene = await createScene();
    add(scene, [0, 1, 2]);
    await scene.folded(3);
    add(scene, [3]);
    expect(await take(scene, [3, 0, 1, 2])).toEqual(exactly([3, 0, 1, 2]));
  });

  it('leaves several that are still waiting to whoever computes all at once', async () => {
    let open = (): void => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const scene = await createScene(gate);
    add(scene, [0, 1, 2, 3, 4]);
    const taken = take(scene, [0, 1, 2, 3, 4]);
    open();
    expect(await taken).toBeUndefined();
    expect(scene.begun.length).toBeLessThanOrEqual(1);
  });

  it('forgets the attempt before, and is empty once taken', async () => {
    const scene = await createScene();
    add(scene, [0, 1]);
    await scene.folded(2);
    add(scene, [2], 1);
    await scene.folded(3);
    expect(await take(scene, [0])).toBeUndefined();
    expect(await take(scene, [2])).toBeUndefined();
  });

  it('leaves an update that cannot be read to whoever checks it, and says so', async () => {
    const scene = await createScene();
    add(scene, [0]);
    scene.folding.add({ round: 1, attempt: 0, updateRoot: hash('nowhere') });
    expect(await scene.folding.take([IDS[0] as Hex, hash('nowhere')])).toBeUndefined();
    expect(scene.log.warnings).toHaveLength(1);
  });

  it('does not begin what would read too much', async () => {
    const scene = await createScene(undefined, 2 ** 27);
    add(scene, [0, 1]);
    expect(await take(scene, [0, 1])).toBeUndefined();
    expect(scene.begun).toEqual([]);
  });
});

describe.each(['TrMean', 'MultiKrum'])('a coordinator that aggregates by %s', (rule) => {
  it('has all inner products when the last update is in, and the records are those of the round function', async () => {
    const world = await createWorld({ rule: { rule, f: rule === 'TrMean' ? 1 : 0 } });
    const engine = createFileEngine();
    const requests: PassRequest[] = [];
    const pass: AggregationEngine['pass'] = (rows, request) => {
      requests.push(request);
      return engine.pass(rows, request);
    };
    const life = await startLife(world, { engine: { ...engine, pass } });
    expect((await playToTheEnd(life, world)).phase).toBe('closed');
    expect(requests.map(({ gram = false }) => gram)).toEqual([false, false, false]);
    expect(world.anchorings).toEqual(await recompute(world.job));
  });
});
