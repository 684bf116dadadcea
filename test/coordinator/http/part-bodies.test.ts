import { PassThrough, Readable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createPartBodies } from '../../../coordinator/http/part-bodies.ts';
import { PART_BYTES } from '../../../shared/commitments/vector-trees.ts';

const bytesOf = (length: number, salt = 0): Uint8Array =>
  Uint8Array.from({ length }, (_, at) => (at * 31 + salt * 7 + (at >>> 9)) & 255);

function inPieces(bytes: Uint8Array, cuts: readonly number[]): Readable {
  const ends = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  return Readable.from(
    ends.map((end, index) => Buffer.from(bytes.subarray(ends[index - 1] ?? 0, end))).filter(({ length }) => length > 0),
    { objectMode: false },
  );
}

const refusal = (statusCode: number): Error =>
  expect.objectContaining({ code: 'request/invalid', statusCode }) as Error;

describe('bodies of parts', () => {
  it('come whole, whatever pieces they come in, one after the other in the same memory', async () => {
    const lengths = fc.constantFrom(0, 1, 384, 65_536, 65_537, PART_BYTES - 1, PART_BYTES);
    const cuts = fc.array(fc.nat(PART_BYTES), { maxLength: 20 });
    const bodies = createPartBodies();
    const memory = new Set<ArrayBufferLike>();
    await fc.assert(
      fc.asyncProperty(lengths, cuts, fc.nat(200), fc.boolean(), async (length, pieces, salt, isAnnounced) => {
        const bytes = bytesOf(length, salt);
        const body = await bodies.read(inPieces(bytes, pieces), isAnnounced ? length : undefined);
        expect(Buffer.compare(body, bytes)).toBe(0);
        if (body.buffer.byteLength === PART_BYTES) memory.add(body.buffer);
        bodies.giveBack(body);
      }),
      { numRuns: 100 },
    );
    expect(memory.size).toBe(1);
  });

  it('do not share memory before it is given back, and a body given back twice is given back once', async () => {
    const bodies = createPartBodies();
    const read = (salt: number) => bodies.read(inPieces(bytesOf(PART_BYTES, salt), []), PART_BYTES);
    const first = await read(1);
    bodies.giveBack(first);
    bodies.giveBack(first);
    bodies.giveBack(bytesOf(PART_BYTES));
    bodies.giveBack(undefined);
    const all = await Promise.all([2, 3, 4].map(read));
    expect(new Set(all.map(({ buffer }) => buffer)).size).toBe(3);
    expect(all.map((body, index) => Buffer.compare(body, bytesOf(PART_BYTES, index + 2)))).toEqual([0, 0, 0]);
  });

  it('longer than a part are refused: before they are read where they say so, else as soon as it shows', async () => {
    const bodies = createPartBodies();
    let wasRead = false;
    const untouched = new Readable({
      read: () => {
        wasRead = true;
      },
    });
    await expect(bodies.read(untouched, PART_BYTES + 1)).rejects.toThrow(refusal(413));
    expect(wasRead).toBe(false);
    const long = inPieces(bytesOf(PART_BYTES + 1), [PART_BYTES]);
    await expect(bodies.read(long, undefined)).rejects.toThrow(refusal(413));
    await expect(bodies.read(inPieces(bytesOf(385), []), 384)).rejects.toThrow(refusal(413));
  });

  it('that break off are refused, and their memory serves the next', async () => {
    const bodies = createPartBodies();
    const whole = await bodies.read(inPieces(bytesOf(PART_BYTES), []), PART_BYTES);
    const { buffer } = whole;
    bodies.giveBack(whole);
    for (const error of [undefined, new Error('reset')]) {
      const broken = new PassThrough();
      broken.write(bytesOf(1000));
      const reading = bodies.read(broken, PART_BYTES);
      broken.destroy(error);
      await expect(reading).rejects.toThrow(refusal(400));
    }
    const next = await bodies.read(inPieces(bytesOf(PART_BYTES, 5), [77]), PART_BYTES);
    expect(next.buffer).toBe(buffer);
    expect(Buffer.compare(next, bytesOf(PART_BYTES, 5))).toBe(0);
  });
});
