import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import type { Json } from '../../shared/codec.ts';
import type { Experiment, ResultLine } from '../experiment/experiment.ts';
import { distinct } from './cells.ts';

/** Version of the manifest's form. */
const FORM = 1;

/**
 * What a report was made of and by, for whoever cites it: the only file of a report that names the machine's Node.
 *
 * @param files - SHA-256 of each other file of the folder, by name
 */
export function manifestOf(
  experiment: Experiment,
  lines: readonly ResultLine[],
  program: { readonly version: string; readonly node: string },
  files: Readonly<Record<string, string>>,
): Json {
  const { name, title, hash, seeds, ownFiles, runs } = experiment;
  const done = new Set(lines.map(({ id }) => id));
  return {
    form: FORM,
    program: { name: 'fedanchor', version: program.version, node: program.node },
    experiment: { name, title, hash, seeds, ownFiles, runs: runs.length },
    data: distinct(lines.map(({ result }) => result.dataHash)),
    runs: lines.map(({ id, cell, result }) => ({
      id,
      cell: { ...cell },
      outcome: result.outcome,
      modelHash: result.modelHash,
      headHash: result.headHash,
      dataHash: result.dataHash,
    })),
    missing: runs.map(({ id }) => id).filter((id) => !done.has(id)),
    files,
  };
}

/** SHA-256 of a file, hexadecimal. */
export async function hashOfFile(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}
