import type { Partition } from './partition.ts';
import { PartitionError } from './partition-error.ts';
import { evenPieces, gathered, shuffled } from './pieces.ts';

/**
 * Natural: by the groups that the data has (writers, sites, folders). As many clients as groups get one each; fewer clients
 * get several, dealt at random; more are refused, for a group is not divided.
 */
export const natural: Partition = {
  name: 'natural',
  aliases: ['groups', 'by-group'],
  summary: 'by the groups that the data has, such as folders, writers or a column',
  source: 'Caldas et al., "LEAF: a benchmark for federated settings", 2018',
  parameters: [],
  cut: ({ groups, clients }, _params, rng) => {
    if (groups === undefined) {
      const sentence =
        'natural needs data with groups, which this data has not: name its column or folders, or cut otherwise';
      throw new PartitionError('partition/no-groups', sentence, { partition: 'natural' });
    }
    const members = new Map<number, number[]>();
    for (const [at, group] of groups.entries()) {
      const known = members.get(group);
      if (known === undefined) members.set(group, [at]);
      else known.push(at);
    }
    const names = [...members.keys()].sort((a, b) => a - b);
    if (names.length < clients) {
      const sentence = `natural has ${names.length} groups for ${clients} clients, and divides none: at most ${names.length} clients`;
      throw new PartitionError('partition/too-few-groups', sentence, {
        partition: 'natural',
        groups: names.length,
        clients,
      });
    }
    // One group each in their order; only where there are more is anything drawn.
    const order = names.length === clients ? Int32Array.from(names.keys()) : shuffled(names.length, rng);
    return gathered(
      evenPieces(order, clients).map((piece) =>
        Array.from(piece, (index) => Int32Array.from(members.get(names[index] as number) ?? [])),
      ),
    );
  },
};
