/**
 * The rules that decide by exact arithmetic, written straight from their definitions, in bigint, without Gram matrix,
 * registry or shared helpers: slow, and independent of what it is compared with.
 */
export interface TextbookSpec {
  readonly rule: string;
  readonly mixings: number;
  readonly f: number;
  readonly neighbours: 'byzfl' | 'original' | 'epfl';
  readonly m: number;
  readonly idx: number;
}

export type TextbookResult =
  | {
      readonly kind: 'values';
      readonly numerators: readonly bigint[];
      readonly denominator: bigint;
      readonly active: readonly boolean[];
    }
  | { readonly kind: 'shares'; readonly shares: readonly bigint[] };

const bySize = (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0);
const magnitude = (value: bigint): bigint => (value < 0n ? -value : value);
const sumOf = (values: readonly bigint[]): bigint => values.reduce((a, b) => a + b, 0n);

function squaredDistance(a: readonly bigint[], b: readonly bigint[]): bigint {
  return a.reduce((sum, value, at) => sum + (value - (b[at] as bigint)) ** 2n, 0n);
}

function addRows(rows: readonly (readonly bigint[])[]): bigint[] {
  return (rows[0] as readonly bigint[]).map((_, at) => rows.reduce((sum, row) => sum + (row[at] as bigint), 0n));
}

/** Indices of the `count` smallest values, the earlier of equal ones first. */
function smallest<T>(values: readonly T[], count: number, compare: (a: T, b: T) => number): number[] {
  const left = values.map((_, index) => index);
  const taken: number[] = [];
  while (taken.length < count) {
    let best = 0;
    for (let at = 1; at < left.length; at += 1) {
      if (compare(values[left[at] as number] as T, values[left[best] as number] as T) < 0) best = at;
    }
    taken.push(...left.splice(best, 1));
  }
  return taken;
}

function nearSums(rows: readonly (readonly bigint[])[], count: number): bigint[][] {
  return rows.map((row, i) =>
    rows
      .flatMap((other, j) => (i === j ? [] : [squaredDistance(row, other)]))
      .sort(bySize)
      .slice(0, Math.max(0, count)),
  );
}

function krumLike(rows: readonly (readonly bigint[])[], { rule, f, neighbours, m }: TextbookSpec): number[] {
  const near = nearSums(rows, rows.length - f - (neighbours === 'original' ? 2 : 1));
  const take = rule === 'Krum' ? 1 : m;
  if (neighbours === 'epfl') {
    const scores = near.map((row) => row.reduce((sum, squared) => sum + Math.sqrt(Number(squared)), 0));
    return smallest(scores, take, (a, b) => a - b);
  }
  return smallest(near.map(sumOf), take, bySize);
}

/** All sets of `count` indices below n, in lexicographic order. */
export function subsets(n: number, count: number, from = 0): number[][] {
  if (count === 0) return [[]];
  const found: number[][] = [];
  for (let first = from; first <= n - count; first += 1) {
    for (const rest of subsets(n, count - 1, first + 1)) found.push([first, ...rest]);
  }
  return found;
}

function leastDiameter(rows: readonly (readonly bigint[])[], count: number): number[] {
  const all = subsets(rows.length, count);
  const diameters = all.map((set) => {
    const far = set.flatMap((i) => set.map((j) => squaredDistance(rows[i] as bigint[], rows[j] as bigint[])));
    return far.sort(bySize).at(-1) as bigint;
  });
  return all[smallest(diameters, 1, bySize)[0] as number] as number[];
}

function selected(rows: readonly (readonly bigint[])[], spec: TextbookSpec): number[] {
  const zero = (rows[0] as readonly bigint[]).map(() => 0n);
  const kept = rows.length - spec.f;
  const nearest = (centre: readonly bigint[]): number[] =>
    smallest(
      rows.map((row) => squaredDistance(row, centre)),
      kept,
      bySize,
    );
  if (spec.rule === 'CGE') return nearest(zero);
  if (spec.rule === 'MoNNA') return nearest(rows[spec.idx] as readonly bigint[]);
  if (spec.rule === 'MDA') return leastDiameter(rows, kept);
  return krumLike(rows, spec);
}

/** Krum again and again among those left, each time on r - f - 2 neighbours. */
function bulyanSelection(rows: readonly (readonly bigint[])[], f: number): number[] {
  const chosen: number[] = [];
  while (chosen.length < rows.length - 2 * f) {
    const left = rows.flatMap((_, i) => (chosen.includes(i) ? [] : [i]));
    const sums = nearSums(
      left.map((i) => rows[i] as readonly bigint[]),
      left.length - f - 2,
    ).map(sumOf);
    chosen.push(left[smallest(sums, 1, bySize)[0] as number] as number);
  }
  return chosen;
}

/** The `count` values nearest `centre / scale`: by distance, then by value. */
function aroundCentre(values: readonly bigint[], count: number, centre: bigint, scale: bigint): bigint[] {
  return [...values]
    .sort((a, b) => bySize(magnitude(a * scale - centre), magnitude(b * scale - centre)) || bySize(a, b))
    .slice(0, count);
}

function doubledMedian(sorted: readonly bigint[]): bigint {
  const n = sorted.length;
  return (sorted[Math.ceil(n / 2) - 1] as bigint) + (sorted[Math.floor(n / 2)] as bigint);
}

/** Numerator and denominator of a coordinate's value, or null for a rule that is not of this kind. */
function reduced(rule: string, values: readonly bigint[], f: number): [bigint, bigint] | null {
  const n = values.length;
  const sorted = [...values].sort(bySize);
  const kept = sorted.slice(f, n - f);
  switch (rule) {
    case 'Median':
      return [doubledMedian(sorted), 2n];
    case 'TrMean':
      return [sumOf(kept), BigInt(kept.length)];
    case 'Meamed':
      return [sumOf(aroundCentre(values, n - f, doubledMedian(sorted), 2n)), BigInt(n - f)];
    case 'Phocas':
      return [sumOf(aroundCentre(values, n - f, sumOf(kept), BigInt(kept.length))), BigInt(n - f)];
    default:
      return null;
  }
}

/** Runs a rule on integer updates; `samples` weigh the Average. */
export function textbook(
  updates: readonly (readonly bigint[])[],
  spec: TextbookSpec,
  samples: readonly bigint[],
): TextbookResult {
  const n = updates.length;
  const { f, rule } = spec;
  let rows = updates;
  // What each original update counts for in each mixed one.
  let origins: bigint[][] = updates.map((_, i) => updates.map((_, j) => (i === j ? 1n : 0n)));
  let denominator = 1n;
  for (let step = 0; step < spec.mixings; step += 1) {
    const current = rows;
    const near = current.map((row) =>
      smallest(
        current.map((other) => squaredDistance(row, other)),
        n - f,
        bySize,
      ),
    );
    const before = origins;
    rows = near.map((indices) => addRows(indices.map((index) => current[index] as readonly bigint[])));
    origins = near.map((indices) => addRows(indices.map((index) => before[index] as bigint[])));
    denominator *= BigInt(n - f);
  }
  const positions = rule === 'Bulyan' ? bulyanSelection(rows, f) : rows.map((_, i) => i);
  const seen = positions.map((i) => rows[i] as readonly bigint[]);
  const active = updates.map((_, j) => positions.some((i) => origins[i]?.[j] !== 0n));
  const columns = (rows[0] as readonly bigint[]).map((_, at) => seen.map((row) => row[at] as bigint));
  if (rule === 'SignMajority') {
    const votes = columns.map((column) => sumOf(column.map((value) => BigInt(bySize(value, 0n)))));
    return { kind: 'values', numerators: votes.map((vote) => BigInt(bySize(vote, 0n))), denominator: 1n, active };
  }
  const values = columns.map((column) =>
    rule === 'Bulyan' ? reduced('Meamed', column, 2 * f) : reduced(rule, column, f),
  );
  const first = values[0];
  if (first) {
    const numerators = values.map((pair) => pair?.[0] as bigint);
    return { kind: 'values', numerators, denominator: denominator * first[1], active };
  }
  if (rule === 'Average') return { kind: 'shares', shares: addRows(weighted(origins, samples)) };
  const chosen = selected(rows, spec);
  return { kind: 'shares', shares: addRows(chosen.map((index) => origins[index] as bigint[])) };
}

function weighted(rows: readonly (readonly bigint[])[], factors: readonly bigint[]): bigint[][] {
  return rows.map((row, i) => row.map((value) => value * (factors[i] as bigint)));
}
