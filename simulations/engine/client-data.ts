import type { ChosenAttack } from '../attacks/registry.ts';
import type { Dataset, Examples } from '../data/dataset.ts';
import type { RunSpec } from '../experiment/run-spec.ts';
import { resolvePartition } from '../partitions/registry.ts';
import { type Batches, createBatches } from './batches.ts';
import { SimulationError } from './simulation-error.ts';
import { streamOf } from './streams.ts';

/** What the clients of a run train on. */
export interface ClientData {
  /** What honest clients' batches point into. */
  readonly examples: Examples;
  /** What attackers' batches point into: the same, or what they made of it. */
  readonly attackers: Examples;
  /** Every client's batches. */
  readonly batches: Batches;
  /** Examples of each client; 0 for an attacker that has none. */
  readonly counts: readonly number[];
}

/**
 * Cuts the data among the clients that train. Attackers that poison theirs get a copy of it.
 *
 * @param train - whether attackers are among those that train
 * @throws PartitionError if the data cannot be cut so; SimulationError `simulation/empty-client` for a client without any
 */
export async function cutData(
  spec: RunSpec,
  dataset: Dataset,
  chosen: ChosenAttack | null,
  train: boolean,
  baseFolder: string,
): Promise<ClientData> {
  const { honest, byzantine, seed } = spec;
  const { partition, params } = await resolvePartition(spec.partition, baseFolder);
  const { labels, groups } = dataset.train;
  const clients = train ? honest + byzantine : honest;
  const task = { labels, classes: dataset.classes, clients, ...(groups && { groups }) };
  // In an order of their own, and not to be touched by batches: a partition may hand out what it keeps.
  const parts = partition.cut(task, params, streamOf(seed, 'partition')).map((part) => Int32Array.from(part));
  const empty = parts.findIndex((part) => part.length === 0);
  if (empty >= 0) {
    const sentence = `client ${empty} of ${clients} has no examples under ${partition.name}: take fewer clients, or more data`;
    throw new SimulationError('simulation/empty-client', sentence, { client: empty, partition: partition.name });
  }
  const counts = Array.from({ length: honest + byzantine }, (_, client) => parts[client]?.length ?? 0);
  const attackers = chosen?.attack.kind === 'data' ? poisoned(spec, dataset, chosen, parts) : dataset.train;
  return { examples: dataset.train, attackers, batches: createBatches(parts, spec.training.batch, seed), counts };
}

/** The attackers' examples one attacker after the other, each poisoned; their parts point there from then on. */
function poisoned(
  { honest, seed }: RunSpec,
  { train, features, classes, shape }: Dataset,
  { attack, params }: ChosenAttack,
  parts: Int32Array[],
): Examples {
  if (attack.kind !== 'data') return train;
  const total = parts.slice(honest).reduce((sum, part) => sum + part.length, 0);
  const inputs = new Float32Array(new SharedArrayBuffer(total * features * 4));
  const labels = new Int32Array(new SharedArrayBuffer(total * 4));
  let offset = 0;
  for (let client = honest; client < parts.length; client++) {
    const part = parts[client] as Int32Array;
    const own = gather(train, part, features);
    const bad = attack.poison(own, { classes, shape }, params, streamOf(seed, 'poison', client));
    inputs.set(bad.inputs, offset * features);
    labels.set(bad.labels, offset);
    parts[client] = Int32Array.from(part, (_, at) => offset + at);
    offset += part.length;
  }
  return { inputs, labels, count: total };
}

function gather({ inputs, labels }: Examples, part: Int32Array, features: number): Examples {
  const own = new Float32Array(part.length * features);
  part.forEach((from, to) => {
    own.set(inputs.subarray(from * features, (from + 1) * features), to * features);
  });
  return { inputs: own, labels: Int32Array.from(part, (at) => labels[at] as number), count: part.length };
}
