/**
 * The rules written straight from their definitions, in bigint, without Gram matrix, registry or shared helpers: slow,
 * and independent of what it is compared with.
 */
export interface TextbookSpec {
  readonly rule: 'Average' | 'Median' | 'TrMean' | 'Krum' | 'MultiKrum';
  readonly mixings: number;
  readonly f: number;
  readonly neighbours: 'byzfl' | 'original' | 'epfl';
  readonly m: number;
}

export type TextbookResult =
  | { readonly kind: 'values'; readonly numerators: readonly bigint[]; readonly denominator: bigint }
  | { readonly kind: 'shares'; readonly shares: readonly bigint[] };

const bySize = (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0);

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

function selected(rows: readonly (readonly bigint[])[], { rule, f, neighbours, m }: TextbookSpec): number[] {
  const count = rows.length - f - (neighbours === 'original' ? 2 : 1);
  const near = rows.map((row, i) =>
    rows
      .flatMap((other, j) => (i === j ? [] : [squaredDistance(row, other)]))
      .sort(bySize)
      .slice(0, count),
  );
  const take = rule === 'Krum' ? 1 : m;
  if (neighbours === 'epfl') {
    const scores = near.map((row) => row.reduce((sum, squared) => sum + Math.sqrt(Number(squared)), 0));
    return smallest(scores, take, (a, b) => a - b);
  }
  return smallest(
    near.map((row) => row.reduce((sum, squared) => sum + squared, 0n)),
    take,
    bySize,
  );
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
  if (rule === 'Median' || rule === 'TrMean') {
    const columns = (rows[0] as readonly bigint[]).map((_, at) => rows.map((row) => row[at] as bigint).sort(bySize));
    const dropped = rule === 'TrMean' ? f : Math.ceil(n / 2) - 1;
    const kept = n - 2 * dropped;
    return {
      kind: 'values',
      numerators: columns.map((column) => column.slice(dropped, dropped + kept).reduce((a, b) => a + b, 0n)),
      denominator: denominator * BigInt(kept),
    };
  }
  if (rule === 'Average') return { kind: 'shares', shares: addRows(weighted(origins, samples)) };
  const chosen = selected(rows, spec);
  return { kind: 'shares', shares: addRows(chosen.map((index) => origins[index] as bigint[])) };
}

function weighted(rows: readonly (readonly bigint[])[], factors: readonly bigint[]): bigint[][] {
  return rows.map((row, i) => row.map((value) => value * (factors[i] as bigint)));
}
