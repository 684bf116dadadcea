import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

let found: string | undefined;

/** Folder of this package: the nearest one above this file whose package.json is named fedanchor (sources or dist). */
export function packageRoot(): string {
  if (found !== undefined) return found;
  let folder = dirname(fileURLToPath(import.meta.url));
  for (;;) {
    const manifest = join(folder, 'package.json');
    if (existsSync(manifest) && JSON.parse(readFileSync(manifest, 'utf8')).name === 'fedanchor') break;
    const parent = dirname(folder);
    // Without its manifest the package cannot have been installed; the sources' place is the best guess left.
    if (parent === folder) return join(dirname(fileURLToPath(import.meta.url)), '..');
    folder = parent;
  }
  found = folder;
  return folder;
}
