import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { BlobStore } from '../../coordinator/blobs/blob-store.ts';
import { type Hex, toHex } from '../../shared/bytes.ts';

/** How the suite gets at an implementation. */
export interface BlobStoreFixture {
  /** The store under test, empty. */
  readonly store: BlobStore;
  /** Opens the store again on the same data. */
  readonly reopen: () => Promise<BlobStore>;
}

function blob(length: number, salt = 0): { id: Hex; bytes: Uint8Array } {
  const bytes = Uint8Array.from({ length }, (_, at) => (at * 31 + salt) % 256);
  return { id: toHex(createHash('sha256').update(bytes).digest()), bytes };
}

/** What every implementation of {@link BlobStore} must do. */
export function describeBlobStore(name: string, create: () => Promise<BlobStoreFixture>): void {
  describe(`blob store: ${name}`, () => {
    it('has nothing at first', async () => {
      const { store } = await create();
      const { id } = blob(10);
      expect(await store.get(id)).toBeUndefined();
      expect(await store.size(id)).toBeUndefined();
    });

    it.each([0, 1, 4096, 3_000_001])('returns a blob of %i bytes and its size', async (length) => {
      const { store } = await create();
      const { id, bytes } = blob(length);
      await store.put(id, bytes);
      expect(Buffer.from((await store.get(id)) as Uint8Array).equals(bytes)).toBe(true);
      expect(await store.size(id)).toBe(length);
    });

    it('stores a part of a larger buffer as that part alone', async () => {
      const { store } = await create();
      const { id, bytes } = blob(100);
      await store.put(id, bytes.subarray(7, 13));
      expect([...((await store.get(id)) as Uint8Array)]).toEqual([...bytes.subarray(7, 13)]);
    });

    it('takes the same blob again, and many at once', async () => {
      const { store } = await create();
      const blobs = Array.from({ length: 20 }, (_, salt) => blob(1000, salt));
      await Promise.all([...blobs, ...blobs].map(({ id, bytes }) => store.put(id, bytes)));
      for (const { id, bytes } of blobs) expect([...((await store.get(id)) as Uint8Array)]).toEqual([...bytes]);
    });

    it('mends a blob that was damaged, when it is put again', async () => {
      const { store } = await create();
      const { id, bytes } = blob(64);
      const damaged = Uint8Array.from(bytes);
      damaged[5] = 255 - (damaged[5] as number);
      await store.put(id, damaged);
      await store.put(id, bytes);
      expect([...((await store.get(id)) as Uint8Array)]).toEqual([...bytes]);
    });

    it('drops a blob, and nothing when it is not there; it may come again', async () => {
      const { store, reopen } = await create();
      const [gone, other] = [blob(100, 1), blob(100, 2)];
      for (const { id, bytes } of [gone, other]) await store.put(id, bytes);
      await store.remove(gone.id);
      await store.remove(gone.id);
      expect(await store.get(gone.id)).toBeUndefined();
      expect(await (await reopen()).size(gone.id)).toBeUndefined();
      expect(await store.size(other.id)).toBe(100);
      await store.put(gone.id, gone.bytes);
      expect(await store.size(gone.id)).toBe(100);
    });

    it('keeps blobs over a restart', async () => {
      const { store, reopen } = await create();
      const { id, bytes } = blob(5000);
      await store.put(id, bytes);
      expect(await (await reopen()).size(id)).toBe(5000);
    });

    it('says where a file server finds the blob', async () => {
      const { store } = await create();
      const { id, bytes } = blob(300);
      await store.put(id, bytes);
      expect([...(await readFile(join(store.folder, store.relativePath(id))))]).toEqual([...bytes]);
    });
  });
}
