import { streamOf } from './streams.ts';

/**
 * Who takes part in a round: all clients, or as many as are sampled, drawn from the run's seed without replacement.
 *
 * @param clients - honest and Byzantine together
 * @param sampled - how many; null for all
 * @returns clients in ascending order
 */
export function drawCohort(clients: number, sampled: number | null, seed: number, round: number): number[] {
  const all = Array.from({ length: clients }, (_, client) => client);
  if (sampled === null || sampled >= clients) return all;
  const rng = streamOf(seed, 'cohort', round);
  for (let at = 0; at < sampled; at++) {
    const chosen = at + rng.below(clients - at);
    const kept = all[at] as number;
    all[at] = all[chosen] as number;
    all[chosen] = kept;
  }
  return all.slice(0, sampled).sort((a, b) => a - b);
}
