// What one thread of this machine can do at most: products and sums of values that never leave their registers.

/**
 * Eight products and ten sums of four lanes four times a step, 288 operations: in the pattern of a product of matrices, and so
 * often that the loop itself does not count.
 *
 * @returns a value that depends on all of them, so that none is left out
 */
export function turn(steps: i32): f32 {
  const change = f32x4.splat(0.0000001);
  const low = f32x4.splat(0.5);
  const high = f32x4.splat(-0.25);
  let a = f32x4.splat(0.1);
  let b = f32x4.splat(0.2);
  let s0 = change;
  let s1 = change;
  let s2 = change;
  let s3 = change;
  let s4 = change;
  let s5 = change;
  let s6 = change;
  let s7 = change;
  for (; steps > 0; steps--) {
    s0 = f32x4.add(s0, f32x4.mul(a, low));
    s1 = f32x4.add(s1, f32x4.mul(a, high));
    s2 = f32x4.add(s2, f32x4.mul(a, change));
    s3 = f32x4.add(s3, f32x4.mul(b, low));
    s4 = f32x4.add(s4, f32x4.mul(b, high));
    s5 = f32x4.add(s5, f32x4.mul(b, change));
    s6 = f32x4.add(s6, f32x4.mul(a, b));
    s7 = f32x4.add(s7, f32x4.mul(a, a));
    a = f32x4.add(a, change);
    b = f32x4.add(b, change);
    s0 = f32x4.add(s0, f32x4.mul(a, low));
    s1 = f32x4.add(s1, f32x4.mul(a, high));
    s2 = f32x4.add(s2, f32x4.mul(a, change));
    s3 = f32x4.add(s3, f32x4.mul(b, low));
    s4 = f32x4.add(s4, f32x4.mul(b, high));
    s5 = f32x4.add(s5, f32x4.mul(b, change));
    s6 = f32x4.add(s6, f32x4.mul(a, b));
    s7 = f32x4.add(s7, f32x4.mul(a, a));
    a = f32x4.add(a, change);
    b = f32x4.add(b, change);
    s0 = f32x4.add(s0, f32x4.mul(a, low));
    s1 = f32x4.add(s1, f32x4.mul(a, high));
    s2 = f32x4.add(s2, f32x4.mul(a, change));
    s3 = f32x4.add(s3, f32x4.mul(b, low));
    s4 = f32x4.add(s4, f32x4.mul(b, high));
    s5 = f32x4.add(s5, f32x4.mul(b, change));
    s6 = f32x4.add(s6, f32x4.mul(a, b));
    s7 = f32x4.add(s7, f32x4.mul(a, a));
    a = f32x4.add(a, change);
    b = f32x4.add(b, change);
    s0 = f32x4.add(s0, f32x4.mul(a, low));
    s1 = f32x4.add(s1, f32x4.mul(a, high));
    s2 = f32x4.add(s2, f32x4.mul(a, change));
    s3 = f32x4.add(s3, f32x4.mul(b, low));
    s4 = f32x4.add(s4, f32x4.mul(b, high));
    s5 = f32x4.add(s5, f32x4.mul(b, change));
    s6 = f32x4.add(s6, f32x4.mul(a, b));
    s7 = f32x4.add(s7, f32x4.mul(a, a));
    a = f32x4.add(a, change);
    b = f32x4.add(b, change);
  }
  const first = f32x4.add(f32x4.add(s0, s1), f32x4.add(s2, s3));
  const second = f32x4.add(f32x4.add(s4, s5), f32x4.add(s6, s7));
  return f32x4.extract_lane(f32x4.add(first, second), 0);
}
