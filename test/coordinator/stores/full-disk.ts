import { execFileSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { rm, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A file system of its own, small enough to be filled. */
export interface SmallDisk {
  readonly folder: string;
  /** Fills it until so many bytes are left. */
  fill(leaveBytes: number): Promise<void>;
  /** Takes out what filled it. */
  relieve(): Promise<void>;
  remove(): Promise<void>;
}

/** Mounts a small disk; undefined where this user may not mount any. */
export function mountSmallDisk(bytes: number): SmallDisk | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return undefined;
  const folder = mkdtempSync(join(tmpdir(), 'fedanchor-disk-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', folder], { stdio: 'ignore' });
  } catch {
    return undefined;
  }
  const ballast = join(folder, 'ballast');
  return {
    folder,
    fill: async (leaveBytes) => {
      const { bavail, bsize } = await statfs(folder);
      const pages = bavail - Math.ceil(leaveBytes / bsize);
      // The clean-up of a folder may come first: what is written is what has room, to the page.
      // Somebody else may write meanwhile and leave less room than there was: it is full then, as it was to be.
      await writeFile(ballast, Buffer.alloc(Math.max(0, pages) * bsize, 1)).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOSPC') throw error;
      });
    },
    relieve: () => rm(ballast, { force: true }),
    remove: async () => {
      execFileSync('umount', ['-l', folder], { stdio: 'ignore' });
      await rm(folder, { recursive: true, force: true });
    },
  };
}
