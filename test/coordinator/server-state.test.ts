import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { blobReferences, isIntact } from '../../coordinator/backup/blob-references.ts';
import type { Hex } from '../../shared/bytes.ts';
import { recordToJson } from '../../shared/commitments/record.ts';
import type { ServerStep } from '../../shared/fixed-point/server-step-settings.ts';
import { SERVER_STEPS } from '../shared/round/server-steps.ts';
import {
  anchorIn,
  createWarning,
  createWorld,
  logOf,
  playToTheEnd,
  recompute,
  startLife,
  until,
} from './runner-harness.ts';

describe.each(SERVER_STEPS)('a job by $name', (serverStep) => {
  it('goes through its rounds to the records that the round function alone gives, each state stored', async () => {
    const world = await createWorld({ serverStep });
    await playToTheEnd(await startLife(world), world);
    expect(world.anchorings.map(recordToJson)).toEqual((await recompute(world.job)).map(recordToJson));
    const roots = world.anchorings.map(({ serverStateRoot }) => serverStateRoot);
    expect(new Set(roots).size).toBe(3);
    const words = serverStep.name === 'FedAvgM' ? 192 : 384;
    for (const root of roots) expect(await world.blobs.size(root)).toBe(4 * words);
  });

  it('goes on from its state after the coordinator has stopped', async () => {
    const world = await createWorld({ serverStep });
    const first = await startLife(world);
    void playToTheEnd(first, world).catch(() => {});
    await until(first, ({ phase, progress }) => phase === 'collecting' && progress.rounds === 2);
    await first.stop();
    await playToTheEnd(await startLife(world), world);
    expect(world.anchorings.map(recordToJson)).toEqual((await recompute(world.job)).map(recordToJson));
  });
});

describe('a server state', () => {
  const serverStep = SERVER_STEPS[3] as ServerStep;

  it.each([
    ['has gone', async (path: string) => rm(path)],
    ['is damaged', async (path: string) => writeFile(path, new Uint8Array(4 * 384).fill(1))],
  ])('that %s on the disk makes no record, and the job goes on once it is restored', async (_, harm) => {
    const world = await createWorld({ rounds: 2, serverStep });
    const warning = createWarning();
    let sound: { path: string; bytes: Uint8Array } | undefined;
    const anchor = anchorIn(world);
    const life = await startLife(world, {
      log: warning.log,
      anchor: async (record) => {
        const path = join(world.blobs.folder, world.blobs.relativePath(record.serverStateRoot));
        if (record.round === 1) {
          sound = { path, bytes: await readFile(path) };
          await harm(path);
        }
        return anchor(record);
      },
    });
    const end = playToTheEnd(life, world);
    await warning.came;
    expect(world.anchorings.length).toBe(1);
    await writeFile(sound?.path as string, sound?.bytes as Uint8Array);
    expect((await end).progress.serverStateRoot).toBe((await recompute(world.job))[1]?.serverStateRoot);
  });

  it('is among the blobs that a backup cannot do without, and held to its root in it', async () => {
    const world = await createWorld({ rounds: 1, serverStep });
    await playToTheEnd(await startLife(world), world);
    const id = world.anchorings[0]?.serverStateRoot as Hex;
    const reference = blobReferences(world.job.terms, await logOf(world)).find((one) => one.id === id);
    expect(reference).toEqual({ id, kind: 'serverState', isRequired: true });
    const bytes = (await world.blobs.get(id)) as Uint8Array;
    expect(isIntact({ id, kind: 'serverState' }, bytes)).toBe(true);
    expect(isIntact({ id, kind: 'model' }, bytes)).toBe(false);
  });
});
