// What one thread of this machine can do at most: products and sums of values that never leave their registers.

/**
 * Six products and six sums of four lanes a step, none of which waits for another.
 *
 * @returns a value that depends on all of them, so that none is left out
 */
export function turn(steps: i32): f32 {
  const factor = f32x4.splat(0.9999999);
  const addend = f32x4.splat(0.0001);
  let a = f32x4.splat(1);
  let b = f32x4.splat(2);
  let c = f32x4.splat(3);
  let d = f32x4.splat(4);
  let e = f32x4.splat(5);
  let f = f32x4.splat(6);
  let g = f32x4.splat(7);
  let h = f32x4.splat(8);
  let i = f32x4.splat(9);
  let j = f32x4.splat(10);
  let k = f32x4.splat(11);
  let l = f32x4.splat(12);
  for (; steps > 0; steps--) {
    a = f32x4.mul(a, factor);
    g = f32x4.add(g, addend);
    b = f32x4.mul(b, factor);
    h = f32x4.add(h, addend);
    c = f32x4.mul(c, factor);
    i = f32x4.add(i, addend);
    d = f32x4.mul(d, factor);
    j = f32x4.add(j, addend);
    e = f32x4.mul(e, factor);
    k = f32x4.add(k, addend);
    f = f32x4.mul(f, factor);
    l = f32x4.add(l, addend);
  }
  const products = f32x4.add(f32x4.add(f32x4.add(a, b), f32x4.add(c, d)), f32x4.add(e, f));
  const sums = f32x4.add(f32x4.add(f32x4.add(g, h), f32x4.add(i, j)), f32x4.add(k, l));
  return f32x4.extract_lane(f32x4.add(products, sums), 0);
}
