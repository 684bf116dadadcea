import { execFile } from 'node:child_process';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

const PIECE_BYTES = 2 ** 20;

/**
 * Levels the ground before something that writes files is measured: what was written before is on the disk, and as much
 * memory as the files will take has been in use a moment ago. A virtual machine gives free memory back, and pays for its
 * first touch; whoever is measured after one that left its files where they are would pay for that one.
 *
 * Where there is no `sync` program, as on Windows, the disk is not waited for.
 *
 * @param folder - on the disk in question; what is written there is removed
 * @param bytes - how much will be written
 */
export async function levelGround(folder: string, bytes: number): Promise<void> {
  const path = join(folder, 'ground');
  const piece = new Uint8Array(PIECE_BYTES).fill(1);
  const file = await open(path, 'w');
  try {
    for (let written = 0; written < bytes; written += PIECE_BYTES) await file.write(piece);
    await waitForDisk();
  } finally {
    await file.close();
    await rm(path);
  }
}

async function waitForDisk(): Promise<void> {
  try {
    await run('sync');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
