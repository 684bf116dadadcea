import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { packageRoot } from '../../contracts/package-root.ts';

/** What decides the result of a run, within this program's own files. */
const DECISIVE = [
  'shared',
  'client/data',
  'coordinator/round',
  'simulations/attacks',
  'simulations/data',
  'simulations/engine',
  'simulations/models',
  'simulations/network',
  'simulations/partitions',
  'simulations/random',
];
const HASH_DIGITS = 12;

let known: string | undefined;

/**
 * The program's version, and the first digits of a hash over all of its files that decide results, such as
 * `0.1.0-3f2a9c01d4e5`: two programs that agree on it give the same results.
 */
export function programIdentity(): string {
  if (known !== undefined) return known;
  const root = fileURLToPath(new URL('../../', import.meta.url));
  const { version } = JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')) as { version: string };
  const hash = createHash('sha256');
  for (const folder of DECISIVE) {
    const names = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' });
    for (const name of names.filter((one) => /(?<!\.d)\.(ts|js|wasm)$/.test(one)).sort()) {
      const content = readFileSync(join(root, folder, name));
      hash.update(`${folder}/${name}\0${content.length}\0`).update(content);
    }
  }
  known = `${version}-${hash.digest('hex').slice(0, HASH_DIGITS)}`;
  return known;
}
