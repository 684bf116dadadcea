const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
const DAY_MINUTES = 1440;

/** A stretch of the week that comes again every week; one that ends before it begins goes on into the next day. */
export interface HoursWindow {
  /** Days on which it begins, 0 for Monday to 6 for Sunday. */
  readonly days: readonly number[];
  /** When it begins, in minutes since midnight. */
  readonly from: number;
  /** When it ends, in minutes since midnight; 1440 is the end of the day. */
  readonly to: number;
}

/** Hours in which an agent works, by the clock of one place. */
export interface Hours {
  /** The place, such as `Europe/Berlin` (IANA). */
  readonly timeZone: string;
  /** Any of these. */
  readonly windows: readonly HoursWindow[];
}

const WINDOW = /^(?:([a-z]{3})(?:-([a-z]{3}))? )?([0-9]{2}):([0-9]{2})-([0-9]{2}):([0-9]{2})$/;

/**
 * Reads hours such as `20:00-07:00`, `mon-fri 18:30-24:00` or `sat 00:00-24:00`.
 *
 * @returns undefined where the text is none
 */
export function parseHours(text: string): HoursWindow | undefined {
  const [, firstDay, lastDay, ...clock] = WINDOW.exec(text.trim().toLowerCase()) ?? [];
  const [fromHour, fromMinute, toHour, toMinute] = clock.map(Number) as [number, number, number, number];
  if (clock.length !== 4 || fromMinute > 59 || toMinute > 59) return undefined;
  const [from, to] = [fromHour * 60 + fromMinute, toHour * 60 + toMinute];
  if (from >= DAY_MINUTES || to > DAY_MINUTES || from === to) return undefined;
  const days = firstDay === undefined ? [0, 1, 2, 3, 4, 5, 6] : daysBetween(firstDay, lastDay ?? firstDay);
  return days && { days, from, to };
}

/** The days from one to another, over the week's end where the second comes first. */
function daysBetween(first: string, last: string): number[] | undefined {
  const [begin, end] = [DAYS.indexOf(first as 'mon'), DAYS.indexOf(last as 'mon')];
  if (begin < 0 || end < 0) return undefined;
  return Array.from({ length: ((end - begin + 7) % 7) + 1 }, (_, index) => (begin + index) % 7);
}

/** Whether a place of this name has a clock that is known here. */
export function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en-US', { timeZone: name }) !== undefined;
  } catch {
    return false;
  }
}

/**
 * Whether it is within the hours.
 *
 * @param timeMs - milliseconds since 1970
 */
export function isWithin({ timeZone, windows }: Hours, timeMs: number): boolean {
  const { day, minute } = clockAt(timeZone, timeMs);
  return windows.some(({ days, from, to }) => {
    if (from < to) return days.includes(day) && minute >= from && minute < to;
    return (days.includes(day) && minute >= from) || (days.includes((day + 6) % 7) && minute < to);
  });
}

/** Day of the week (0 for Monday) and minute of the day that the clocks of a place show. */
function clockAt(timeZone: string, timeMs: number): { readonly day: number; readonly minute: number } {
  const format = new Intl.DateTimeFormat('en-US', {
    ...{ timeZone, weekday: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' },
  });
  const parts = new Map(format.formatToParts(timeMs).map(({ type, value }) => [type, value]));
  const day = DAYS.indexOf((parts.get('weekday') ?? '').toLowerCase() as 'mon');
  return { day, minute: Number(parts.get('hour')) * 60 + Number(parts.get('minute')) };
}
