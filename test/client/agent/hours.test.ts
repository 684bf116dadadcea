import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isTimeZone, isWithin, parseHours } from '../../../client/agent/hours.ts';

const at = (timeZone: string, window: string, time: string) => {
  const parsed = parseHours(window);
  if (parsed === undefined) throw new Error(`no hours: ${window}`);
  return isWithin({ timeZone, windows: [parsed] }, Date.parse(time));
};

describe('hours', () => {
  // 2026-03-27 is a Friday; in Berlin summer begins on Sunday the 29th.
  it.each([
    ['UTC', '20:00-07:00', '2026-03-27T19:59:00Z', false],
    ['UTC', '20:00-07:00', '2026-03-27T20:00:00Z', true],
    ['UTC', '20:00-07:00', '2026-03-28T06:59:00Z', true],
    ['UTC', '20:00-07:00', '2026-03-28T07:00:00Z', false],
    ['Europe/Berlin', '20:00-21:00', '2026-03-27T19:00:00Z', true],
    ['Europe/Berlin', '20:00-21:00', '2026-03-30T19:00:00Z', false],
    ['Europe/Berlin', '20:00-21:00', '2026-03-30T18:00:00Z', true],
    ['UTC', 'mon-fri 22:00-02:00', '2026-03-28T01:00:00Z', true],
    ['UTC', 'mon-fri 22:00-02:00', '2026-03-28T23:00:00Z', false],
    ['UTC', 'sat-mon 00:00-24:00', '2026-03-30T23:59:00Z', true],
    ['UTC', 'sat-mon 00:00-24:00', '2026-03-31T00:00:00Z', false],
    ['Asia/Kolkata', 'sat 00:00-24:00', '2026-03-27T18:30:00Z', true],
  ])('in %s %s at %s: %s', (zone, window, time, expected) => {
    expect(at(zone, window, time)).toBe(expected);
  });

  it('are either those of a window or those of the rest of the day', () => {
    const clock = fc.integer({ min: 0, max: 1439 });
    fc.assert(
      fc.property(clock, clock, fc.integer({ min: 0, max: 2 ** 40 }), (from, to, timeMs) => {
        fc.pre(from !== to);
        const text = (minute: number) =>
          `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`;
        const [one, rest] = [parseHours(`${text(from)}-${text(to)}`), parseHours(`${text(to)}-${text(from)}`)];
        if (!one || !rest) throw new Error('not read');
        const within = (window: typeof one) => isWithin({ timeZone: 'Pacific/Auckland', windows: [window] }, timeMs);
        expect(within(one)).toBe(!within(rest));
      }),
    );
  });

  it.each(['', '7:00-8:00', '25:00-26:00', '08:00-08:00', '08:60-09:00', 'monday 08:00-09:00', 'mon-xyz 08:00-09:00'])(
    '"%s" are none',
    (text) => expect(parseHours(text)).toBeUndefined(),
  );

  it('know the places that have a clock', () => {
    expect(isTimeZone('Europe/Berlin')).toBe(true);
    expect(isTimeZone('Europe/Atlantis')).toBe(false);
  });
});
