import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';

const ENTRY = fileURLToPath(new URL('../../dist/fedanchor.js', import.meta.url));
const BINARIES = fileURLToPath(new URL('../../node_modules/.bin', import.meta.url));

/** A folder in which a page's commands are run as they stand. */
export interface PageRun {
  /** Empty at first. */
  readonly folder: string;
  /** Runs a script to its end, which must be a good one; returns all that it printed. */
  follow(script: string): Promise<string>;
  /** Ends what the script has left running, and removes the folder. */
  close(): Promise<void>;
}

/** Makes an empty folder for a page. */
export async function openPageRun(): Promise<PageRun> {
  const folder = await mkdtemp(join(tmpdir(), 'fedanchor-page-'));
  let shell: ChildProcess | undefined;
  return {
    folder,
    follow: async (script) => {
      shell = spawn('bash', ['-c', script], {
        cwd: folder,
        detached: true,
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { ...process.env, NODE: process.execPath, ENTRY, PATH: `${BINARIES}:${process.env['PATH']}` },
      });
      let output = '';
      for (const stream of [shell.stdout, shell.stderr]) {
        stream?.on('data', (chunk: Buffer) => {
          output += chunk.toString();
        });
      }
      const [code] = (await once(shell, 'exit')) as [number | null];
      expect(output).toContain('THE PAGE IS DONE');
      expect(code).toBe(0);
      return output;
    },
    close: async () => {
      // The terminals that stay belong to the shell's own process group.
      if (shell?.pid !== undefined) {
        try {
          process.kill(-shell.pid, 'SIGTERM');
        } catch {
          // They have all ended.
        }
      }
      await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
    },
  };
}

/** A port that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
