/** How many may be under way at once: of one key, and of all. */
export interface Slots {
  /**
   * Takes a slot.
   *
   * @returns the way to give it back, which does so once however often it is called; undefined if all are taken
   */
  take(key: string): (() => void) | undefined;
  /** Slots taken. */
  readonly taken: number;
}

/**
 * Creates slots that are all free.
 *
 * @param perKey - slots of one key
 * @param total - slots of all keys together
 */
export function createSlots(perKey: number, total: number): Slots {
  const held = new Map<string, number>();
  let taken = 0;
  return {
    take: (key) => {
      const mine = held.get(key) ?? 0;
      if (mine >= perKey || taken >= total) return undefined;
      held.set(key, mine + 1);
      taken++;
      let isHeld = true;
      return () => {
        if (!isHeld) return;
        isHeld = false;
        taken--;
        const left = (held.get(key) ?? 1) - 1;
        if (left === 0) held.delete(key);
        else held.set(key, left);
      };
    },
    get taken() {
      return taken;
    },
  };
}
