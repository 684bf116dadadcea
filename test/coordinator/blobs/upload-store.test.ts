import { mkdir, readdir, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { createUploadStore, type Offer, type UploadStore } from '../../../coordinator/blobs/upload-store.ts';
import type { Hex } from '../../../shared/bytes.ts';
import { int16Vector, PART_BYTES, vectorBytes } from '../../../shared/commitments/vector-trees.ts';
import { usePlatformHashing } from '../../../shared/runtime/platform-hashing.ts';
import type { WireFormat } from '../../../shared/wire/format.ts';
import { wireFormat } from '../../../shared/wire/wire-format.ts';
import { hash, offerOf, temporaryFolder } from '../fixture.ts';

beforeAll(usePlatformHashing);

const [A, B] = [`0x${'0a'.repeat(20)}`, `0x${'0b'.repeat(20)}`] as const;

function bytesOf(length: number, salt = 0): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at++) bytes[at] = (at * 2654435761 + salt * 1_234_567) >>> 13;
  return bytes;
}

const partOf = (bytes: Uint8Array, part: number): Uint8Array =>
  bytes.subarray(part * PART_BYTES, (part + 1) * PART_BYTES);

async function putAll(store: UploadStore, participant: Hex, bytes: Uint8Array, offer: Offer): Promise<void> {
  for (const part of offer.partRoots.keys())
    await store.putPart(participant, offer.updateRoot, part, partOf(bytes, part));
}

const code = (expected: string): Error => expect.objectContaining({ code: expected }) as Error;

async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isFile()).map((entry) => entry.name);
}

describe('upload store', () => {
  it.each([
    ...[1, 4095, 4096, 4097, PART_BYTES - 4096, PART_BYTES - 1, PART_BYTES, PART_BYTES + 1, PART_BYTES + 4096],
    ...[2 * PART_BYTES, 2 * PART_BYTES + 1, 3 * PART_BYTES - 1, 5 * PART_BYTES + 12_345],
  ])('takes %i bytes in parts and gives them back whole', async (length) => {
    const store = createUploadStore(await temporaryFolder());
    const bytes = bytesOf(length);
    const offer = offerOf(bytes);
    expect(offer.partRoots).toHaveLength(Math.ceil(length / PART_BYTES));
    expect(await store.offer(A, offer)).toEqual([...offer.partRoots.keys()]);
    await putAll(store, A, bytes, offer);
    expect(await store.offer(A, offer)).toEqual([]);
    expect(Buffer.compare(await store.assemble(A, offer.updateRoot), bytes)).toBe(0);
  });

  it('takes parts in any order, at once and repeatedly', async () => {
    const bytes = bytesOf(3 * PART_BYTES + 10);
    const offer = offerOf(bytes);
    const order = fc.shuffledSubarray([0, 1, 2, 3, 0, 1, 2, 3], { minLength: 8 });
    await fc.assert(
      fc.asyncProperty(order, async (parts) => {
        const store = createUploadStore(await temporaryFolder());
        await store.offer(A, offer);
        await Promise.all(parts.map((part) => store.putPart(A, offer.updateRoot, part, partOf(bytes, part))));
        expect(Buffer.compare(await store.assemble(A, offer.updateRoot), bytes)).toBe(0);
      }),
      { numRuns: 5 },
    );
  });

  describe('refuses, and keeps nothing of', () => {
    const bytes = bytesOf(2 * PART_BYTES + 100);
    const offer = offerOf(bytes);

    it.each<[string, number, Uint8Array, string]>([
      ['a part that is not there', 3, partOf(bytes, 2), 'upload/no-such-part'],
      ['a part shorter than its place', 0, partOf(bytes, 0).subarray(1), 'upload/wrong-part-length'],
      ['a part longer than its place', 2, partOf(bytes, 0), 'upload/wrong-part-length'],
      ['no bytes', 2, new Uint8Array(), 'upload/wrong-part-length'],
      ['another part of the same update', 1, partOf(bytes, 0), 'upload/root-mismatch'],
      [
        'a part with one bit flipped',
        2,
        Uint8Array.from(partOf(bytes, 2), (byte, at) => (at === 99 ? byte ^ 1 : byte)),
        'upload/root-mismatch',
      ],
    ])('%s', async (_name, part, body, expected) => {
      const folder = await temporaryFolder();
      const store = createUploadStore(folder);
      await store.offer(A, offer);
      await expect(store.putPart(A, offer.updateRoot, part, body)).rejects.toThrow(code(expected));
      expect(await filesIn(folder)).toEqual([]);
    });

    it('a part that was not offered, by this participant or at all', async () => {
      const folder = await temporaryFolder();
      const store = createUploadStore(folder);
      await expect(store.putPart(A, offer.updateRoot, 0, partOf(bytes, 0))).rejects.toThrow(code('upload/no-offer'));
      await store.offer(B, offer);
      await expect(store.putPart(A, offer.updateRoot, 0, partOf(bytes, 0))).rejects.toThrow(code('upload/no-offer'));
      await expect(store.assemble(A, offer.updateRoot)).rejects.toThrow(code('upload/no-offer'));
      expect(await filesIn(folder)).toEqual([]);
    });

    it.each<[string, Offer, string]>([
      ['too few part roots', { ...offer, partRoots: offer.partRoots.slice(1) }, 'upload/wrong-part-count'],
      ['too many part roots', { ...offer, partRoots: [...offer.partRoots, hash('x')] }, 'upload/wrong-part-count'],
      ['part roots in another order', { ...offer, partRoots: [...offer.partRoots].reverse() }, 'upload/root-mismatch'],
      ['another root', { ...offer, updateRoot: hash('x') }, 'upload/root-mismatch'],
    ])('an offer with %s', async (_name, wrong, expected) => {
      const store = createUploadStore(await temporaryFolder());
      await expect(store.offer(A, wrong)).rejects.toThrow(code(expected));
      await expect(store.putPart(A, wrong.updateRoot, 0, partOf(bytes, 0))).rejects.toThrow(code('upload/no-offer'));
    });
  });

  describe('of parts in a wire format', () => {
    const wire = wireFormat({ format: 'topk', keepPerMille: 10 }) as WireFormat;
    const update = new Int16Array(PART_BYTES / 2 + 640);
    update.set([5, -6], 100);
    update.set([7], PART_BYTES / 2 + 3);
    const bytes = vectorBytes(update);
    const offer = offerOf(bytes);
    const coded = [0, 1].map((part) => wire.encodePart(int16Vector(partOf(bytes, part)))) as [Uint8Array, Uint8Array];

    it('keeps them as they are committed to, and learns nothing new from the same one again', async () => {
      const folder = await temporaryFolder();
      const store = createUploadStore(folder, { wire });
      expect(await store.offer(A, offer)).toEqual([0, 1]);
      for (const part of [1, 0, 1]) await store.putPart(A, offer.updateRoot, part, coded[part] as Uint8Array);
      expect(Buffer.compare(await store.assemble(A, offer.updateRoot), bytes)).toBe(0);
      // After a restart they are there, as they would be had they come whole.
      expect(await createUploadStore(folder, { wire }).offer(A, offer)).toEqual([]);
      expect(await createUploadStore(folder).offer(A, offer)).toEqual([]);
    });

    it('looks at so many wrong ones of a participant in a round, and at no more', async () => {
      const store = createUploadStore(await temporaryFolder(), { wire });
      for (const participant of [A, B]) await store.offer(participant, offer);
      const send = (participant: Hex, part: number, body: Uint8Array) =>
        store.putPart(participant, offer.updateRoot, part, body);
      for (let wrong = 0; wrong < 16; wrong++) {
        await expect(send(A, 1, coded[1].subarray(1))).rejects.toThrow(code('upload/malformed-part'));
        await expect(send(A, 1, wire.encodePart(new Int16Array(640)))).rejects.toThrow(code('upload/root-mismatch'));
      }
      await expect(send(A, 1, coded[1])).rejects.toThrow(code('upload/over-quota'));
      await store.discard(A);
      await store.offer(A, offer);
      await expect(send(A, 1, coded[1])).rejects.toThrow(code('upload/over-quota'));
      await send(B, 1, coded[1]);
      await store.clear();
      await store.offer(A, offer);
      await send(A, 1, coded[1]);
    });
  });

  it('says which part is missing rather than giving half an update', async () => {
    const store = createUploadStore(await temporaryFolder());
    const bytes = bytesOf(2 * PART_BYTES);
    const offer = offerOf(bytes);
    await store.offer(A, offer);
    await store.putPart(A, offer.updateRoot, 0, partOf(bytes, 0));
    await expect(store.assemble(A, offer.updateRoot)).rejects.toThrow(code('upload/incomplete'));
    expect(await store.hasPart(A, offer.updateRoot, 0)).toBe(true);
    expect(await store.hasPart(A, offer.updateRoot, 1)).toBe(false);
  });

  it('lets one participant have two updates on their way, and others theirs', async () => {
    const store = createUploadStore(await temporaryFolder());
    const first = offerOf(bytesOf(100, 1));
    const second = offerOf(bytesOf(100, 2));
    const third = offerOf(bytesOf(100, 3));
    await store.offer(A, first);
    await store.offer(A, second);
    await expect(store.offer(A, third)).rejects.toThrow(code('upload/over-quota'));
    expect(await store.offer(A, first)).toEqual([0]);
    expect(await store.offer(B, third)).toEqual([0]);
    await store.discard(A);
    expect(await store.offer(A, third)).toEqual([0]);
  });

  it('drops what is over a quota no longer: a cleared store takes new offers of everyone', async () => {
    const folder = await temporaryFolder();
    const store = createUploadStore(join(folder, 'uploads'));
    for (const participant of [A, B]) {
      for (const salt of [1, 2]) {
        const bytes = bytesOf(100, salt);
        const offer = offerOf(bytes);
        await store.offer(participant, offer);
        await putAll(store, participant, bytes, offer);
      }
    }
    await store.clear();
    expect(await filesIn(folder)).toEqual([]);
    const bytes = bytesOf(100, 3);
    const offer = offerOf(bytes);
    expect(await store.offer(A, offer)).toEqual([0]);
    await putAll(store, A, bytes, offer);
    expect(await store.assemble(A, offer.updateRoot)).toHaveLength(100);
  });

  it('keeps the parts that arrived before a restart, for whoever offers the update again', async () => {
    const folder = await temporaryFolder();
    const bytes = bytesOf(3 * PART_BYTES);
    const offer = offerOf(bytes);
    const before = createUploadStore(folder);
    await before.offer(A, offer);
    await before.putPart(A, offer.updateRoot, 1, partOf(bytes, 1));
    // What a write that was cut off leaves behind never counts as a part.
    await mkdir(join(folder, A, offer.updateRoot), { recursive: true });
    await writeFile(join(folder, A, offer.updateRoot, '2.some-id.tmp'), partOf(bytes, 2).subarray(0, 1000));

    const after = createUploadStore(folder);
    await expect(after.assemble(A, offer.updateRoot)).rejects.toThrow(code('upload/no-offer'));
    expect(await after.offer(A, offer)).toEqual([0, 2]);
    await after.putPart(A, offer.updateRoot, 0, partOf(bytes, 0));
    await after.putPart(A, offer.updateRoot, 2, partOf(bytes, 2));
    expect(Buffer.compare(await after.assemble(A, offer.updateRoot), bytes)).toBe(0);
  });

  it('has every part sent again of an update that is offered while its parts are being dropped', async () => {
    const bytes = bytesOf(6 * PART_BYTES);
    const offer = offerOf(bytes);
    for (const drop of [(store: UploadStore) => store.discard(A), (store: UploadStore) => store.clear()]) {
      const store = createUploadStore(join(await temporaryFolder(), 'uploads'));
      await store.offer(A, offer);
      await putAll(store, A, bytes, offer);
      const dropped = drop(store);
      expect(await store.offer(A, offer)).toEqual([...offer.partRoots.keys()]);
      await putAll(store, A, bytes, offer);
      await dropped;
      expect(Buffer.compare(await store.assemble(A, offer.updateRoot), bytes)).toBe(0);
    }
  });

  it('says that a part is for nothing whose update was dropped meanwhile', async () => {
    const store = createUploadStore(join(await temporaryFolder(), 'uploads'));
    const bytes = bytesOf(2 * PART_BYTES);
    const offer = offerOf(bytes);
    await store.offer(A, offer);
    await store.putPart(A, offer.updateRoot, 0, partOf(bytes, 0));
    await store.discard(A);
    await expect(store.putPart(A, offer.updateRoot, 1, partOf(bytes, 1))).rejects.toThrow(code('upload/no-offer'));
  });

  it.each([0, 1000])('asks again for a part that the disk has cut to %i bytes', async (length) => {
    const folder = await temporaryFolder();
    const store = createUploadStore(folder);
    const bytes = bytesOf(2 * PART_BYTES);
    const offer = offerOf(bytes);
    await store.offer(A, offer);
    await putAll(store, A, bytes, offer);
    await truncate(join(folder, A, offer.updateRoot, '1'), length);
    await expect(store.assemble(A, offer.updateRoot)).rejects.toThrow(code('upload/incomplete'));
    expect(await store.offer(A, offer)).toEqual([1]);
    await store.putPart(A, offer.updateRoot, 1, partOf(bytes, 1));
    expect(Buffer.compare(await store.assemble(A, offer.updateRoot), bytes)).toBe(0);
  });

  it('keeps participants apart, even with the same update', async () => {
    const folder = await temporaryFolder();
    const store = createUploadStore(folder);
    const bytes = bytesOf(2 * PART_BYTES);
    const offer = offerOf(bytes);
    await store.offer(A, offer);
    await store.offer(B, offer);
    await store.putPart(A, offer.updateRoot, 0, partOf(bytes, 0));
    await store.putPart(B, offer.updateRoot, 1, partOf(bytes, 1));
    await expect(store.assemble(A, offer.updateRoot)).rejects.toThrow(code('upload/incomplete'));
    await store.putPart(A, offer.updateRoot, 1, partOf(bytes, 1));
    await store.discard(B);
    expect(await store.assemble(A, offer.updateRoot)).toHaveLength(bytes.length);
    expect(await store.hasPart(B, offer.updateRoot, 1)).toBe(false);
  });
});
