/** Takes bytes as they come and gives lines. */
export interface LineReader {
  /** Takes a chunk and gives the lines that it ends, in order. */
  push(chunk: Uint8Array): void;
  /** Gives what is left as a line, unless it is empty. */
  end(): void;
}

const NEWLINE = 0x0a;

/**
 * Creates a reader of lines in UTF-8 that keeps no more than `mostBytes` of one. The beginning of a longer line is given
 * as soon as it is that long, and the rest of it passed over. What is not UTF-8 becomes U+FFFD.
 *
 * @param mostBytes - the longest line given whole
 * @param onLine - takes a line without its end; `isCut` if this is only its beginning
 */
export function createLineReader(mostBytes: number, onLine: (line: string, isCut: boolean) => void): LineReader {
  let kept: Uint8Array[] = [];
  let length = 0;
  let isPassingOver = false;
  const give = (isCut: boolean): void => {
    const line = Buffer.concat(kept).toString('utf8');
    kept = [];
    length = 0;
    onLine(line, isCut);
  };
  const take = (piece: Uint8Array): void => {
    if (isPassingOver || piece.length === 0) return;
    const room = piece.subarray(0, mostBytes - length);
    // A copy: the chunk that a short piece is part of may be large.
    kept.push(Uint8Array.from(room));
    length += room.length;
    if (room.length === piece.length) return;
    isPassingOver = true;
    give(true);
  };
  return {
    push: (chunk) => {
      let start = 0;
      for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
        take(chunk.subarray(start, end));
        if (!isPassingOver) give(false);
        isPassingOver = false;
        start = end + 1;
      }
      take(chunk.subarray(start));
    },
    end: () => {
      if (length > 0) give(false);
    },
  };
}
