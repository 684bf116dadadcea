/** A stretch of symbols, `start` inclusive to `end` exclusive. */
export interface Stretch {
  /** First symbol. */
  readonly start: number;
  /** One past the last symbol. */
  readonly end: number;
}

/** The two parts of a text. */
export interface TextSplit {
  /** Stretches to train on. */
  readonly training: readonly Stretch[];
  /** Stretches to evaluate on: none shares a symbol with a training stretch. */
  readonly heldOut: readonly Stretch[];
}

/** Symbols in one chunk of the split, at most; a short text is cut into ten chunks. */
const CHUNK_SYMBOLS = 2_000;

/** One chunk in so many is held out. */
const CHUNKS_PER_HELD_OUT = 10;

/**
 * Splits a text into chunks of 2,000 symbols (fewer where the text is shorter than ten of those) and holds every tenth
 * out, the sixth of each ten: both parts then come from all over the text, and a window that stays inside one stretch
 * never sees the other part.
 *
 * @param length - symbols in the text
 * @returns neighbouring training chunks joined into one stretch
 */
export function splitText(length: number): TextSplit {
  const training: Stretch[] = [];
  const heldOut: Stretch[] = [];
  const chunkSymbols = Math.max(1, Math.min(CHUNK_SYMBOLS, Math.floor(length / CHUNKS_PER_HELD_OUT)));
  let start = 0;
  for (let chunk = Math.floor(CHUNKS_PER_HELD_OUT / 2); chunk * chunkSymbols < length; chunk += CHUNKS_PER_HELD_OUT) {
    const from = chunk * chunkSymbols;
    const to = Math.min(from + chunkSymbols, length);
    training.push({ start, end: from });
    heldOut.push({ start: from, end: to });
    start = to;
  }
  if (start < length) training.push({ start, end: length });
  return { training, heldOut };
}

/**
 * Where in a text the `index`-th window of `window` symbols begins, counting the windows of all stretches in order.
 *
 * @param stretches - in order
 * @param window - symbols in a window
 * @param index - 0 <= index < countWindows(stretches, window)
 */
export function windowStart(stretches: readonly Stretch[], window: number, index: number): number {
  let left = index;
  for (const { start, end } of stretches) {
    const windows = Math.max(0, end - start - window + 1);
    if (left < windows) return start + left;
    left -= windows;
  }
  throw new RangeError(`window ${index} is beyond the text`);
}

/** How many windows of `window` symbols lie each inside one stretch. */
export function countWindows(stretches: readonly Stretch[], window: number): number {
  return stretches.reduce((sum, { start, end }) => sum + Math.max(0, end - start - window + 1), 0);
}
