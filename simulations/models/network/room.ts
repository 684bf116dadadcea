import { LearnerError } from '../learner-error.ts';

const PAGE = 65_536;
const MOST_PAGES = 65_536;
/** A cache line: everything begins at one, and something free lies behind it that vectors may read into. */
const LINE = 64;
/** Bytes behind everything else, for kernels that read a last few rows which are not there. */
const MARGIN = 2 ** 20;

/** Memory that kernels and threads share, given out piece by piece and never taken back. */
export interface Room {
  /** The memory. */
  readonly memory: WebAssembly.Memory;
  /**
   * A piece of so many bytes, zeros.
   *
   * @returns its address, never 0
   * @throws LearnerError `learner/too-large`
   */
  take(bytes: number): number;
}

/** Creates an empty room. */
export function createRoom(): Room {
  const memory = new WebAssembly.Memory({ initial: MARGIN / PAGE, maximum: MOST_PAGES, shared: true });
  let end = LINE;
  return {
    memory,
    take: (bytes) => {
      const at = end;
      const next = at + Math.ceil(bytes / LINE) * LINE + LINE;
      const pages = Math.ceil((next + MARGIN) / PAGE);
      const missing = pages - memory.buffer.byteLength / PAGE;
      try {
        if (missing > 0) memory.grow(missing);
      } catch (cause) {
        const sentence = `the model and its batches need ${next} bytes: at most 4 GiB can be had; train fewer clients together, or a smaller model`;
        throw new LearnerError('learner/too-large', sentence, { bytes: next }, cause);
      }
      end = next;
      return at;
    },
  };
}
