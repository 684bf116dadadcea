/** Things that are lent to one borrower at a time: chains for tests that run at once. */
export interface Lanes<T> {
  /** Lends one to `work`, as soon as one is free. */
  lend<R>(work: (lane: T) => Promise<R>): Promise<R>;
  readonly all: readonly T[];
}

export function createLanes<T>(all: readonly T[]): Lanes<T> {
  const free = [...all];
  const waiting: ((lane: T) => void)[] = [];
  return {
    all,
    lend: async (work) => {
      const lane = free.shift() ?? (await new Promise<T>((resolve) => waiting.push(resolve)));
      try {
        return await work(lane);
      } finally {
        const next = waiting.shift();
        if (next) next(lane);
        else free.push(lane);
      }
    },
  };
}
