import { type Carry, KEPT_ROUNDS } from './carry.ts';

/** A carry that ends with the process: for simulations. */
export function createMemoryCarry(): Carry {
  const kept = new Map<string, Map<number, Float32Array>>();
  const of = (job: string, name: string): Map<number, Float32Array> => {
    const key = `${job}/${name}`;
    const rounds = kept.get(key) ?? new Map<number, Float32Array>();
    kept.set(key, rounds);
    return rounds;
  };
  return {
    before: async (job, round, name) => {
      const rounds = of(job, name);
      const latest = Math.max(0, ...[...rounds.keys()].filter((kept) => kept < round));
      const values = rounds.get(latest);
      if (values) return { at: 'found', round: latest, values: values.slice() };
      return { at: 'none', reason: `nothing is kept of rounds before ${round}` };
    },
    keep: async (job, round, name, values) => {
      const rounds = of(job, name);
      for (const later of [...rounds.keys()].filter((kept) => kept > round)) rounds.delete(later);
      rounds.set(round, values.slice());
      for (const old of [...rounds.keys()].sort((a, b) => b - a).slice(KEPT_ROUNDS)) rounds.delete(old);
    },
  };
}
