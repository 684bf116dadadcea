import { readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Signer } from '../../contracts/wallet.ts';
import type { Contribution } from '../../shared/commitments/contribution.ts';
import { recordToJson } from '../../shared/commitments/record.ts';
import { vectorBytes } from '../../shared/commitments/vector-trees.ts';
import { WALLETS } from './fixture.ts';
import {
  anchorIn,
  collecting,
  contribute,
  createWarning,
  createWorld,
  logOf,
  playToTheEnd,
  recompute,
  startLife,
  type World,
} from './runner-harness.ts';

const [A] = WALLETS as readonly [Signer, ...Signer[]];

describe('what fails and may pass', () => {
  it('is tried again: an anchor that fails twice', async () => {
    const world = await createWorld({ rounds: 1 });
    const anchor = anchorIn(world);
    const life = await startLife(world, {
      anchor: async (record) => {
        const receipt = await anchor(record);
        if (world.anchorings.length < 3) throw new Error('the node is away');
        return receipt;
      },
    });
    await playToTheEnd(life, world);
    const [first, ...again] = world.anchorings;
    expect(again).toEqual([first, first]);
    expect(life.log.warnings).toHaveLength(2);
    expect((await logOf(world)).filter(({ type }) => type === 'roundAnchored')).toHaveLength(1);
  });

  it('is tried again: a disk that takes no blob of the round at first', async () => {
    const world = await createWorld({ rounds: 1 });
    let failures = 0;
    const blobs: World['blobs'] = {
      ...world.blobs,
      put: async (id, bytes) => {
        if (life?.runner.state.phase === 'aggregating' && failures++ === 0) throw new Error('no space left on device');
        return world.blobs.put(id, bytes);
      },
    };
    const life = await startLife(world, { blobs });
    await playToTheEnd(life, world);
    expect(failures).toBeGreaterThan(1);
    expect(world.anchorings.map(recordToJson)).toEqual(
      (await recompute(world.job))
        .slice(0, 1)
        .map((record) => expect.objectContaining({ modelRoot: record.modelRoot })),
    );
  });

  it('is tried again: a log that takes no outcome at first', async () => {
    const world = await createWorld({ rounds: 1 });
    const failed = new Set<string>();
    const append: World['events']['append'] = async (events) => {
      const { type } = events[0] as { type: string };
      if (type.startsWith('round') && !failed.has(type)) {
        failed.add(type);
        throw new Error('no space left on device');
      }
      await world.events.append(events);
    };
    const life = await startLife(world, { events: { ...world.events, append } });
    expect((await playToTheEnd(life, world)).phase).toBe('closed');
    expect([...failed]).toEqual(['roundAggregated', 'roundAnchored']);
  });

  it('leaves a submission unanswered rather than half kept, and takes it the next time', async () => {
    const world = await createWorld();
    let isFull = true;
    const blobs: World['blobs'] = {
      ...world.blobs,
      put: async (id, bytes) => {
        if (isFull) throw new Error('no space left on device');
        return world.blobs.put(id, bytes);
      },
    };
    const life = await collecting(world, { blobs });
    const events = (await logOf(world)).length;
    await expect(contribute(life, world, A, life)).rejects.toThrow('no space');
    expect(await logOf(world)).toHaveLength(events);
    isFull = false;
    expect(await contribute(life, world, A, life)).toMatchObject({ verdict: 'accepted' });
  });

  it('never anchors what a damaged blob gives, and goes on once it is restored', async () => {
    const world = await createWorld({ rounds: 1 });
    const { terms, model } = world.job;
    const file = join(world.blobs.folder, world.blobs.relativePath(terms.manifest.initialModelRoot));
    const damaged = Uint8Array.from(vectorBytes(model));
    damaged[17] = 255 - (damaged[17] as number);
    await writeFile(file, damaged);
    const warning = createWarning();
    const life = await startLife(world, { log: warning.log });
    const end = playToTheEnd(life, world);
    await warning.came;
    expect(world.anchorings).toEqual([]);
    await writeFile(file, vectorBytes(model));
    expect((await end).progress.modelRoot).toBe((await recompute(world.job))[0]?.modelRoot);
  });

  it.each([
    ['damaged', async (path: string) => writeFile(path, new Uint8Array(384).fill(3))],
    ['cut short', async (path: string) => truncate(path, 100)],
    ['lost', async (path: string) => rm(path)],
  ])(
    'never anchors what an update gives that is %s after it was accepted, and goes on once it is restored',
    async (_, harm) => {
      const world = await createWorld({ rounds: 1 });
      const warning = createWarning();
      let harmed: { path: string; bytes: Uint8Array } | undefined;
      const blobs: World['blobs'] = {
        ...world.blobs,
        // The parent's model is the first that a closing round reads.
        get: async (id) => {
          const { state } = life.runner;
          if (state.phase === 'aggregating' && harmed === undefined) {
            const { updateRoot } = state.admitted[2] as Contribution;
            const path = join(world.blobs.folder, world.blobs.relativePath(updateRoot));
            harmed = { path, bytes: await readFile(path) };
            await harm(path);
          }
          return world.blobs.get(id);
        },
      };
      const life = await startLife(world, { blobs, log: warning.log });
      const end = playToTheEnd(life, world);
      await warning.came;
      expect(world.anchorings).toEqual([]);
      await writeFile(harmed?.path as string, harmed?.bytes as Uint8Array);
      expect((await end).progress.modelRoot).toBe((await recompute(world.job))[0]?.modelRoot);
    },
  );
});
