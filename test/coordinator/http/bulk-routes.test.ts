import { mkdir, writeFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Signer } from '../../../contracts/wallet.ts';
import type { Collecting } from '../../../coordinator/round/state.ts';
import { toHex } from '../../../shared/bytes.ts';
import { PART_BYTES, updateTree, vectorBytes } from '../../../shared/commitments/vector-trees.ts';
import { blobPath } from '../../../shared/protocol/routes.ts';
import { COORDINATOR, hash, offerOf, updateOf, WALLETS } from '../fixture.ts';
import { contribute, startLife, until } from '../runner-harness.ts';
import { answerOf, openSession, sendPart, startServer, type TestServer } from '../server-harness.ts';

const [A, B] = WALLETS as [Signer, Signer];

async function codeOf(response: Response): Promise<[number, string]> {
  return [response.status, ((await response.json()) as { code: string }).code];
}

/** A GET whose path is sent as it is written: fetch would tidy it up first. */
function getRaw({ url }: TestServer, path: string): Promise<{ status: number | undefined; body: string }> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    httpRequest({ hostname, port, path }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        body += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode, body }));
    })
      .on('error', reject)
      .end();
  });
}

describe('downloads', () => {
  it('give a blob for good: whole, cacheable, and its size alone', async () => {
    const server = await startServer();
    const { model, terms } = server.world.job;
    const url = server.url + blobPath(terms.job, terms.manifest.initialModelRoot);
    const response = await fetch(url);
    expect(response.status).toBe(200);
    expect(response.headers.get('cache-control')).toContain('immutable');
    expect(response.headers.get('content-type')).toBe('application/octet-stream');
    expect(Buffer.compare(Buffer.from(await response.arrayBuffer()), vectorBytes(model))).toBe(0);
    const head = await fetch(url, { method: 'HEAD' });
    expect([head.status, head.headers.get('content-length')]).toEqual([200, '768']);
  });

  it('give any range of it', async () => {
    const server = await startServer();
    const { model, terms } = server.world.job;
    const url = server.url + blobPath(terms.job, terms.manifest.initialModelRoot);
    const bytes = vectorBytes(model);
    for (const [range, expected] of [
      ['bytes=0-9', bytes.subarray(0, 10)],
      ['bytes=100-100', bytes.subarray(100, 101)],
      ['bytes=700-', bytes.subarray(700)],
      ['bytes=-5', bytes.subarray(-5)],
    ] as const) {
      const response = await fetch(url, { headers: { range } });
      expect(response.status).toBe(206);
      expect([...new Uint8Array(await response.arrayBuffer())]).toEqual([...expected]);
    }
    expect(await codeOf(await fetch(url, { headers: { range: 'bytes=768-' } }))).toEqual([416, 'blob/no-such-range']);
  });

  it('keep an update sealed until its round has an outcome: nobody can send a copy of what nobody can read', async () => {
    const server = await startServer();
    const { life, world, url } = server;
    const { terms } = world.job;
    for (const { address } of WALLETS) await life.runner.join(address);
    const { plan } = life.runner.state as Collecting;
    const { updateRoot } = offerOf(vectorBytes(updateOf(terms, A.address, plan)));
    await contribute(life, world, A);
    for (const method of ['GET', 'HEAD']) {
      expect((await fetch(url + blobPath(terms.job, updateRoot), { method })).status).toBe(403);
    }
    expect(await codeOf(await fetch(url + blobPath(terms.job, updateRoot)))).toEqual([403, 'blob/sealed']);
    // A restart must not break the seal.
    const { runner } = await startLife(world);
    expect(runner.isSealed(updateRoot)).toBe(true);
    for (const signer of WALLETS.slice(1)) await contribute(life, world, signer);
    await until(life, ({ progress }) => progress.rounds === 1);
    const response = await fetch(url + blobPath(terms.job, updateRoot));
    expect(response.status).toBe(200);
    expect(toHex(updateTree(new Uint8Array(await response.arrayBuffer())).root)).toBe(updateRoot);
  });

  it('say by code what is not there', async () => {
    const server = await startServer();
    expect(await codeOf(await fetch(server.url + blobPath(server.world.job.terms.job, hash('nothing'))))).toEqual([
      404,
      'blob/missing',
    ]);
    expect(await codeOf(await fetch(`${server.url}/nothing`))).toEqual([404, 'request/unknown']);
    for (const id of ['x', '0x12', hash('x').toUpperCase(), `${hash('x')}00`, `${hash('x')}.some-id.tmp`]) {
      expect(await codeOf(await fetch(`${server.url}/jobs/${server.world.job.terms.job}/blobs/${id}`))).toEqual([
        400,
        'request/invalid',
      ]);
    }
  });

  it('never leave the folder of blobs', async () => {
    const server = await startServer();
    const outside = join(dirname(server.world.blobs.folder), 'seed-secret');
    await mkdir(dirname(outside), { recursive: true });
    await writeFile(outside, 'the secret');
    for (const path of [
      ...[
        '/blobs/../seed-secret',
        '/blobs/..%2fseed-secret',
        '/blobs/%2e%2e/seed-secret',
        '/blobs/%2e%2e%2fseed-secret',
      ],
      ...[
        '/blobs//../../seed-secret',
        '/blobs/..\\seed-secret',
        '/blobs/0x%00',
        '/blobs/..%5cseed-secret',
        '/../seed-secret',
      ],
      ...[`/blobs/0x${'..%2f'.repeat(16)}`, '/blobs/%', `/blobs/${hash('x')}/../../../seed-secret`],
    ]) {
      const { status, body } = await getRaw(server, path);
      expect([path, status === 400 || status === 404]).toEqual([path, true]);
      expect(body).not.toContain('the secret');
      expect(JSON.parse(body)).toMatchObject({ code: expect.stringMatching(/^(request|blob)\//) });
    }
  });

  it('are for open sessions only where the job says so', async () => {
    const server = await startServer({ disclosure: 'participants' });
    const url = server.url + blobPath(server.world.job.terms.job, server.world.job.terms.manifest.initialModelRoot);
    expect(await codeOf(await fetch(url))).toEqual([401, 'session/not-open']);
    expect(await codeOf(await fetch(url, { headers: { authorization: 'Bearer x' } }))).toEqual([
      401,
      'session/not-open',
    ]);
    const { token } = await openSession(server, A);
    expect((await fetch(url, { headers: { authorization: `Bearer ${token}` } })).status).toBe(200);
  });
});

/** A server with an open round, a participant and its offer. */
async function offered() {
  const server = await startServer();
  for (const { address } of WALLETS) await server.life.runner.join(address);
  const { plan } = server.life.runner.state as Collecting;
  const { terms } = server.world.job;
  const update = updateOf(terms, A.address, plan);
  const offer = offerOf(vectorBytes(update));
  const { request, token } = await openSession(server, A);
  answerOf(await request('update.offer', { job: terms.job, round: 1, attempt: 0, ...offer }));
  return { server, update, token, root: offer.updateRoot };
}

describe('uploads', () => {
  it('take a part, as often as it comes, and tell that it is there', async () => {
    const { server, update, token, root } = await offered();
    expect((await sendPart(server, { root, token })).status).toBe(404);
    expect((await sendPart(server, { root, token }, update)).status).toBe(204);
    expect((await sendPart(server, { root, token }, update)).status).toBe(204);
    expect((await sendPart(server, { root, token })).status).toBe(200);
    expect((await sendPart(server, { root, token, part: 1 })).status).toBe(404);
    expect((await sendPart(server, { root, token, job: hash('another job') })).status).toBe(404);
    expect((await sendPart(server, { root: hash('x'), token })).status).toBe(404);
  });

  it('need the token of a participant, whose uploads are its own', async () => {
    const { server, update, root, token } = await offered();
    expect(await codeOf(await sendPart(server, { root }, update))).toEqual([401, 'session/not-open']);
    expect(await codeOf(await sendPart(server, { root, token: 'x' }, update))).toEqual([401, 'session/not-open']);
    expect((await sendPart(server, { root })).status).toBe(401);
    const operator = await openSession(server, COORDINATOR, 'operator');
    expect(await codeOf(await sendPart(server, { root, token: operator.token }, update))).toEqual([
      403,
      'session/wrong-role',
    ]);
    const other = await openSession(server, B);
    expect(await codeOf(await sendPart(server, { root, token: other.token }, update))).toEqual([
      404,
      'upload/no-offer',
    ]);
    expect((await sendPart(server, { root, token }, update)).status).toBe(204);
    expect((await sendPart(server, { root, token: other.token })).status).toBe(404);
  });

  it('are refused by code when anything about them is wrong', async () => {
    const { server, update, token, root } = await offered();
    const bytes = Uint8Array.from(vectorBytes(update));
    const flipped = Uint8Array.from(bytes, (byte, at) => (at === 7 ? byte ^ 4 : byte));
    const long = new Uint8Array(PART_BYTES + 1);
    const attempts: [Parameters<typeof sendPart>[1], Uint8Array, [number, string], string?][] = [
      [{ root, token }, flipped, [400, 'upload/root-mismatch']],
      [{ root, token }, bytes.subarray(2), [400, 'upload/wrong-part-length']],
      [{ root, token }, new Uint8Array(), [400, 'upload/wrong-part-length']],
      [{ root, token }, new Uint8Array(PART_BYTES), [400, 'upload/wrong-part-length']],
      [{ root, token }, long, [413, 'request/invalid']],
      [{ root, token, part: 1 }, bytes, [404, 'upload/no-such-part']],
      [{ root, token, part: -1 }, bytes, [400, 'request/invalid']],
      [{ root, token, part: 1.5 }, bytes, [400, 'request/invalid']],
      [{ root, token, part: 1e9 }, bytes, [400, 'request/invalid']],
      [{ root, token, part: 'x' }, bytes, [400, 'request/invalid']],
      [{ root: '0x12', token }, bytes, [400, 'request/invalid']],
      [{ root: hash('x'), token }, bytes, [404, 'upload/no-offer']],
      [{ root, token, job: hash('x') }, bytes, [404, 'request/wrong-job']],
      [{ root, token }, bytes, [415, 'request/invalid'], 'application/json'],
      [{ root, token }, bytes, [415, 'request/invalid'], 'text/plain'],
    ];
    for (const [target, body, expected, contentType] of attempts) {
      expect(await codeOf(await sendPart(server, target, body, contentType))).toEqual(expected);
    }
    expect((await sendPart(server, { root, token })).status).toBe(404);
  });
});
