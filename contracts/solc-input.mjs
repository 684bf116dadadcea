import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder this file lies in. */
export const contractsFolder = dirname(fileURLToPath(import.meta.url));
const packagesFolder = join(contractsFolder, '..', 'node_modules');

/** Settings every build shares: bytecode depends on the sources and on nothing else (no metadata hash is appended). */
export const settings = {
  optimizer: { enabled: true, runs: 1_000_000 },
  evmVersion: 'osaka',
  viaIR: true,
  metadata: { bytecodeHash: 'none', appendCBOR: false },
};

/**
 * Reads the product's contracts with everything they import, by their import paths.
 *
 * @returns {Record<string, { content: string }>} sources in the form of solc's standard JSON, in a fixed order
 */
export function readSources() {
  const sources = {};
  const pending = readdirSync(contractsFolder)
    .filter((name) => name.endsWith('.sol'))
    .sort();
  for (let unit = pending.shift(); unit !== undefined; unit = pending.shift()) {
    if (sources[unit] !== undefined) continue;
    const file = unit.startsWith('@') ? join(packagesFolder, unit) : join(contractsFolder, unit);
    const content = readFileSync(file, 'utf8');
    sources[unit] = { content };
    for (const [, imported] of content.matchAll(/^import[^;]*?["']([^"']+)["'];/gm)) {
      pending.push(imported.startsWith('.') ? posix.join(posix.dirname(unit), imported) : imported);
    }
  }
  return sources;
}
