// The language leaves the precision of Math.exp and Math.log to the engine. These two are made of + - * / alone, which it
// fixes to the last bit, so that a model comes out the same on every machine. Method and constants: fdlibm 5.3 (Sun
// Microsystems, 1993), e_exp.c and e_log.c: the argument is brought near to 0 or 1, where a short rational form does.

/** ln 2 in two parts; the first has 32 bits, so that small multiples of it are exact. */
const LN2_HIGH = 0.6931471803691238;
const LN2_LOW = 1.9082149292705877e-10;

/** Beyond these `exp` is no finite number above 0. */
const EXP_MOST = 709.782712893384;
const EXP_LEAST = -745.1332191019411;

const SMALLEST_EXPONENT = -1074;
/** Powers of two from the smallest number on, by doubling, which is exact. */
const POWERS = new Float64Array(1024 - SMALLEST_EXPONENT);
for (let at = 0, power = Number.MIN_VALUE; at < POWERS.length; at++, power += power) POWERS[at] = power;

const view = new DataView(new ArrayBuffer(8));

/**
 * e to a power, the same bits on every machine; off by less than one unit in the last place.
 *
 * @param x - any number; beyond ±745 the result is 0 or infinite
 */
export function exp(x: number): number {
  if (Number.isNaN(x)) return x;
  if (x > EXP_MOST) return Number.POSITIVE_INFINITY;
  if (x < EXP_LEAST) return 0;
  // x = k ln 2 + r, |r| <= ln 2 / 2; r = high - low keeps what one number would lose.
  const k = Math.floor(x * Math.LOG2E + 0.5);
  const high = x - k * LN2_HIGH;
  const low = k * LN2_LOW;
  const r = high - low;
  const t = r * r;
  const c =
    r -
    t *
      (0.16666666666666602 +
        t *
          (-0.0027777777777015593 +
            t * (6.613756321437934e-5 + t * (-1.6533902205465252e-6 + t * 4.1381367970572385e-8))));
  const y = 1 - (low - (r * c) / (2 - c) - high);
  // In two steps where 2^k alone is no ordinary number, so that only the last one rounds.
  if (k > 1023) return y * 2 * powerOfTwo(k - 1);
  if (k < -1021) return y * powerOfTwo(k + 54) * powerOfTwo(-54);
  return y * powerOfTwo(k);
}

/**
 * The natural logarithm, the same bits on every machine; off by less than one unit in the last place.
 *
 * @param x - above 0; of 0 it is minus infinity, of less not a number
 */
export function log(x: number): number {
  if (x === 0) return Number.NEGATIVE_INFINITY;
  if (!(x > 0)) return Number.NaN;
  if (x === Number.POSITIVE_INFINITY) return x;
  // x = 2^k (1 + f) with 1 + f from sqrt(1/2) to sqrt(2).
  const lift = x < 2.2250738585072014e-308 ? 54 : 0;
  view.setFloat64(0, lift === 0 ? x : x * powerOfTwo(lift));
  const head = view.getUint32(0);
  const mantissa = head & 0xfffff;
  const up = (mantissa + 0x95f64) & 0x100000;
  view.setUint32(0, mantissa | (up ^ 0x3ff00000));
  const k = (head >>> 20) - 1023 + (up >>> 20) - lift;
  const f = view.getFloat64(0) - 1;
  const s = f / (2 + f);
  const z = s * s;
  const w = z * z;
  const odd = w * (0.3999999999940942 + w * (0.22222198432149784 + w * 0.15313837699209373));
  const even = z * (0.6666666666666735 + w * (0.2857142874366239 + w * (0.1818357216161805 + w * 0.14798198605116586)));
  const half = 0.5 * f * f;
  return k * LN2_HIGH - (half - (s * (half + (odd + even)) + k * LN2_LOW) - f);
}

/** 2^k for -1074 <= k <= 1023. */
function powerOfTwo(k: number): number {
  return POWERS[k - SMALLEST_EXPONENT] as number;
}
