import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createAgenda, TURN } from '../../../simulations/network/agenda.ts';

const entry = fc.record({ at: fc.integer({ min: 0, max: 20 }), turn: fc.constantFrom(...Object.values(TURN)) });

describe('an agenda', () => {
  it('lets things happen by time, turn and the order they were added in, whatever that is', () => {
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 60 }), (entries) => {
        const agenda = createAgenda();
        const happened: number[] = [];
        for (const [index, { at, turn }] of entries.entries()) agenda.add(at, turn, () => happened.push(index));
        while (agenda.advance());
        const inOrder = [...entries.entries()].sort(([, a], [, b]) => a.at - b.at || a.turn - b.turn);
        expect(happened).toEqual(inOrder.map(([index]) => index));
        expect(agenda.done).toBe(entries.length);
      }),
    );
  });

  it('never goes back, whatever is added while things happen', () => {
    fc.assert(
      fc.property(
        fc.array(entry, { minLength: 1, maxLength: 30 }),
        fc.array(entry, { maxLength: 30 }),
        (first, more) => {
          const agenda = createAgenda();
          const times: number[] = [];
          const rest = [...more];
          const happen = (at: number): void => {
            times.push(at);
            expect(agenda.now).toBe(at);
            const next = rest.pop();
            // Half of them were due before now.
            if (next) agenda.add(next.at, next.turn, happen);
          };
          for (const { at, turn } of first) agenda.add(at, turn, happen);
          while (agenda.advance());
          expect(times).toEqual([...times].sort((a, b) => a - b));
          expect(times).toHaveLength(first.length + more.length - rest.length);
        },
      ),
    );
  });

  it('says when nothing is left', () => {
    const agenda = createAgenda();
    expect(agenda.advance()).toBe(false);
    expect(agenda.now).toBe(0);
  });
});
