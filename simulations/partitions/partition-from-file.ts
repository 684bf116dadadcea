import { describeOwn } from '../own-file.ts';
import type { Partition, PartitionTask } from './partition.ts';
import { PartitionError } from './partition-error.ts';

/**
 * A partition from the default export of a file: `name` and `cut`; what else a partition states of itself may be left out.
 * What it cuts is checked.
 *
 * @param exported - the default export
 * @param path - the file, for messages
 * @throws PartitionError `partition/bad-file`, naming what is missing
 */
export function partitionFromFile(exported: unknown, path: string): Partition {
  const refuse = (what: string): PartitionError =>
    new PartitionError('partition/bad-file', `the partition file ${path} ${what}: export default { name, cut, … }`, {
      path,
    });
  const { own, description } = describeOwn(exported, path, refuse);
  if (typeof own['cut'] !== 'function') throw refuse('has no function "cut"');
  const partition = exported as Partition;
  return {
    ...description,
    cut: (task, params, rng) => checked(description.name, task, partition.cut(task, params, rng)),
  };
}

/** Holds a cut to what every partition promises: positions of the data, ascending, none twice, one a client at least. */
function checked(name: string, { labels, clients }: PartitionTask, cut: unknown): Int32Array[] {
  const refuse = (what: string): PartitionError =>
    new PartitionError(
      'partition/bad-cut',
      `${name} ${what}: cut into one ascending Int32Array a client, no example twice`,
      {
        partition: name,
      },
    );
  if (!Array.isArray(cut) || cut.length !== clients) throw refuse(`did not return ${clients} parts`);
  const taken = new Uint8Array(labels.length);
  for (const [client, part] of (cut as readonly unknown[]).entries()) {
    if (!(part instanceof Int32Array)) throw refuse(`returned no Int32Array for client ${client}`);
    if (part.length === 0) throw refuse(`left client ${client} without examples`);
    for (const [i, at] of part.entries()) {
      if (at < 0 || at >= labels.length) throw refuse(`gave client ${client} example ${at} of ${labels.length}`);
      if (i > 0 && (part[i - 1] as number) >= at) throw refuse(`gave client ${client} examples that do not ascend`);
      if (taken[at] === 1) throw refuse(`gave example ${at} to two clients`);
      taken[at] = 1;
    }
  }
  return cut;
}
