import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { createRng } from '../../../shared/rng.ts';

/** Writes files into a new folder that goes when the test ends. */
export async function makeFolder(files: Readonly<Record<string, string | Uint8Array>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'fedanchor-data-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
  return folder;
}

/** Text of random words out of a small vocabulary of its own. */
export function makeText(seed: number, length: number): string {
  const rng = createRng(seed, 'test-text');
  const words = Array.from({ length: 40 }, () =>
    Array.from({ length: 2 + rng.below(6) }, () => String.fromCharCode(97 + rng.below(26))).join(''),
  );
  let text = '';
  while (text.length < length) text += `${words[rng.below(words.length)]}${rng.below(9) === 0 ? '\n' : ' '}`;
  return text.slice(0, length);
}
