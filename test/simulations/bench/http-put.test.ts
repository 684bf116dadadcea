import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createPutLane, type PutLane } from '../../../simulations/bench/http-put.ts';

interface Arrival {
  readonly body: string;
  readonly authorization: string | undefined;
  readonly port: number | undefined;
}

/** A server that gives these answers in turn. */
async function serverOf(...answers: number[]): Promise<{ url: string; arrivals: Arrival[]; lane: PutLane }> {
  const arrivals: Arrival[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const { authorization } = request.headers;
    arrivals.push({ body, authorization, port: request.socket.remotePort });
    response.writeHead(answers.shift() ?? 204, { 'retry-after': '0' }).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const lane = createPutLane();
  onTestFinished(() => {
    lane.close();
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/part`, arrivals, lane };
}

describe('a lane of PUTs', () => {
  test('sends one body after the other over one connection', async () => {
    const { url, arrivals, lane } = await serverOf();
    await lane.put(url, Buffer.from('one'), 'token');
    await lane.put(url, Buffer.from('two'));
    expect(arrivals.map(({ body }) => body)).toEqual(['one', 'two']);
    expect(arrivals.map(({ authorization }) => authorization)).toEqual(['Bearer token', undefined]);
    expect(new Set(arrivals.map(({ port }) => port)).size).toBe(1);
  });

  test('sends a body again that the server has no room for yet', async () => {
    const { url, arrivals, lane } = await serverOf(429, 429, 204);
    await lane.put(url, Buffer.from('body'));
    expect(arrivals.map(({ body }) => body)).toEqual(['body', 'body', 'body']);
  });

  test('fails at any other answer: a refused upload must not count as a fast one', async () => {
    const { url, lane } = await serverOf(400);
    await expect(lane.put(url, Buffer.from('body'))).rejects.toMatchObject({ code: 'bench/refused' });
  });
});
