import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { isOwnFile } from '../own-file.ts';
import { ExperimentError } from './experiment-error.ts';
import type { RunSpec } from './run-spec.ts';

/** Paths of the files of its own that a run names: rule, attack, partition. */
export function ownPaths({ rule, attack, partition }: RunSpec): string[] {
  const names = [rule.rule, ...rule.pre, partition.name, ...(attack === null ? [] : [attack.name])];
  return names.filter(isOwnFile);
}

/**
 * SHA-256 of each file, hexadecimal, by the path that names it. What a file imports is not looked at.
 *
 * @param baseFolder - what paths are relative to
 * @throws ExperimentError `experiment/own-file` if one cannot be read
 */
export async function hashOwnFiles(paths: Iterable<string>, baseFolder: string): Promise<Record<string, string>> {
  const hashes: Record<string, string> = {};
  for (const path of [...new Set(paths)].sort()) {
    const content = await readFile(resolve(baseFolder, path)).catch((cause) => {
      const sentence = `${path}, which the experiment names, cannot be read in ${baseFolder}: put it there`;
      throw new ExperimentError('experiment/own-file', sentence, { path }, cause);
    });
    hashes[path] = createHash('sha256').update(content).digest('hex');
  }
  return hashes;
}
