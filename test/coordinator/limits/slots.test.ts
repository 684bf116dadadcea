import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createSlots } from '../../../coordinator/limits/slots.ts';

describe('slots', () => {
  it('never hold more than their limits, and are all free once all are given back', () => {
    const script = fc.array(
      fc.oneof(fc.record({ take: fc.constantFrom('a', 'b', 'c') }), fc.record({ give: fc.nat(50) })),
    );
    fc.assert(
      fc.property(script, fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 8 }), (steps, perKey, total) => {
        const slots = createSlots(perKey, total);
        const held: { key: string; release: () => void }[] = [];
        for (const step of steps) {
          if ('take' in step) {
            const mine = held.filter(({ key }) => key === step.take).length;
            const release = slots.take(step.take);
            expect(release !== undefined).toBe(mine < perKey && held.length < total);
            if (release) held.push({ key: step.take, release });
          } else {
            const [given] = held.splice(step.give, 1);
            given?.release();
            given?.release();
          }
          expect(slots.taken).toBe(held.length);
        }
        for (const { release } of held) release();
        expect(slots.taken).toBe(0);
      }),
    );
  });
});
