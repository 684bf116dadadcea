/** The parts of a run that take time. */
export const RUN_PARTS = ['training', 'attack', 'encoding', 'aggregation', 'evaluation', 'other'] as const;

/** One of them. */
export type RunPart = (typeof RUN_PARTS)[number];

/** Told what a run is at; time is its own affair, and no part of a result. */
export interface Stopwatch {
  /** The run goes on to this part. */
  at(part: RunPart): void;
}

/** A stopwatch that reads a clock. */
export interface ReadableStopwatch extends Stopwatch {
  /** Milliseconds of each part so far. */
  read(): Readonly<Record<RunPart, number>>;
}

/**
 * Adds up what each part takes.
 *
 * @param now - milliseconds from any beginning
 */
export function createStopwatch(now: () => number): ReadableStopwatch {
  const spent: Record<RunPart, number> = {
    ...{ training: 0, attack: 0, encoding: 0, aggregation: 0, evaluation: 0, other: 0 },
  };
  let part: RunPart = 'other';
  let since = now();
  const at = (next: RunPart): void => {
    const time = now();
    spent[part] += time - since;
    part = next;
    since = time;
  };
  return {
    at,
    read: () => {
      at(part);
      return { ...spent };
    },
  };
}
