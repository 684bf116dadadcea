import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { openLmdbStores } from '../../../coordinator/stores/lmdb-store.ts';
import { temporaryFolder } from '../fixture.ts';

const LOADER = fileURLToPath(new URL('../../typescript-loader.mjs', import.meta.url));
const WRITER = fileURLToPath(new URL('./append-for-ever.ts', import.meta.url));

/** Starts a writer, kills it with SIGKILL as soon as it has told of so many appends, returns the last one told of. */
async function writeAndKill(folder: string, first: number, appends: number): Promise<number> {
  const writer = spawn(process.execPath, ['--import', LOADER, WRITER, folder, String(first)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(writer, 'exit');
  let last = -1;
  // What it still wrote before it died counts too: it only tells of what has resolved.
  for await (const line of createInterface({ input: writer.stdout })) {
    last = Number(line);
    if (last >= first + appends - 1) writer.kill('SIGKILL');
  }
  expect(await ended).toEqual([null, 'SIGKILL']);
  return last;
}

async function readBack(folder: string): Promise<number[]> {
  const stores = openLmdbStores(folder);
  const found: number[] = [];
  for await (const { at } of stores.events.read()) found.push(at);
  await stores.close();
  return found;
}

describe('LMDB under kill -9', () => {
  it('has every append that resolved, in order and without gaps, however often its writer dies', async () => {
    const folder = join(await temporaryFolder(), 'store');
    let next = 0;
    for (const appends of [1, 2, 7, 40, 150]) {
      const last = await writeAndKill(folder, next, appends);
      const found = await readBack(folder);
      expect(found).toEqual(Array.from({ length: found.length }, (_, at) => at));
      // One more may be there: appended, but its writer died before it could tell.
      expect([last + 1, last + 2]).toContain(found.length);
      next = found.length;
    }
  }, 60_000);
});
