import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { fetchPublished, type PublishedPlaces } from '../../../client/public-data/fetch-published.ts';
import type { PublishedSource } from '../../../client/public-data/published-source.ts';
import { makeFolder } from '../data/temporary-folder.ts';

const CONTENT = Buffer.from('one,two\n1,2\n');

async function serve(answer: RequestListener): Promise<string> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const sourceOf = (urls: readonly string[]): PublishedSource => ({
  ...{ kind: 'published', shards: 1, exact: true },
  files: [
    {
      ...{ name: 'folder/data.csv', bytes: CONTENT.length, urls: [...urls] },
      sha256: `0x${createHash('sha256').update(CONTENT).digest('hex')}`,
    },
  ],
});

async function placesWith(changes: Partial<PublishedPlaces> = {}): Promise<PublishedPlaces> {
  return { cache: await makeFolder({}), folders: [], allowPlaintext: true, ...changes };
}

describe('fetching published data', () => {
  it('tries one address after the other, keeps what is right, and asks no more', async () => {
    let [asked, led] = [0, 0];
    const elsewhere = await serve((_, response) => {
      led += 1;
      response.end(CONTENT);
    });
    const urls = await Promise.all([
      serve((_, response) => response.writeHead(404).end()),
      serve((_, response) => response.end('one,two\n1,3\n')),
      serve((_, response) => response.writeHead(302, { location: elsewhere }).end()),
      serve((_, response) => response.writeHead(200, { 'content-length': '999999999' }).end(CONTENT)),
      serve((_, response) => {
        // It never ends, and says nothing of its length.
        const timer = setInterval(() => response.write(Buffer.alloc(1024)), 1);
        response.on('close', () => clearInterval(timer));
      }),
      serve((_, response) => {
        asked += 1;
        response.end(CONTENT);
      }),
    ]);
    const places = await placesWith();
    const folder = await fetchPublished(sourceOf(urls), 'set', places);
    expect(await readFile(join(folder, 'folder', 'data.csv'))).toEqual(CONTENT);
    await fetchPublished(sourceOf(urls), 'set', places);
    expect([asked, led]).toEqual([1, 0]);
    // A disk may damage what was kept.
    await writeFile(join(folder, 'folder', 'data.csv'), 'one,two\n1,9\n');
    await fetchPublished(sourceOf(urls), 'set', places);
    expect(await readFile(join(folder, 'folder', 'data.csv'))).toEqual(CONTENT);
    expect((await readdir(join(places.cache, 'files'))).length).toBe(1);
  });

  it('takes folders first, then the coordinator, and each is held to the hash', async () => {
    const wrong = await makeFolder({ 'folder/data.csv': 'one,two\n9,9\n' });
    const right = await makeFolder({ 'folder/data.csv': CONTENT });
    const never = async (): Promise<Uint8Array> => {
      throw new Error('nobody asks it');
    };
    const first = await fetchPublished(
      sourceOf([]),
      's',
      await placesWith({ folders: [wrong, right], fromCoordinator: never }),
    );
    expect(await readFile(join(first, 'folder', 'data.csv'))).toEqual(CONTENT);
    const second = await fetchPublished(
      sourceOf([]),
      's',
      await placesWith({ folders: [wrong], fromCoordinator: async () => Uint8Array.from(CONTENT) }),
    );
    expect(await readFile(join(second, 'folder', 'data.csv'))).toEqual(CONTENT);
  });

  it('says of each place why it did not do', async () => {
    const wrong = await makeFolder({ 'folder/data.csv': 'short' });
    const fromCoordinator = async () => new Uint8Array(CONTENT.length);
    const urls = ['http://federation.example/data.csv', 'https://127.0.0.1/data.csv', 'https://169.254.169.254/latest'];
    const failed = fetchPublished(
      sourceOf(urls),
      's',
      await placesWith({ folders: [wrong], fromCoordinator, allowPlaintext: false }),
    );
    await expect(failed).rejects.toMatchObject({ code: 'public-data/unavailable' });
    const { message } = (await failed.catch((error: unknown) => error)) as Error;
    expect(message).toContain('it has 5 bytes, not 12');
    expect(message).toContain('the coordinator: it is not folder/data.csv as published: its SHA-256 is');
    for (const url of urls) expect(message).toContain(`${url}: it is not an https address`);
  });

  it('fetches nothing that is more than the client gives room for', async () => {
    const url = await serve((_, response) => response.end(CONTENT));
    const failed = fetchPublished(sourceOf([url]), 's', await placesWith({ mostBytes: CONTENT.length - 1 }));
    await expect(failed).rejects.toMatchObject({ code: 'public-data/too-large' });
  });

  it('does not wait for ever for a server that says nothing', async () => {
    const silent = await serve(() => undefined);
    const failed = fetchPublished(sourceOf([silent]), 's', await placesWith({ idleTimeoutMs: 50 }));
    await expect(failed).rejects.toThrow('silent for 50 ms');
  });
});
