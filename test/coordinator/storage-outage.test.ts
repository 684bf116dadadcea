import { describe, expect, it } from 'vitest';
import type { BlobStore } from '../../coordinator/blobs/blob-store.ts';
import { createStorageHealth } from '../../coordinator/stores/storage-health.ts';
import { watchStores } from '../../coordinator/stores/watched-stores.ts';
import { deferred } from '../client/deferred.ts';
import { createQuietLog, WALLETS } from './fixture.ts';
import { collecting, contribute, createWorld, logOf, playToTheEnd, until, type World } from './runner-harness.ts';

const unavailable = expect.objectContaining({ code: 'coordinator/storage-unavailable' }) as Error;

type Store = 'log' | 'blobs' | 'uploads';

/** A job on a disk that refuses writes to one of its stores while the test says so. */
async function onFailingDisk(failing: Store, code: string, world?: World) {
  const made = world ?? (await createWorld());
  const disk = { fails: false };
  const refused = deferred<void>();
  const controller = new AbortController();
  let time = 1_700_000_000_000;
  const write = async <T>(store: Store, work: () => Promise<T>): Promise<T> => {
    if (!disk.fails || store !== failing) return work();
    refused.resolve();
    throw Object.assign(new Error(`${code}: no`), { code });
  };
  const log = createQuietLog();
  const health = createStorageHealth({
    ...{ folder: '/job', log, now: () => time, signal: controller.signal, reserveBytes: 0, probeEveryMs: 2 ** 30 },
    freeBytes: async () => 2 ** 40,
    writeProbe: async () => {
      if (disk.fails) throw new Error(`${code}: no`);
    },
  });
  const uploads = made.openUploads();
  const { events, blobs } = made;
  const stores = watchStores(
    {
      events: { ...events, append: (appended) => write('log', () => events.append(appended)) },
      blobs: { ...blobs, put: (id, bytes) => write('blobs', () => blobs.put(id, bytes)) },
      uploads: { ...uploads, putPart: (...part) => write('uploads', () => uploads.putPart(...part)) },
    },
    health,
  );
  const life = await collecting(made, { ...stores, storage: health, now: () => time });
  return {
    ...{ world: made, disk, health, life, refused: refused.promise },
    passTime: (ms: number) => {
      time += ms;
    },
  };
}

const outages: [string, Store, string][] = [
  ['a full disk under the log', 'log', 'ENOSPC'],
  ['a full disk under the blobs', 'blobs', 'ENOSPC'],
  ['a full disk under the uploads', 'uploads', 'ENOSPC'],
  ['a read-only folder under the log', 'log', 'EROFS'],
  ['a read-only folder under the blobs', 'blobs', 'EACCES'],
  ['a read-only folder under the uploads', 'uploads', 'EACCES'],
];

describe('a coordinator whose storage fails', () => {
  it.each(outages)('by %s takes no update, says so, and goes on with nothing lost', async (_, store, code) => {
    const undisturbed = await createWorld();
    const { life: calm } = await onFailingDisk('log', code, undisturbed);
    await playToTheEnd(calm, undisturbed);

    const { world, disk, health, life } = await onFailingDisk(store, code);
    const [first, second] = WALLETS as [(typeof WALLETS)[0], (typeof WALLETS)[0]];
    const before = await contribute(life, world, first);
    disk.fails = true;
    await expect(contribute(life, world, second)).rejects.toThrow(unavailable);
    expect(health.status).toMatchObject({ state: 'unavailable', reason: expect.stringContaining(code) as string });
    // Nobody has a receipt for what is not on disk.
    const accepted = (await logOf(world)).flatMap((event) => (event.type === 'updateAccepted' ? [event.receipt] : []));
    expect(accepted).toEqual([before]);
    disk.fails = false;
    await health.probe();
    expect((await playToTheEnd(life, world)).phase).toBe('closed');
    expect(world.anchorings).toEqual(undisturbed.anchorings);
  });

  it('lets no deadline pass meanwhile, and then gives the round its full time again', async () => {
    const { world, disk, health, life, passTime } = await onFailingDisk('blobs', 'ENOSPC');
    await contribute(life, world, WALLETS[0] as (typeof WALLETS)[0]);
    disk.fails = true;
    await expect(contribute(life, world, WALLETS[1] as (typeof WALLETS)[0])).rejects.toThrow(unavailable);
    passTime(10 * 60_000);
    disk.fails = false;
    await health.probe();
    const { plan } = life;
    await until(life, (state) => state.phase === 'collecting' && state.deadlineAt > 1_700_000_000_000 + 10 * 60_000);
    expect(life.runner.state).toMatchObject({ phase: 'collecting', plan });
    expect((await logOf(world)).map(({ type }) => type)).not.toContain('deadlinePassed');
  });

  it('applies a round again when its results could not be stored', async () => {
    const { world, disk, health, life, refused } = await onFailingDisk('blobs', 'ENOSPC');
    const [last, ...others] = WALLETS as [(typeof WALLETS)[0], ...typeof WALLETS];
    for (const wallet of others) await contribute(life, world, wallet);
    life.runner.subscribe((_event, { phase }) => {
      if (phase === 'aggregating' && world.anchorings.length === 0) disk.fails = true;
    });
    await contribute(life, world, last);
    await refused;
    // The refusal is on its way to the watch: a look before it has arrived would be overtaken by it.
    while (health.status.state === 'available') await new Promise(setImmediate);
    expect(life.runner.state.phase).toBe('aggregating');
    disk.fails = false;
    await health.probe();
    expect((await playToTheEnd(life, world)).phase).toBe('closed');
  });
});

describe('a slow disk', () => {
  it('holds back receipts until bytes and event are stored, and refuses nobody', async () => {
    const world = await createWorld();
    const started = deferred<void>();
    const slow = deferred<void>();
    const blobs: BlobStore = {
      ...world.blobs,
      put: async (id, bytes) => {
        started.resolve();
        await slow.promise;
        await world.blobs.put(id, bytes);
      },
    };
    const life = await collecting(world, { blobs });
    const answered: string[] = [];
    const all = WALLETS.slice(0, 3).map(async (wallet) => {
      const { verdict } = await contribute(life, world, wallet);
      answered.push(verdict);
    });
    await started.promise;
    // Whoever comes after the slow write waits in the one queue behind it.
    const joined = life.runner.join(WALLETS[3]?.address as `0x${string}`).then(() => answered.push('joined'));
    expect(answered).toEqual([]);
    expect((await logOf(world)).map(({ type }) => type)).not.toContain('updateAccepted');
    slow.resolve();
    await Promise.all([...all, joined]);
    expect(answered.filter((verdict) => verdict === 'accepted')).toHaveLength(3);
  });
});
