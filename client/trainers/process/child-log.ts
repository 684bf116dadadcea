import type { Log } from '../../log.ts';
import { createLineReader, type LineReader } from './line-reader.ts';

/** Of one line of standard error, at most. */
const MOST_LINE_BYTES = 2_000;

/** Lines told in one stretch of time. */
const BUDGET = { lines: 200, everyMs: 10_000 };

/** Control characters, with which a line could act on a terminal. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]+/g;

/**
 * Passes what a trainer's program writes to standard error to the client's log, line by line. Long lines are cut, and a
 * flood of lines is counted rather than told. A carriage return, with which progress bars redraw themselves, ends a line.
 *
 * @param log - where to tell
 * @param now - milliseconds; a clock that never goes back
 */
export function createChildLog(log: Log, now: () => number = () => performance.now()): LineReader {
  let since = now();
  let told = 0;
  let leftOut = 0;
  const account = (): void => {
    if (leftOut > 0) log.warn({ lines: leftOut }, 'the trainer wrote more than is told: these lines are left out');
    leftOut = 0;
  };
  const reader = createLineReader(MOST_LINE_BYTES, (line, isCut) => {
    if (now() - since >= BUDGET.everyMs) {
      account();
      since = now();
      told = 0;
    }
    for (const piece of line.split('\r')) {
      const text = piece.replace(CONTROL, ' ').trimEnd();
      if (text === '') continue;
      if (told < BUDGET.lines) log.info({ trainer: `${text}${isCut ? ' …' : ''}` }, 'trainer');
      else leftOut++;
      told++;
    }
  });
  return {
    push: reader.push,
    end: () => {
      reader.end();
      account();
    },
  };
}
