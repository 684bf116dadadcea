import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Hex, toHex } from '../../../shared/bytes.ts';
import { isAsked, sampleCut, sampleTicket } from '../../../shared/round/sampling.ts';

const SEED: Hex = `0x${'5e'.repeat(32)}`;
const OPENING = { round: 3, attempt: 1 };

const address = fc.uint8Array({ minLength: 20, maxLength: 20 }).map(toHex);
const people = fc.uniqueArray(address, { minLength: 1, maxLength: 30 });

function asked(seed: Hex, opening: typeof OPENING, participants: readonly Hex[], count: number): Hex[] {
  const draw = { seedIndex: 0, seed, cut: sampleCut(seed, opening, participants, count) };
  return participants.filter((participant) => isAsked(draw, opening, participant));
}

describe('a ticket', () => {
  it('is SHA-256 of the tag, the seed, round and attempt as words, and the address', () => {
    const participant: Hex = `0x${'0a'.repeat(20)}`;
    const word = (value: number) => Buffer.from(value.toString(16).padStart(64, '0'), 'hex');
    const expected = createHash('sha256')
      .update('fedanchor/sample')
      .update(Buffer.from('5e'.repeat(32), 'hex'))
      .update(word(3))
      .update(word(1))
      .update(Buffer.from('0a'.repeat(20), 'hex'))
      .digest('hex');
    expect(sampleTicket(SEED, OPENING, participant)).toBe(`0x${expected}`);
  });

  it('is the same however the address is spelled, and another for every seed, round, attempt and participant', () => {
    const participant: Hex = `0x${'ab'.repeat(20)}`;
    const ticket = sampleTicket(SEED, OPENING, participant);
    expect(sampleTicket(SEED, OPENING, `0x${'AB'.repeat(20)}`)).toBe(ticket);
    const others = [
      sampleTicket(`0x${'5f'.repeat(32)}`, OPENING, participant),
      sampleTicket(SEED, { ...OPENING, round: 4 }, participant),
      sampleTicket(SEED, { ...OPENING, attempt: 2 }, participant),
      sampleTicket(SEED, OPENING, `0x${'ac'.repeat(20)}`),
    ];
    expect(new Set([ticket, ...others]).size).toBe(5);
  });
});

describe('a draw', () => {
  it('asks exactly as many as it should, or all when there are no more', () => {
    fc.assert(
      fc.property(people, fc.integer({ min: 1, max: 40 }), (participants, count) => {
        expect(asked(SEED, OPENING, participants, count)).toHaveLength(Math.min(count, participants.length));
      }),
    );
  });

  it('depends on neither the order of the participants nor on who else is there', () => {
    fc.assert(
      fc.property(people, fc.integer({ min: 1, max: 30 }), fc.nat(29), (participants, count, which) => {
        const drawn = asked(SEED, OPENING, participants, count);
        expect(asked(SEED, OPENING, [...participants].reverse(), count).sort()).toEqual([...drawn].sort());
        // One more or less moves one person over the edge at most: nobody can shuffle the others by coming and going.
        const without = participants.filter((_, at) => at !== which % participants.length);
        if (without.length === 0) return;
        const kept = new Set(asked(SEED, OPENING, without, count));
        for (const one of drawn) if (without.includes(one)) expect(kept.has(one)).toBe(true);
      }),
    );
  });

  it('without a cut asks everyone', () => {
    const participant: Hex = `0x${'0a'.repeat(20)}`;
    expect(isAsked(undefined, OPENING, participant)).toBe(true);
    expect(isAsked({ seedIndex: 0, seed: SEED, cut: null }, OPENING, participant)).toBe(true);
  });

  it('asks everyone about equally often', () => {
    const participants = Array.from({ length: 10 }, (_, at): Hex => `0x${at.toString(16).padStart(2, '0').repeat(20)}`);
    const times = new Map(participants.map((participant) => [participant, 0]));
    for (let round = 1; round <= 1000; round++) {
      for (const one of asked(SEED, { round, attempt: 0 }, participants, 3)) times.set(one, (times.get(one) ?? 0) + 1);
    }
    // 300 expected, standard deviation 14.5; the seed is fixed, so this either holds or does not.
    for (const count of times.values()) expect(Math.abs(count - 300)).toBeLessThan(60);
  });
});
