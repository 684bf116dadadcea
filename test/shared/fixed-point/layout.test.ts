import { createHash } from 'node:crypto';
import { keccak256, toUtf8Bytes } from 'ethers';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  dirtyPadding,
  type LayoutError,
  layoutOf,
  type TensorSpec,
  tensorTableRoot,
} from '../../../shared/fixed-point/layout.ts';

const tensor = (name: string, shape: readonly number[], fractionBits = 24, preScaleBits = 0): TensorSpec => ({
  name,
  shape,
  fractionBits,
  preScaleBits,
});

const tensors = fc
  .array(fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 4 }), { minLength: 1, maxLength: 8 })
  .map((shapes) => shapes.map((shape, index) => tensor(`t${index}`, shape)));

function codeOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    return (error as LayoutError).code;
  }
  return 'nothing thrown';
}

describe('layoutOf', () => {
  it('starts every tensor on a block, leaves no gap of a block and loses no coordinate', () => {
    fc.assert(
      fc.property(tensors, (specs) => {
        const layout = layoutOf(specs);
        let next = 0;
        for (const [index, slot] of layout.slots.entries()) {
          const size = (specs[index] as TensorSpec).shape.reduce((product, extent) => product * extent, 1);
          expect(slot.offset).toBe(next);
          expect(slot.offset % 64).toBe(0);
          expect(slot.size).toBe(size);
          expect(slot.paddedSize - size).toBeGreaterThanOrEqual(0);
          expect(slot.paddedSize - size).toBeLessThan(64);
          next += slot.paddedSize;
        }
        expect(layout.dimension).toBe(next);
        expect(layout.parameters).toBe(layout.slots.reduce((sum, { size }) => sum + size, 0));
      }),
    );
  });

  it('gives a scalar one coordinate and one block', () => {
    expect(layoutOf([tensor('s', [])]).slots[0]).toMatchObject({ size: 1, paddedSize: 64 });
  });

  it('fills a block exactly without adding one', () => {
    expect(layoutOf([tensor('s', [8, 8])]).dimension).toBe(64);
    expect(layoutOf([tensor('s', [65])]).dimension).toBe(128);
  });

  it('refuses no tensors and two of one name', () => {
    expect(codeOf(() => layoutOf([]))).toBe('layout/empty');
    expect(codeOf(() => layoutOf([tensor('a', [1]), tensor('a', [2])]))).toBe('layout/duplicate-name');
  });
});

describe('dirtyPadding', () => {
  it('finds any coordinate of the padding and none outside it', () => {
    fc.assert(
      fc.property(tensors, fc.nat(), (specs, pick) => {
        const layout = layoutOf(specs);
        const at = pick % layout.dimension;
        const inPadding = !layout.slots.some((slot) => at >= slot.offset && at < slot.offset + slot.size);
        const vector = new Int16Array(layout.dimension);
        vector[at] = -1;
        expect(dirtyPadding(layout, vector)).toBe(inPadding ? at : -1);
      }),
    );
  });
});

describe('tensorTableRoot', () => {
  it('is the tree of keccak256(name), offset, size and scales, spelt out', () => {
    const layout = layoutOf([tensor('dense/kernel', [3, 5], 20, 2), tensor('dense/bias', [5])]);
    const sha = (...parts: Uint8Array[]) => createHash('sha256').update(Buffer.concat(parts)).digest();
    const word = (value: number) => Buffer.from(value.toString(16).padStart(64, '0'), 'hex');
    const leaf = (name: string, ...numbers: number[]) =>
      sha(
        Uint8Array.of(10, 0),
        Buffer.from(keccak256(toUtf8Bytes(name)).slice(2), 'hex'),
        Buffer.concat(numbers.map(word)),
      );
    const root = sha(Uint8Array.of(10, 1), leaf('dense/kernel', 0, 15, 20, 2), leaf('dense/bias', 64, 5, 24, 0));
    expect(tensorTableRoot(layout)).toBe(`0x${root.toString('hex')}`);
  });

  it('changes with every member of the table', () => {
    const base = [tensor('a', [3], 24, 0), tensor('b', [70], 24, 0)];
    const root = tensorTableRoot(layoutOf(base));
    const variants: TensorSpec[][] = [
      [tensor('c', [3], 24, 0), base[1] as TensorSpec],
      [tensor('a', [4], 24, 0), base[1] as TensorSpec],
      [tensor('a', [3], 23, 0), base[1] as TensorSpec],
      [tensor('a', [3], 24, 1), base[1] as TensorSpec],
      [...base].reverse(),
      [base[0] as TensorSpec],
    ];
    expect(new Set([root, ...variants.map((variant) => tensorTableRoot(layoutOf(variant)))]).size).toBe(7);
  });
});
