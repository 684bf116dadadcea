import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRng } from '../../../shared/rng.ts';
import type { PartitionTask } from '../../../simulations/partitions/partition.ts';
import { PartitionError } from '../../../simulations/partitions/partition-error.ts';
import { PARTITIONS, parsePartition } from '../../../simulations/partitions/registry.ts';

/** Cuts by text, from a seed. */
function cut(text: string, task: PartitionTask, seed = 1): Int32Array[] {
  const { partition, params } = parsePartition(text);
  return partition.cut(task, params, createRng(seed, 'test/partition'));
}

/** As many examples of each class, one class after the other. */
function sorted(each: number, classes: number, clients: number): PartitionTask {
  return { labels: Int32Array.from({ length: each * classes }, (_, i) => Math.floor(i / each)), classes, clients };
}

/** How many examples of each class each client has. */
function counts(parts: readonly Int32Array[], { labels, classes }: PartitionTask): number[][] {
  return parts.map((part) => {
    const of = Array.from({ length: classes }, () => 0);
    for (const at of part) of[labels[at] as number] = (of[labels[at] as number] as number) + 1;
    return of;
  });
}

/** Mean over clients of how far their mix of classes is from that of all (total variation, 0 to 1). */
function skew(parts: readonly Int32Array[], task: PartitionTask): number {
  const all = counts([Int32Array.from(task.labels.keys())], task)[0] as number[];
  const distances = counts(parts, task).map((of, client) => {
    const total = (parts[client] as Int32Array).length;
    return (
      of.reduce((sum, count, label) => sum + Math.abs(count / total - (all[label] as number) / task.labels.length), 0) /
      2
    );
  });
  return distances.reduce((sum, distance) => sum + distance, 0) / distances.length;
}

function sizes(parts: readonly Int32Array[]): number[] {
  return parts.map(({ length }) => length);
}

const texts = fc.oneof(
  fc.constantFrom('iid', 'natural', 'dirichlet', 'quantity', 'shards:1', 'gamma:0', 'gamma:1'),
  fc.double({ min: 0.02, max: 1000, noNaN: true }).map((alpha) => `dirichlet:${alpha}`),
  fc.double({ min: 1e-3, max: 1000, noNaN: true }).map((alpha) => `dirichlet:alpha=${alpha},by=client`),
  fc.double({ min: 0, max: 1, noNaN: true }).map((gamma) => `gamma:${gamma}`),
  fc.double({ min: 0, max: 5, noNaN: true }).map((alpha) => `quantity:${alpha}`),
  fc.double({ min: 0.1, max: 100, noNaN: true }).map((alpha) => `quantity:alpha=${alpha},law=dirichlet`),
  fc.integer({ min: 1, max: 4 }).map((shards) => `shards:${shards}`),
);

const tasks = fc
  .record({
    classes: fc.integer({ min: 1, max: 6 }),
    clients: fc.integer({ min: 1, max: 12 }),
    count: fc.integer({ min: 0, max: 200 }),
    seed: fc.integer({ min: 0, max: 1000 }),
  })
  .map(({ classes, clients, count, seed }): PartitionTask => {
    const rng = createRng(seed, 'test/task');
    const labels = Int32Array.from({ length: count }, () => rng.below(classes));
    const groups = Int32Array.from({ length: count }, () => 3 * rng.below(15));
    return { labels, classes, clients, groups };
  });

describe('every partition', () => {
  it('deals every example once, at least one to each client, in ascending order; or says why not', () => {
    fc.assert(
      fc.property(texts, tasks, fc.integer({ min: 0, max: 99 }), (text, task, seed) => {
        let parts: Int32Array[];
        try {
          parts = cut(text, task, seed);
        } catch (error) {
          expect(error).toBeInstanceOf(PartitionError);
          const { code } = error as PartitionError;
          expect(['partition/too-few-examples', 'partition/too-few-groups', 'partition/empty-client']).toContain(code);
          if (code === 'partition/too-few-examples' && !text.startsWith('shards')) {
            expect(task.labels.length).toBeLessThan(task.clients);
          }
          return;
        }
        expect(parts).toHaveLength(task.clients);
        for (const part of parts) {
          expect(part).toBeInstanceOf(Int32Array);
          expect(part.length).toBeGreaterThan(0);
          expect(part.every((at, i) => i === 0 || (part[i - 1] as number) < at)).toBe(true);
        }
        const dealt = parts.flatMap((part) => [...part]).sort((a, b) => a - b);
        expect(dealt).toEqual([...task.labels.keys()]);
      }),
      { numRuns: 150 },
    );
  });

  it('is the same again for the same seed, changes nothing, and is another for another', () => {
    for (const { name } of PARTITIONS) {
      const groups = Int32Array.from({ length: 300 }, (_, i) => i % 30);
      const task = { ...sorted(60, 5, 10), groups };
      const kept = { labels: task.labels.slice(), groups: groups.slice() };
      const first = cut(name, task, 1);
      expect(cut(name, task, 1)).toEqual(first);
      expect(cut(name, task, 2)).not.toEqual(first);
      expect({ labels: task.labels, groups }).toEqual(kept);
    }
  });
});

describe('iid', () => {
  it('has sizes that differ by one at most, and mixes all labels', () => {
    const task = sorted(1001, 10, 13);
    const parts = cut('iid', task);
    expect(Math.max(...sizes(parts)) - Math.min(...sizes(parts))).toBe(0);
    expect(new Set(sizes(cut('iid', sorted(100, 3, 7))))).toEqual(new Set([42, 43]));
    expect(skew(parts, task)).toBeLessThan(0.06);
  });
});

describe('dirichlet', () => {
  const task = sorted(1000, 10, 10);

  it.each(['', ',by=client'])('is nearly iid for a large alpha, and one or few labels for a small one%s', (by) => {
    const even = skew(cut('iid', task), task);
    expect(skew(cut(`dirichlet:alpha=1e5${by}`, task), task)).toBeLessThan(even + 0.02);
    const [one, tenth, hundredth] = [1, 0.1, 0.01].map((alpha) =>
      skew(cut(`dirichlet:alpha=${alpha}${by}`, sorted(1000, 10, 8)), sorted(1000, 10, 8)),
    ) as [number, number, number];
    expect(one).toBeGreaterThan(even + 0.2);
    expect(tenth).toBeGreaterThan(one);
    expect(hundredth).toBeGreaterThan(0.6);
  });

  it('by class, deals each class by Dirichlet shares: their variance over draws is the distribution’s', () => {
    const shares: number[] = [];
    for (let seed = 0; seed < 60; seed += 1) {
      for (const of of counts(cut('dirichlet:alpha=2', sorted(400, 5, 4), seed), sorted(400, 5, 4))) {
        shares.push(...of.map((count) => count / 400));
      }
    }
    const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length;
    const variance = shares.reduce((sum, share) => sum + (share - mean) ** 2, 0) / shares.length;
    expect(mean).toBeCloseTo(1 / 4, 10);
    // Var of a share of Dirichlet(2, 2, 2, 2): (1/4)(3/4) / 9.
    expect(Math.abs(variance - 3 / 144)).toBeLessThan(0.15 * (3 / 144));
  });

  it('by client, gives all clients equally many', () => {
    expect(new Set(sizes(cut('dirichlet:alpha=0.1,by=client', task)))).toEqual(new Set([1000]));
  });

  it('says what to do when a client is left without examples', () => {
    expect(() => cut('dirichlet:alpha=1e-4', sorted(50, 2, 20))).toThrow(
      expect.objectContaining({ code: 'partition/empty-client' }),
    );
    expect(() => cut('dirichlet:alpha=1e-4', sorted(50, 2, 20))).toThrow(
      'give a larger alpha, fewer clients or more data',
    );
  });
});

describe('gamma-similarity', () => {
  const task = sorted(500, 10, 10);

  it('is as even as iid at 1, one label a client at 0, and in between in proportion', () => {
    const even = skew(cut('iid', task), task);
    expect(Math.abs(skew(cut('gamma:1', task), task) - even)).toBeLessThan(0.02);
    for (const [client, of] of counts(cut('gamma:0', task), task).entries()) expect(of[client]).toBe(500);
    expect(skew(cut('gamma:0', task), task)).toBeCloseTo(0.9, 12);
    expect(Math.abs(skew(cut('gamma:0.5', task), task) - 0.45)).toBeLessThan(0.03);
  });

  it('deals exactly the share asked for at random', () => {
    const own = counts(cut('gamma:0.4', task), task).map((of, client) => of[client] as number);
    // 300 of its own label, and a tenth of 200.
    for (const count of own) expect(Math.abs(count - 320)).toBeLessThan(50);
  });

  it('has sizes that differ by one at most', () => {
    for (const gamma of [0, 0.13, 0.37, 0.99, 1]) {
      const parts = sizes(cut(`gamma:${gamma}`, sorted(101, 3, 7)));
      expect(Math.max(...parts) - Math.min(...parts)).toBeLessThanOrEqual(1);
    }
  });

  it('refuses a share beyond 1', () => {
    expect(() => parsePartition('gamma:1.01')).toThrow(expect.objectContaining({ code: 'partition/bad-parameter' }));
    expect(() => parsePartition('gamma:1.01')).toThrow('a non-negative number up to 1');
  });
});

describe('shards', () => {
  it('gives each client two labels of the paper’s split, at most, when shards divide labels', () => {
    const task = sorted(600, 10, 100);
    const parts = cut('shards', task);
    expect(new Set(sizes(parts))).toEqual(new Set([60]));
    for (const of of counts(parts, task)) expect(of.filter((count) => count > 0).length).toBeLessThanOrEqual(2);
    const alone = counts(parts, task).filter((of) => of.some((count) => count === 60)).length;
    expect(alone).toBeLessThan(30);
  });

  it('refuses more shards than examples, and says how many', () => {
    const refused = expect.objectContaining({
      code: 'partition/too-few-examples',
      data: { partition: 'shards', parameter: 'shards', shards: 3, clients: 4, examples: 11 },
    });
    expect(() => cut('shards:3', sorted(11, 1, 4))).toThrow(refused);
    expect(cut('shards:3', sorted(12, 1, 4))).toHaveLength(4);
  });
});

describe('quantity skew', () => {
  const task = sorted(200, 10, 10);

  it('follows the power law, in random order', () => {
    const descending = sizes(cut('quantity:1', task)).sort((a, b) => b - a);
    const harmonic = Array.from({ length: 10 }, (_, k) => 1 / (k + 1)).reduce((sum, share) => sum + share, 0);
    for (const [k, size] of descending.entries()) {
      expect(Math.abs(size - 1 - 1990 / ((k + 1) * harmonic))).toBeLessThanOrEqual(1.001);
    }
    expect(sizes(cut('quantity:1', task))).not.toEqual(descending);
  });

  it('has equal sizes at alpha = 0 of the power law, and nearly at a large alpha of the Dirichlet draw', () => {
    expect(
      Math.max(...sizes(cut('quantity:0', task))) - Math.min(...sizes(cut('quantity:0', task))),
    ).toBeLessThanOrEqual(1);
    for (const size of sizes(cut('quantity:alpha=1e6,law=dirichlet', task)))
      expect(Math.abs(size - 200)).toBeLessThan(5);
    expect(() => cut('quantity:alpha=0,law=dirichlet', task)).toThrow(
      expect.objectContaining({ code: 'partition/bad-parameter' }),
    );
  });

  it('leaves labels alike', () => {
    const parts = cut('quantity:1', sorted(2000, 10, 5));
    expect(skew(parts, sorted(2000, 10, 5))).toBeLessThan(0.05);
    expect(Math.max(...sizes(parts))).toBeGreaterThan(4 * Math.min(...sizes(parts)));
  });
});

describe('natural', () => {
  const labels = new Int32Array(12);
  const groups = Int32Array.of(7, 2, 7, 2, 2, 9, 9, 7, 4, 4, 4, 2);

  it('gives each client one group, in their order', () => {
    const parts = cut('natural', { labels, classes: 1, clients: 4, groups });
    expect(parts.map((part) => [...part])).toEqual([
      [1, 3, 4, 11],
      [8, 9, 10],
      [0, 2, 7],
      [5, 6],
    ]);
  });

  it('divides no group among fewer clients', () => {
    const parts = cut('natural', { labels, classes: 1, clients: 3, groups });
    for (const part of parts) {
      const mine = new Set([...part].map((at) => groups[at]));
      const all = [...groups.keys()].filter((at) => mine.has(groups[at]));
      expect([...part]).toEqual(all);
    }
  });

  it('refuses more clients than groups, and data without groups', () => {
    expect(() => cut('natural', { labels, classes: 1, clients: 5, groups })).toThrow('at most 4 clients');
    expect(() => cut('natural', { labels, classes: 1, clients: 2 })).toThrow(
      expect.objectContaining({ code: 'partition/no-groups' }),
    );
  });
});
