import { quotient, total } from './money.ts';

/**
 * Gini coefficient of what some hold: half the mean absolute difference of all pairs over the mean (Gini 1912), by the
 * sorted form `2 sum(i x_i) / (n sum x) - (n + 1) / n`, exact until one division.
 *
 * @param holdings - one a client, none negative, in any order
 * @returns 0 where all hold the same, below 1 always (`1 - 1/n` where one holds all); null where nobody holds anything
 */
export function gini(holdings: readonly bigint[]): number | null {
  const sum = total(holdings);
  if (sum === 0n) return null;
  const n = BigInt(holdings.length);
  const ranked = ascending(holdings).reduce((so, holding, index) => so + BigInt(index + 1) * holding, 0n);
  return quotient(2n * ranked - (n + 1n) * sum, n * sum);
}

/**
 * Nakamoto coefficient (Srinivasan and Lee 2017): the smallest number of clients that together hold more than half.
 *
 * @param holdings - one a client, none negative, in any order
 * @returns from 1 to the number of clients; null where nobody holds anything
 */
export function nakamotoCoefficient(holdings: readonly bigint[]): number | null {
  const sum = total(holdings);
  if (sum === 0n) return null;
  let held = 0n;
  let clients = 0;
  for (const holding of ascending(holdings).reverse()) {
    if (2n * held > sum) break;
    held += holding;
    clients += 1;
  }
  return clients;
}

function ascending(holdings: readonly bigint[]): bigint[] {
  return [...holdings].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}
