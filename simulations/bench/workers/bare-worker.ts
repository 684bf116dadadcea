import { randomUUID } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { serveParent } from './serve-parent.ts';

/**
 * The least that can be called an upload server: what is PUT becomes a file. It verifies nothing, knows nobody, and like
 * the coordinator with its parts it does not sync. A body is written in one piece, which is quicker than streaming it.
 */
export async function runBareWorker(): Promise<void> {
  let folder = '';
  const server = createServer((request, response) => {
    const chunks: Uint8Array[] = [];
    request.on('data', (chunk: Uint8Array) => chunks.push(chunk));
    request.on('end', () => {
      writeFile(join(folder, randomUUID()), Buffer.concat(chunks)).then(
        () => response.writeHead(204).end(),
        () => response.writeHead(500).end(),
      );
    });
  });
  await serveParent({
    start: async (at: string) => {
      folder = at;
      await mkdir(folder, { recursive: true });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    },
    clear: async () => {
      await rm(folder, { recursive: true, force: true });
      await mkdir(folder, { recursive: true });
    },
  });
  server.closeAllConnections();
  server.close();
}
