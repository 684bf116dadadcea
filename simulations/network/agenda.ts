/** Who goes first among things due at one instant: what reached the coordinator, then its own work, then its timers. */
export const TURN = { message: 0, work: 1, timer: 2 } as const;

/** What is due at some time. */
interface Entry {
  readonly at: number;
  readonly turn: number;
  readonly order: number;
  readonly act: (at: number) => void;
}

/** What is still to happen on a virtual clock, earliest first. */
export interface Agenda {
  /** The time of what happened last, in milliseconds; 0 before anything has. It never goes back. */
  readonly now: number;
  /** How many things have happened. */
  readonly done: number;
  /**
   * Adds something that is to happen. Things due at one time happen by their turn, and within it in the order they were
   * added, so that the order of everything is fixed.
   *
   * @param at - when, in milliseconds; no earlier than {@link Agenda.now}, to which anything earlier is put off
   * @param turn - one of {@link TURN}
   * @param act - what happens; given the time
   */
  add(at: number, turn: number, act: (at: number) => void): void;
  /** Lets the earliest thing happen; false if there is none. */
  advance(): boolean;
}

/** An empty agenda at time 0: a binary heap. */
export function createAgenda(): Agenda {
  const heap: Entry[] = [];
  let now = 0;
  let done = 0;
  let added = 0;

  const rise = (entry: Entry): void => {
    let at = heap.length;
    heap.push(entry);
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = heap[above] as Entry;
      if (isBefore(parent, entry)) break;
      heap[at] = parent;
      at = above;
    }
    heap[at] = entry;
  };

  /** Puts an entry in place of the earliest one. */
  const sink = (entry: Entry): void => {
    let at = 0;
    for (let below = 1; below < heap.length; below = 2 * at + 1) {
      const right = below + 1;
      if (right < heap.length && isBefore(heap[right] as Entry, heap[below] as Entry)) below = right;
      const child = heap[below] as Entry;
      if (isBefore(entry, child)) break;
      heap[at] = child;
      at = below;
    }
    heap[at] = entry;
  };

  return {
    get now() {
      return now;
    },
    get done() {
      return done;
    },
    add: (at, turn, act) => rise({ at: Math.max(at, now), turn, order: added++, act }),
    advance: () => {
      const [first] = heap;
      const last = heap.pop();
      if (!first || !last) return false;
      if (heap.length > 0) sink(last);
      now = first.at;
      done++;
      first.act(now);
      return true;
    },
  };
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.at !== b.at ? a.at < b.at : a.turn !== b.turn ? a.turn < b.turn : a.order < b.order;
}
