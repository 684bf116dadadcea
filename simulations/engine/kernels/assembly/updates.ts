// What virtual clients do to whole vectors: momentum, local steps, and the coding of updates as int16.

/** 2^32 as a float. */
const WHOLE: f32 = 4294967296;

/**
 * `update = beta update + weight (vector + decay weights)`, in float32, in this order.
 *
 * @param update - changed in place
 * @param count - values, a multiple of 4; all addresses are multiples of 4
 */
export function accumulate(
  update: usize,
  vector: usize,
  weights: usize,
  count: i32,
  beta: f32,
  weight: f32,
  decay: f32,
): void {
  const b = f32x4.splat(beta);
  const w = f32x4.splat(weight);
  const d = f32x4.splat(decay);
  for (const end = update + ((<usize>count) << 2); update < end; update += 16, vector += 16, weights += 16) {
    const pulled = f32x4.add(v128.load(vector), f32x4.mul(d, v128.load(weights)));
    v128.store(update, f32x4.add(f32x4.mul(b, v128.load(update)), f32x4.mul(w, pulled)));
  }
}

/** The same without a decay, which saves reading the weights: `update = beta update + weight vector`. */
export function blend(update: usize, vector: usize, count: i32, beta: f32, weight: f32): void {
  const b = f32x4.splat(beta);
  const w = f32x4.splat(weight);
  for (const end = update + ((<usize>count) << 2); update < end; update += 16, vector += 16) {
    v128.store(update, f32x4.add(f32x4.mul(b, v128.load(update)), f32x4.mul(w, v128.load(vector))));
  }
}

/**
 * A local step: `to = from - rate ((gradient + decay from) + proximal (from - anchor))`, in float32, in this order.
 *
 * @param to - may be `from`
 * @param count - values, a multiple of 4
 */
export function descend(
  from: usize,
  to: usize,
  gradient: usize,
  anchor: usize,
  count: i32,
  rate: f32,
  decay: f32,
  proximal: f32,
): void {
  const r = f32x4.splat(rate);
  const d = f32x4.splat(decay);
  const p = f32x4.splat(proximal);
  for (const end = from + ((<usize>count) << 2); from < end; from += 16, to += 16, gradient += 16, anchor += 16) {
    const x = v128.load(from);
    const slope = f32x4.add(v128.load(gradient), f32x4.mul(d, x));
    const pulled = f32x4.add(slope, f32x4.mul(p, f32x4.sub(x, v128.load(anchor))));
    v128.store(to, f32x4.sub(x, f32x4.mul(r, pulled)));
  }
}

/** `to = a - b`; `to` may be either. */
export function subtract(a: usize, b: usize, to: usize, count: i32): void {
  for (const end = a + ((<usize>count) << 2); a < end; a += 16, b += 16, to += 16) {
    v128.store(to, f32x4.sub(v128.load(a), v128.load(b)));
  }
}

/**
 * Codes one tensor of four updates as `encodeUpdate` does, bit for bit, but that what is beyond ±8191 or no number becomes
 * ±8192, for the caller to cut: stochastic rounding to multiples of `1 / unit`. Each of the four draws from its own stream of
 * xoshiro128**, one number a coordinate; a lane is a stream, and four numbers of each are turned into a vector of one. A step of
 * the streams changes four locals, which no function could: it is written out each time.
 *
 * With y = |x unit| and g its fraction, both exact in float32 since the unit is a power of two, and u the 32 random bits:
 * a positive value is rounded away from zero if u < 2^32 g, a negative one if 2^32 - 1 - u < floor(2^32 g). That is
 * `u / 2^32 < x - floor(x)` for both, without the rounding that the difference would take for a small negative x.
 *
 * @param streams - four vectors of int32: the states of the four streams, word by word; left where the streams stand then
 * @param found - four vectors of int32: of each update four largest magnitudes; added to
 * @param unit - a power of two
 */
export function encode(
  from0: usize,
  from1: usize,
  from2: usize,
  from3: usize,
  to0: usize,
  to1: usize,
  to2: usize,
  to3: usize,
  count: i32,
  unit: f32,
  streams: usize,
  found: usize,
): void {
  let a = v128.load(streams);
  let b = v128.load(streams, 16);
  let c = v128.load(streams, 32);
  let d = v128.load(streams, 48);
  let most0 = v128.load(found);
  let most1 = v128.load(found, 16);
  let most2 = v128.load(found, 32);
  let most3 = v128.load(found, 48);
  const u = f32x4.splat(unit);
  const end = <usize>count & ~3;
  let at: usize = 0;
  let m: v128;
  let x: v128;
  let q: v128;
  for (; at < end; at += 4) {
    m = i32x4.add(i32x4.shl(b, 2), b);
    m = v128.or(i32x4.shl(m, 7), i32x4.shr_u(m, 25));
    const r0 = i32x4.add(i32x4.shl(m, 3), m);
    m = i32x4.shl(b, 9);
    c = v128.xor(c, a);
    d = v128.xor(d, b);
    b = v128.xor(b, c);
    a = v128.xor(a, d);
    c = v128.xor(c, m);
    d = v128.or(i32x4.shl(d, 11), i32x4.shr_u(d, 21));
    m = i32x4.add(i32x4.shl(b, 2), b);
    m = v128.or(i32x4.shl(m, 7), i32x4.shr_u(m, 25));
    const r1 = i32x4.add(i32x4.shl(m, 3), m);
    m = i32x4.shl(b, 9);
    c = v128.xor(c, a);
    d = v128.xor(d, b);
    b = v128.xor(b, c);
    a = v128.xor(a, d);
    c = v128.xor(c, m);
    d = v128.or(i32x4.shl(d, 11), i32x4.shr_u(d, 21));
    m = i32x4.add(i32x4.shl(b, 2), b);
    m = v128.or(i32x4.shl(m, 7), i32x4.shr_u(m, 25));
    const r2 = i32x4.add(i32x4.shl(m, 3), m);
    m = i32x4.shl(b, 9);
    c = v128.xor(c, a);
    d = v128.xor(d, b);
    b = v128.xor(b, c);
    a = v128.xor(a, d);
    c = v128.xor(c, m);
    d = v128.or(i32x4.shl(d, 11), i32x4.shr_u(d, 21));
    m = i32x4.add(i32x4.shl(b, 2), b);
    m = v128.or(i32x4.shl(m, 7), i32x4.shr_u(m, 25));
    const r3 = i32x4.add(i32x4.shl(m, 3), m);
    m = i32x4.shl(b, 9);
    c = v128.xor(c, a);
    d = v128.xor(d, b);
    b = v128.xor(b, c);
    a = v128.xor(a, d);
    c = v128.xor(c, m);
    d = v128.or(i32x4.shl(d, 11), i32x4.shr_u(d, 21));
    const low01 = v128.shuffle<i32>(r0, r1, 0, 4, 1, 5);
    const low23 = v128.shuffle<i32>(r2, r3, 0, 4, 1, 5);
    const high01 = v128.shuffle<i32>(r0, r1, 2, 6, 3, 7);
    const high23 = v128.shuffle<i32>(r2, r3, 2, 6, 3, 7);
    const f = at << 2;
    const t = at << 1;
    x = f32x4.mul(v128.load(from0 + f), u);
    q = magnitude(x, v128.shuffle<i64>(low01, low23, 0, 2));
    most0 = i32x4.max_s(most0, q);
    q = signed(x, q);
    v128.store64_lane(to0 + t, i16x8.narrow_i32x4_s(q, q), 0);
    x = f32x4.mul(v128.load(from1 + f), u);
    q = magnitude(x, v128.shuffle<i64>(low01, low23, 1, 3));
    most1 = i32x4.max_s(most1, q);
    q = signed(x, q);
    v128.store64_lane(to1 + t, i16x8.narrow_i32x4_s(q, q), 0);
    x = f32x4.mul(v128.load(from2 + f), u);
    q = magnitude(x, v128.shuffle<i64>(high01, high23, 0, 2));
    most2 = i32x4.max_s(most2, q);
    q = signed(x, q);
    v128.store64_lane(to2 + t, i16x8.narrow_i32x4_s(q, q), 0);
    x = f32x4.mul(v128.load(from3 + f), u);
    q = magnitude(x, v128.shuffle<i64>(high01, high23, 1, 3));
    most3 = i32x4.max_s(most3, q);
    q = signed(x, q);
    v128.store64_lane(to3 + t, i16x8.narrow_i32x4_s(q, q), 0);
  }
  // What is left of the tensor, a coordinate at a time: the lanes are the updates.
  const zero = i32x4.splat(0);
  for (; at < <usize>count; at++) {
    m = i32x4.add(i32x4.shl(b, 2), b);
    m = v128.or(i32x4.shl(m, 7), i32x4.shr_u(m, 25));
    const r0 = i32x4.add(i32x4.shl(m, 3), m);
    m = i32x4.shl(b, 9);
    c = v128.xor(c, a);
    d = v128.xor(d, b);
    b = v128.xor(b, c);
    a = v128.xor(a, d);
    c = v128.xor(c, m);
    d = v128.or(i32x4.shl(d, 11), i32x4.shr_u(d, 21));
    const f = at << 2;
    const t = at << 1;
    x = v128.load32_zero(from0 + f);
    x = v128.load32_lane(from1 + f, x, 1);
    x = v128.load32_lane(from2 + f, x, 2);
    x = f32x4.mul(v128.load32_lane(from3 + f, x, 3), u);
    q = magnitude(x, r0);
    most0 = i32x4.max_s(most0, v128.shuffle<i32>(q, zero, 0, 4, 4, 4));
    most1 = i32x4.max_s(most1, v128.shuffle<i32>(q, zero, 1, 4, 4, 4));
    most2 = i32x4.max_s(most2, v128.shuffle<i32>(q, zero, 2, 4, 4, 4));
    most3 = i32x4.max_s(most3, v128.shuffle<i32>(q, zero, 3, 4, 4, 4));
    q = signed(x, q);
    i32.store16(to0 + t, i32x4.extract_lane(q, 0));
    i32.store16(to1 + t, i32x4.extract_lane(q, 1));
    i32.store16(to2 + t, i32x4.extract_lane(q, 2));
    i32.store16(to3 + t, i32x4.extract_lane(q, 3));
  }
  v128.store(streams, a);
  v128.store(streams, b, 16);
  v128.store(streams, c, 32);
  v128.store(streams, d, 48);
  v128.store(found, most0);
  v128.store(found, most1, 16);
  v128.store(found, most2, 32);
  v128.store(found, most3, 48);
}

/** The magnitudes that values round to, given 32 random bits each; 8192 where they are beyond 8191 or no number. */
function magnitude(x: v128, bits: v128): v128 {
  // What is no number is not less than 8192 either.
  const y = f32x4.pmin(f32x4.splat(8192), f32x4.abs(x));
  const whole = f32x4.floor(y);
  const part = f32x4.mul(f32x4.sub(y, whole), f32x4.splat(WHOLE));
  const negative = i32x4.shr_s(x, 31);
  const bar = i32x4.trunc_sat_f32x4_u(v128.bitselect(part, f32x4.ceil(part), negative));
  const up = i32x4.lt_u(v128.xor(bits, negative), bar);
  // The bits of 2^23 + k, for a whole k below 2^23, are those of 2^23 plus k.
  const counted = i32x4.sub(f32x4.add(whole, f32x4.splat(8388608)), i32x4.splat(0x4b000000));
  return i32x4.sub(counted, up);
}

/** Magnitudes with the signs of values. */
function signed(x: v128, q: v128): v128 {
  const negative = i32x4.shr_s(x, 31);
  return i32x4.sub(v128.xor(q, negative), negative);
}
