import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createLineReader } from '../../../../client/trainers/process/line-reader.ts';

const MOST = 16;

/** The lines that a reader gives for chunks, `~` behind those that are cut. */
function read(chunks: readonly Uint8Array[], most = MOST): string[] {
  const lines: string[] = [];
  const reader = createLineReader(most, (line, isCut) => lines.push(isCut ? `${line}~` : line));
  for (const chunk of chunks) reader.push(chunk);
  reader.end();
  return lines;
}

const lines = fc.array(fc.string({ unit: fc.constantFrom(...'abcdefgh \r'), maxLength: 40 }), { maxLength: 20 });
const cuts = fc.array(fc.nat(400), { maxLength: 30 });

describe('createLineReader', () => {
  it('gives the same lines however the bytes come', () => {
    fc.assert(
      fc.property(lines, cuts, fc.boolean(), (texts, places, isEnded) => {
        const bytes = Buffer.from(texts.map((text) => `${text}\n`).join('') + (isEnded ? '' : 'last'));
        const edges = [0, ...places.map((place) => Math.min(place, bytes.length)), bytes.length].sort((a, b) => a - b);
        const chunks = edges.slice(1).map((end, index) => bytes.subarray(edges[index], end));
        const whole = [...texts, ...(isEnded ? [] : ['last'])];
        expect(read(chunks)).toEqual(whole.map((text) => (text.length > MOST ? `${text.slice(0, MOST)}~` : text)));
      }),
    );
  });

  it('gives the beginning of a line that never ends at once, and only once', () => {
    const given: string[] = [];
    const reader = createLineReader(MOST, (line) => given.push(line));
    for (let chunk = 0; chunk < 1_000; chunk++) reader.push(Buffer.alloc(1_000, 'x'));
    expect(given).toEqual(['x'.repeat(MOST)]);
  });

  it('puts characters together that are cut in two', () => {
    const bytes = Buffer.from('größer\n');
    expect(read(Array.from(bytes, (byte) => Uint8Array.of(byte)))).toEqual(['größer']);
  });
});
