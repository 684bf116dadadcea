import type { Params } from '../../shared/aggregation/rule.ts';
import { type Catalogue, parseChoice, resolveChoice } from '../catalogue.ts';
import { dirichlet } from './dirichlet.ts';
import { gammaSimilarity } from './gamma-similarity.ts';
import { iid } from './iid.ts';
import { natural } from './natural.ts';
import type { Partition } from './partition.ts';
import { PartitionError } from './partition-error.ts';
import { partitionFromFile } from './partition-from-file.ts';
import { quantity } from './quantity.ts';
import { shards } from './shards.ts';

/** Every way to cut data among clients. */
export const PARTITIONS: readonly Partition[] = [iid, dirichlet, gammaSimilarity, shards, quantity, natural];

const CATALOGUE: Catalogue<Partition> = {
  kind: 'partition',
  entries: PARTITIONS,
  error: (fault, message, data, cause) => new PartitionError(`partition/${fault}`, message, data, cause),
  fromFile: partitionFromFile,
};

/** A partition and all of its parameters. */
export interface ChosenPartition {
  /** The partition. */
  readonly partition: Partition;
  /** Its parameters, complete. */
  readonly params: Params;
}

/**
 * Reads a partition from text: `iid`, `dirichlet:alpha=0.5`, or `gamma:0.33`, whose one value is the first parameter's.
 *
 * @throws PartitionError `partition/unknown`, `partition/unknown-parameter`, `partition/bad-parameter`
 *
 * @example
 * ```ts
 * parsePartition('shards').params; // { shards: 2 }
 * ```
 */
export function parsePartition(text: string): ChosenPartition {
  const { entry, params } = parseChoice(CATALOGUE, text);
  return { partition: entry, params };
}

/**
 * Finds a partition by its name, or in a file whose default export it is, and completes its parameters.
 *
 * @param named - name or path, which begins with `./`, `../` or `/`; and the parameters that differ from their defaults
 * @param baseFolder - what a path is relative to
 * @throws PartitionError `partition/unknown`, `partition/unknown-parameter`, `partition/bad-parameter`, `partition/bad-file`
 */
export async function resolvePartition(
  named: { readonly name: string; readonly params: Params },
  baseFolder: string = process.cwd(),
): Promise<ChosenPartition> {
  const { entry, params } = await resolveChoice(CATALOGUE, named, baseFolder);
  return { partition: entry, params };
}
