import fc from 'fast-check';
import { expect, it } from 'vitest';
import { withOneMore } from '../../../coordinator/round/present.ts';
import type { Hex } from '../../../shared/bytes.ts';

const address = fc.nat(40).map((n): Hex => `0x${n.toString(16).padStart(40, '0')}`);

it('one more participant is among the others once, in order, whoever it is', () => {
  fc.assert(
    fc.property(fc.uniqueArray(address), address, (some, one) => {
      const present = [...some].sort();
      const before = [...present];
      const after = withOneMore(present, one);
      expect(after).toEqual([...new Set([...present, one])].sort());
      expect(after === present).toBe(present.includes(one));
      expect(present).toEqual(before);
    }),
  );
});
