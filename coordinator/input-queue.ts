import type { JobEvent } from './round/events.ts';
import type { Step } from './round/outcome.ts';
import type { JobState } from './round/state.ts';

/** What an input is decided on: where the job stands once everything ahead of it is done. */
export interface Draft {
  /** Where the job stands, with what this input has recorded so far. */
  readonly state: JobState;
  /** Adds an event to what the input comes to. */
  record(event: JobEvent): void;
  /** Asks for something to be stored durably before any of the input's events is logged. Repeated after a failure. */
  keep(work: () => Promise<void>): void;
}

/** What the queue works with. */
export interface InputQueueOptions {
  /** Where the job stands by the log. */
  readonly state: () => JobState;
  /** What follows from an event. Pure. */
  readonly step: (state: JobState, event: JobEvent) => Step;
  /** Logs events as one atomic, durable write. */
  readonly append: (events: readonly JobEvent[]) => Promise<void>;
  /** Takes over one event that is in the log, with what it was before and what follows. */
  readonly commit: (event: JobEvent, before: JobState, after: Step) => void;
  /** Refuses an input: thrown before it is decided, once the job's loop has ended. */
  readonly refuseAfterEnd: () => void;
}

/** The inputs of one job, decided one after the other and logged together. */
export interface InputQueue {
  /**
   * Has an input decided in its turn. Its answer is given when its events, and all that it was decided on, are durable.
   *
   * @param about - the participant it is about: inputs about different participants may share one write of the log;
   *   without one it is decided, logged and carried out alone
   * @param decide - called again if another input of the same write could not be stored
   * @returns what `decide` returned
   * @throws what `decide`, what it asked to be kept, or the log threw: then nothing of the input is kept
   */
  take<Answer>(about: string | undefined, decide: (draft: Draft) => Answer): Promise<Answer>;
  /** Resolves when nothing is left to be done. */
  idle(): Promise<void>;
}

/** Inputs that share one write at most: whoever came first does not wait for everybody else's bytes. */
const MOST_TOGETHER = 64;

interface Input {
  readonly about: string | undefined;
  readonly decide: (draft: Draft) => unknown;
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: unknown) => void;
}

interface Decided {
  readonly input: Input;
  readonly answer: unknown;
  readonly entries: readonly Entry[];
  readonly keeping: readonly (() => Promise<void>)[];
}

interface Entry {
  readonly event: JobEvent;
  readonly before: JobState;
  readonly after: Step;
}

/**
 * Creates an empty queue. A sync of the disk costs the same for one event as for many, so what has come in while the
 * last write was under way is decided on a draft of the state, stored at once, and logged as one write (DeWitt et al.,
 * "Implementation techniques for main memory database systems", 1984: group commit). The job stands where the log says
 * all the while: nobody sees a draft, and if the write fails it never was.
 */
export function createInputQueue(options: InputQueueOptions): InputQueue {
  const { step, append, commit, refuseAfterEnd } = options;
  const waiting: Input[] = [];
  let working: Promise<void> | undefined;

  /** The inputs from the front that may share a write: one a participant, so that lookups in the past hold for each. */
  const nextTogether = (): Input[] => {
    const seen = new Set<string>();
    let count = 0;
    for (const { about } of waiting.slice(0, MOST_TOGETHER)) {
      if (about === undefined || seen.has(about)) break;
      seen.add(about);
      count++;
    }
    return waiting.splice(0, Math.max(1, count));
  };

  /** Decides one input on a state; one that throws is refused and leaves no trace. */
  const decide = (input: Input, state: JobState): { readonly decided?: Decided; readonly state: JobState } => {
    const entries: Entry[] = [];
    const keeping: (() => Promise<void>)[] = [];
    let ahead = state;
    try {
      const answer = input.decide({
        get state() {
          return ahead;
        },
        record: (event) => {
          const after = step(ahead, event);
          entries.push({ event, before: ahead, after });
          ahead = after.state;
        },
        keep: (work) => {
          keeping.push(work);
        },
      });
      return { decided: { input, answer, entries, keeping }, state: ahead };
    } catch (error) {
      input.reject(error);
      return { state };
    }
  };

  const decideAll = (inputs: readonly Input[]): Decided[] => {
    let ahead = options.state();
    return inputs.flatMap((input) => {
      const { decided, state } = decide(input, ahead);
      ahead = state;
      return decided ? [decided] : [];
    });
  };

  /** Stores what inputs want kept. Those whose bytes could not be stored are refused; the others are left. */
  const storeAll = async (decided: readonly Decided[]): Promise<Input[]> => {
    const left = await Promise.all(
      decided.map(async ({ input, keeping }) => {
        try {
          await Promise.all(keeping.map((work) => work()));
          return [input];
        } catch (error) {
          input.reject(error);
          return [];
        }
      }),
    );
    return left.flat();
  };

  const carryOut = async (inputs: readonly Input[]): Promise<void> => {
    let decided = decideAll(inputs);
    // The later ones were decided as if an input that is refused now had gone through: they are decided again.
    for (let left = await storeAll(decided); left.length < decided.length; left = await storeAll(decided)) {
      decided = decideAll(left);
    }
    const entries = decided.flatMap((one) => one.entries);
    if (entries.length > 0) await append(entries.map(({ event }) => event));
    for (const { event, before, after } of entries) commit(event, before, after);
    for (const { input, answer } of decided) input.resolve(answer);
  };

  const work = async (): Promise<void> => {
    while (waiting.length > 0) {
      const inputs = nextTogether();
      try {
        refuseAfterEnd();
        await carryOut(inputs);
      } catch (error) {
        for (const { reject } of inputs) reject(error);
      }
    }
    working = undefined;
  };

  return {
    take: <Answer>(about: string | undefined, decide: (draft: Draft) => Answer) =>
      new Promise<Answer>((resolve, reject) => {
        waiting.push({ about, decide, resolve: resolve as (answer: unknown) => void, reject });
        // What else comes in the same turn comes along with it.
        working ??= Promise.resolve().then(work);
      }),
    idle: async () => {
      while (working) await working;
    },
  };
}
