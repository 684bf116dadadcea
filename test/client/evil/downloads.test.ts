import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setImmediate as breath } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { createHttpBulk } from '../../../client/transports/http-bulk.ts';
import { replaceGenesis, startVictim, type Victim } from './victim.ts';

let victim: Victim;
let isStarted = false;
async function begin(): Promise<void> {
  victim = await startVictim();
  isStarted = true;
  await victim.coordinator.answered('job.join', 1);
}
afterEach(async () => {
  if (isStarted) await victim.close();
  isStarted = false;
});

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** Sends chunk after chunk for as long as somebody takes them. */
async function sendForEver(response: ServerResponse, chunk: Uint8Array): Promise<number> {
  let sent = 0;
  while (!response.destroyed && !response.closed) {
    sent += chunk.length;
    if (!response.write(chunk)) {
      await new Promise<void>((resolve) => {
        response.once('drain', resolve).once('close', resolve);
      });
    }
    await breath();
  }
  return sent;
}

/** Answers requests for the model of round 1 in this way until it is honest again. */
function lieAboutModel(answer: Answer): () => void {
  const { coordinator, job } = victim;
  coordinator.intercept = (request, response) => {
    if (!request.url?.endsWith(`/blobs/${job.models[0]?.root}`)) return false;
    answer(request, response);
    return true;
  };
  return () => {
    coordinator.intercept = () => false;
  };
}

/** The client declines round 1 with this code, and answers its next attempt. */
async function declinesAndGoesOn(code: string, honest: () => void): Promise<void> {
  const { coordinator, job } = victim;
  coordinator.open(job.plan(1));
  await coordinator.answered('round.decline', 1);
  expect(coordinator.payloads('round.decline')).toMatchObject([{ round: 1, attempt: 0, code }]);
  expect(victim.trainer.tasks).toEqual([]);
  honest();
  await victim.answersHonestly(1);
}

describe('a coordinator that lies in what it serves', () => {
  it('sends another model of the same size', async () => {
    await begin();
    const honest = victim.coordinator.blobs.get(victim.job.models[0]?.root as '0x') as Uint8Array;
    replaceGenesis(
      victim,
      honest.map((byte, at) => (at === 9 ? byte ^ 1 : byte)),
    );
    await declinesAndGoesOn('session/model-mismatch', () => replaceGenesis(victim, honest));
  });

  it('sends a model that never ends, in chunks and without a length', async () => {
    await begin();
    let sent: Promise<number> | undefined;
    const honest = lieAboutModel((_, response) => {
      sent = sendForEver(response.writeHead(200), new Uint8Array(65_536));
    });
    await declinesAndGoesOn('transport/too-large', honest);
    // Whatever was on the way: some buffers of it, and no more.
    expect(await sent).toBeLessThan(64 * 2 ** 20);
  });

  it('announces a length without end', async () => {
    await begin();
    const honest = lieAboutModel((_, response) => {
      void sendForEver(response.writeHead(200, { 'content-length': 2 ** 40 }), new Uint8Array(65_536));
    });
    await declinesAndGoesOn('transport/too-large', honest);
  });

  it('compresses a gigabyte of nothing into a megabyte', async () => {
    await begin();
    const bomb = gzipSync(new Uint8Array(2 ** 26));
    const honest = lieAboutModel((_, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb);
    });
    await declinesAndGoesOn('transport/encoded', honest);
  });

  it.each([301, 302, 307, 308])('sends the client elsewhere with %i, into its own network', async (status) => {
    let visits = 0;
    const elsewhere = createServer((_, response) => {
      visits++;
      response.end('a secret of the inner network');
    });
    await new Promise<void>((resolve) => {
      elsewhere.listen(0, '127.0.0.1', resolve);
    });
    const location = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/latest/meta-data`;
    await begin();
    const honest = lieAboutModel((_, response) => {
      response.writeHead(status, { location }).end();
    });
    await declinesAndGoesOn('transport/redirected', honest);
    expect(visits).toBe(0);
    elsewhere.close();
  });

  it('refuses with a sentence that never ends', async () => {
    await begin();
    const honest = lieAboutModel((_, response) => {
      void sendForEver(response.writeHead(403), new Uint8Array(65_536).fill(0x61));
    });
    await declinesAndGoesOn('http/403', honest);
  });

  it('says again and again that there is more', async () => {
    await begin();
    let asked = 0;
    const honest = lieAboutModel((_, response) => {
      asked++;
      // Half an answer, then the line is cut; the next one claims to be the rest.
      response.writeHead(asked === 1 ? 200 : 206, { 'content-length': 1000 }).write(new Uint8Array(10), () => {
        response.destroy();
      });
    });
    await declinesAndGoesOn('transport/unreachable', honest);
    expect(asked).toBe(6);
  });

  it('lets a byte fall now and then', async () => {
    const timers: NodeJS.Timeout[] = [];
    const server = createServer((_, response) => {
      response.writeHead(200, { 'content-length': 100_000 });
      timers.push(setInterval(() => response.write('x'), 5));
    });
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    const bulk = createHttpBulk({
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      token: () => 'token',
      renewToken: async () => undefined,
      idleTimeoutMs: 100,
    });
    const root = `0x${'ab'.repeat(32)}` as const;
    await expect(bulk.getBlob(root, root, 100_000)).rejects.toMatchObject({ code: 'transport/too-slow' });
    for (const timer of timers) clearInterval(timer);
    server.closeAllConnections();
    server.close();
  });
});
