import { describe, expect, it, onTestFinished } from 'vitest';
import { createStorageHealth, type StorageHealthOptions } from '../../../coordinator/stores/storage-health.ts';
import { deferred } from '../../client/deferred.ts';
import { createQuietLog, temporaryFolder } from '../fixture.ts';

const errno = (code: string): Error => Object.assign(new Error(`${code}: the disk says no`), { code });
const unavailable = expect.objectContaining({ code: 'coordinator/storage-unavailable' }) as Error;

/** A watch over a disk whose free space and willingness the test decides. */
function watched(changes: Partial<StorageHealthOptions> = {}) {
  const disk = { free: 1000, refuses: undefined as Error | undefined };
  const controller = new AbortController();
  onTestFinished(() => controller.abort());
  const log = createQuietLog();
  const health = createStorageHealth({
    folder: '/job',
    log,
    now: () => 77,
    signal: controller.signal,
    reserveBytes: 100,
    // No look but those that a test asks for.
    probeEveryMs: 2 ** 30,
    freeBytes: async () => disk.free,
    writeProbe: async () => {
      if (disk.refuses) throw disk.refuses;
    },
    ...changes,
  });
  let recoveries = 0;
  health.onRecovered(() => recoveries++);
  return { disk, health, log, recoveries: () => recoveries };
}

describe('the watch over storage', () => {
  it.each(['ENOSPC', 'EROFS', 'EACCES', 'EIO', 'EDQUOT', 'store/write-failed'])(
    'takes nothing more after %s, says why, and takes again once a look finds it writable',
    async (code) => {
      const { disk, health, log, recoveries } = watched();
      disk.refuses = errno(code);
      await expect(health.take(1, () => Promise.reject(errno(code)))).rejects.toThrow(unavailable);
      expect(health.status).toEqual({ state: 'unavailable', since: 77, reason: `${code}: the disk says no` });
      let calls = 0;
      await expect(health.take(1, async () => calls++)).rejects.toThrow(unavailable);
      expect(calls).toBe(0);
      expect(await health.probe()).toMatchObject({ state: 'unavailable' });
      expect(recoveries()).toBe(0);

      disk.refuses = undefined;
      expect(await health.probe()).toEqual({ state: 'available' });
      expect(await health.take(1, async () => 'kept')).toBe('kept');
      expect(recoveries()).toBe(1);
      // One line for each outage, however many asked meanwhile.
      expect(log.errors).toHaveLength(1);
    },
  );

  it('takes nothing more while a write hangs, keeps what it hangs on, and takes again once a look comes through', async () => {
    const said = deferred<void>();
    const hanging = deferred<string>();
    const quiet = createQuietLog();
    const error = (fields: Readonly<Record<string, unknown>>, message: string): void => {
      quiet.error(fields, message);
      said.resolve();
    };
    const { health, recoveries } = watched({ slowAfterMs: 1, log: { ...quiet, error } });
    const write = health.keep(() => hanging.promise);
    await said.promise;
    expect(health.status).toMatchObject({ state: 'unavailable', reason: 'a write has not ended after 1 ms' });
    await expect(health.take(1, async () => 'no')).rejects.toThrow(unavailable);
    hanging.resolve('kept');
    expect(await write).toBe('kept');
    expect(await health.probe()).toEqual({ state: 'available' });
    expect(recoveries()).toBe(1);
  });

  it('never lets what can wait into the reserve, which the log may use to the last byte', async () => {
    const { disk, health } = watched();
    disk.free = 150;
    expect(await health.take(50, async () => 'fits')).toBe('fits');
    let wrote = false;
    await expect(
      health.take(51, async () => {
        wrote = true;
      }),
    ).rejects.toThrow(unavailable);
    expect(wrote).toBe(false);
    disk.free = 0;
    expect(await health.keep(async () => 'logged')).toBe('logged');
  });

  it('is available again only when what was refused would fit', async () => {
    const { disk, health } = watched();
    disk.free = 500;
    await expect(health.take(600, async () => {})).rejects.toThrow(unavailable);
    disk.free = 600;
    expect(await health.probe()).toMatchObject({ state: 'unavailable' });
    disk.free = 700;
    expect(await health.probe()).toEqual({ state: 'available' });
  });

  it('tries a write of the log even while storage is unavailable, and notices that it fails', async () => {
    const { disk, health } = watched();
    disk.free = 0;
    await expect(health.take(1, async () => {})).rejects.toThrow(unavailable);
    expect(await health.keep(async () => 1)).toBe(1);
    const fresh = watched();
    await expect(fresh.health.keep(() => Promise.reject(errno('ENOSPC')))).rejects.toThrow(unavailable);
    expect(fresh.health.status).toMatchObject({ state: 'unavailable' });
  });

  it('passes on what is not about storage, and stays available', async () => {
    const { health } = watched();
    const refused = Object.assign(new Error('not offered'), { code: 'upload/no-offer' });
    await expect(health.take(1, () => Promise.reject(refused))).rejects.toBe(refused);
    await expect(health.keep(() => Promise.reject(new TypeError('a fault')))).rejects.toThrow(TypeError);
    expect(health.status).toEqual({ state: 'available' });
  });

  it('looks again by itself', async () => {
    const { disk, health } = watched({ probeEveryMs: 1 });
    disk.refuses = errno('EROFS');
    const recovered = new Promise<void>((resolve) => health.onRecovered(resolve));
    await expect(health.take(1, () => Promise.reject(errno('EROFS')))).rejects.toThrow(unavailable);
    expect(await health.probe()).toMatchObject({ state: 'unavailable' });
    disk.refuses = undefined;
    await recovered;
    expect(health.status).toEqual({ state: 'available' });
  });

  it('asks a real folder', async () => {
    const folder = await temporaryFolder();
    const controller = new AbortController();
    onTestFinished(() => controller.abort());
    const common = { folder, log: createQuietLog(), now: () => 0, signal: controller.signal, probeEveryMs: 2 ** 30 };
    const roomy = createStorageHealth({ ...common, reserveBytes: 0 });
    expect(await roomy.take(10, async () => 'kept')).toBe('kept');
    expect(await roomy.probe()).toEqual({ state: 'available' });
    const vast = createStorageHealth({ ...common, reserveBytes: 2 ** 52 });
    await expect(vast.take(10, async () => {})).rejects.toThrow(unavailable);
    const gone = createStorageHealth({ ...common, folder: `${folder}/nowhere`, reserveBytes: 0 });
    await expect(gone.keep(() => Promise.reject(errno('EIO')))).rejects.toThrow(unavailable);
    expect(await gone.probe()).toMatchObject({ state: 'unavailable' });
  });
});
