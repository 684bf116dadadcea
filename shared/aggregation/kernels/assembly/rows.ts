// Rows into blocks and out of them: a block holds 64 coordinates of every row, one row after the other, 128 bytes each.

/** Bytes of one row of a block. */
const ROW: usize = 128;
/** Coordinates of one row of a block. */
const BLOCK: i32 = 64;
/** Largest magnitude of an update's coordinate. */
const MAX_UPDATE: i16 = 8191;

/**
 * Copies a run of one row into its place in consecutive blocks; what is left of the last block becomes zero.
 *
 * @param from - the run, aligned to 2 bytes
 * @param coordinates - its length
 * @param to - the row's place in the first block
 * @param blockBytes - from one block to the next
 * @returns 1 when every coordinate is within ±8191, else 0
 */
export function scatter(from: usize, coordinates: i32, to: usize, blockBytes: usize): i32 {
  let least = i16x8.splat(0);
  let most = least;
  for (; coordinates >= BLOCK; coordinates -= BLOCK, to += blockBytes) {
    for (const end = to + ROW; to < end; to += 16, from += 16) {
      const values = v128.load(from);
      least = i16x8.min_s(least, values);
      most = i16x8.max_s(most, values);
      v128.store(to, values);
    }
    to -= ROW;
  }
  if (coordinates > 0) {
    memory.fill(to, 0, ROW);
    memory.copy(to, from, (coordinates as usize) * 2);
    for (let at: usize = 0; at < ROW; at += 16) {
      least = i16x8.min_s(least, v128.load(to + at));
      most = i16x8.max_s(most, v128.load(to + at));
    }
  }
  const beyond = v128.or(i16x8.gt_s(most, i16x8.splat(MAX_UPDATE)), i16x8.lt_s(least, i16x8.splat(-MAX_UPDATE)));
  return v128.any_true(beyond) ? 0 : 1;
}

/**
 * Splits an aggregate's coordinates `a = 256 h + l`, 0 <= l < 256, into two rows of int16 and clears a third: rows whose
 * inner products give the aggregate's.
 *
 * @param aggregate - 64 int32 a block, |a| <= 8191 * 256
 * @param blocks - blocks
 * @param to - the first of the three rows in the first block
 * @param blockBytes - from one block to the next
 */
export function split(aggregate: usize, blocks: i32, to: usize, blockBytes: usize): void {
  const byte = i32x4.splat(255);
  for (; blocks > 0; blocks--, to += blockBytes) {
    for (let at: usize = 0; at < ROW; at += 16, aggregate += 32) {
      const a = v128.load(aggregate);
      const b = v128.load(aggregate, 16);
      v128.store(to + at, i16x8.narrow_i32x4_s(i32x4.shr_s(a, 8), i32x4.shr_s(b, 8)));
      v128.store(to + at, i16x8.narrow_i32x4_s(v128.and(a, byte), v128.and(b, byte)), ROW);
      v128.store(to + at, i16x8.splat(0), 2 * ROW);
    }
  }
}

/**
 * Reads bytes and does next to nothing with them: what any rule that looks at its input must take at least.
 *
 * @param from - first byte
 * @param bytes - a multiple of 64
 * @returns bits that depend on all of them
 */
export function read(from: usize, bytes: usize): i32 {
  let a = i32x4.splat(0);
  let b = a;
  let c = a;
  let d = a;
  for (const end = from + bytes; from < end; from += 64) {
    a = v128.xor(a, v128.load(from));
    b = v128.xor(b, v128.load(from, 16));
    c = v128.xor(c, v128.load(from, 32));
    d = v128.xor(d, v128.load(from, 48));
  }
  return i32x4.extract_lane(v128.xor(v128.xor(a, b), v128.xor(c, d)), 0);
}
