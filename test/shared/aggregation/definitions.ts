/**
 * The iterative rules written straight from their definitions on the vectors themselves, in float64, without inner products
 * taken beforehand: independent of the matrix space they are compared with.
 */
export type Vectors = readonly (readonly number[])[];

export const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, value, at) => sum + value * (b[at] as number), 0);

const norm = (a: readonly number[]): number => Math.sqrt(dot(a, a));

const minus = (a: readonly number[], b: readonly number[]): number[] => a.map((value, at) => value - (b[at] as number));

function combination(rows: Vectors, weights: readonly number[]): number[] {
  return (rows[0] as readonly number[]).map((_, at) =>
    rows.reduce((sum, row, i) => sum + (weights[i] as number) * (row[at] as number), 0),
  );
}

export function meanOfRows(rows: Vectors): number[] {
  return combination(
    rows,
    rows.map(() => 1 / rows.length),
  );
}

/** Smoothed Weiszfeld from zero. */
export function weiszfeld(rows: Vectors, nu: number, steps: number, tolerance = 0): number[] {
  let z = (rows[0] as readonly number[]).map(() => 0);
  for (let step = 0; step < steps; step += 1) {
    const pulls = rows.map((row) => 1 / Math.max(nu, norm(minus(row, z))));
    const sum = pulls.reduce((a, b) => a + b, 0);
    const next = combination(
      rows,
      pulls.map((pull) => pull / sum),
    );
    const moved = norm(minus(next, z));
    z = next;
    if (tolerance > 0 && moved <= tolerance) break;
  }
  return z;
}

export function clipAround(rows: Vectors, tau: number, steps: number, start?: readonly number[]): number[] {
  let v = start ? [...start] : (rows[0] as readonly number[]).map(() => 0);
  for (let step = 0; step < steps; step += 1) {
    const differences = rows.map((row) => minus(row, v));
    const clipped = differences.map((one) => one.map((value) => value * Math.min(1, tau / norm(one))));
    const mean = meanOfRows(clipped.map((one) => one.map((value) => (Number.isNaN(value) ? 0 : value))));
    v = v.map((value, at) => value + (mean[at] as number));
  }
  return v;
}

export function flTrustOf(clients: Vectors, server: readonly number[]): number[] {
  const trust = clients.map((row) => Math.max(0, dot(row, server) / norm(row) / norm(server)) || 0);
  const sum = trust.reduce((a, b) => a + b, 0);
  if (sum === 0) return server.map(() => 0);
  return combination(
    clients,
    trust.map((score, i) => (score === 0 ? 0 : (score / sum) * (norm(server) / norm(clients[i] as number[])))),
  );
}

/** The direction of largest variance, by many steps of the power method on the d x d covariance. */
function topDirection(differences: Vectors): number[] {
  let v = [...(differences.find((one) => norm(one) > 0) ?? (differences[0] as readonly number[]))];
  for (let step = 0; step < 3000; step += 1) {
    const next = combination(
      differences,
      differences.map((one) => dot(one, v)),
    );
    const length = norm(next);
    if (length === 0) break;
    v = next.map((value) => value / length);
  }
  return v;
}

/** Positions that divide-and-conquer keeps, all coordinates looked at once. */
export function dncKept(rows: Vectors, left: number): number[] {
  const mean = meanOfRows(rows);
  const differences = rows.map((row) => minus(row, mean));
  const v = topDirection(differences);
  const scores = differences.map((one) => dot(one, v) ** 2);
  return scores
    .map((_, i) => i)
    .sort((a, b) => (scores[a] as number) - (scores[b] as number))
    .slice(0, rows.length - left)
    .sort((a, b) => a - b);
}

/** Largest eigenvalue of the covariance of some rows, on the d x d side. */
export function largestVariance(rows: Vectors): number {
  const mean = meanOfRows(rows);
  const differences = rows.map((row) => minus(row, mean));
  const v = topDirection(differences);
  const image = combination(
    differences,
    differences.map((one) => dot(one, v)),
  );
  return norm(v) === 0 ? 0 : dot(image, v) / dot(v, v) / rows.length;
}
