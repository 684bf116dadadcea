import fc from 'fast-check';
import { expect, it } from 'vitest';
import { decodeSafetensors, encodeSafetensors } from '../../shared/safetensors.ts';

const tensors = fc.uniqueArray(
  fc
    .record({ name: fc.string({ minLength: 1 }), rows: fc.nat(4), columns: fc.nat(4), seed: fc.float() })
    .map(({ name, rows, columns, seed }) => ({
      ...{ name, shape: [rows, columns] },
      values: new Float32Array(rows * columns).fill(seed),
    })),
  { selector: ({ name }) => name, maxLength: 5 },
);
const isPlain = (name: string): boolean => !['__proto__', '__metadata__'].includes(name);

it('what is written is read back, in its order, from any place in memory', () => {
  fc.assert(
    fc.property(tensors, fc.nat(7), (written, shift) => {
      // Tensors without values all begin at the same place: their order among each other is not kept.
      fc.pre(written.every(({ name, values }) => isPlain(name) && values.length > 0));
      const bytes = encodeSafetensors(written, { made: 'here' });
      const shifted = new Uint8Array(bytes.length + shift);
      shifted.set(bytes, shift);
      expect(decodeSafetensors(shifted.subarray(shift))).toEqual(written);
    }),
  );
});

it('a file that is cut short, longer, of another type or no such file at all is refused', () => {
  const good = encodeSafetensors([{ name: 'w', shape: [2], values: Float32Array.of(1, 2) }]);
  const text = (from: string, to: string) =>
    Buffer.from(Buffer.from(good).toString('latin1').replace(from, to), 'latin1');
  const damaged: Uint8Array[] = [new Uint8Array(), new Uint8Array(7), new Uint8Array(8).fill(255)];
  for (let length = 0; length < good.length; length++) damaged.push(good.subarray(0, length));
  damaged.push(Uint8Array.from([...good, 0]), text('"F32"', '"F64"'), text('[2]', '[3]'), text('[0,8]', '[4,8]'));
  for (const bytes of damaged) {
    expect(() => decodeSafetensors(bytes)).toThrow(expect.objectContaining({ code: 'safetensors/invalid' }));
  }
});
