import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { connect as connectTls } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { followCertificate } from '../../coordinator/http/certificate.ts';
import { openNetwork } from '../../coordinator/network.ts';
import { hash, temporaryFolder } from '../coordinator/fixture.ts';
import { startServer, type TestServer } from '../coordinator/server-harness.ts';
import { testCertificate } from './certificates.ts';
import { factsOf } from './clients.ts';
import { rawHttp } from './raw-http.ts';

const LOADER = join(import.meta.dirname, '../typescript-loader.mjs');
const CLIENT = fileURLToPath(new URL('./tls-client.ts', import.meta.url));

/** Runs a client process that trusts the authorities of the platform and, where given, one more. */
async function runClient({ url, world }: TestServer, name: string, authority?: string): Promise<unknown[]> {
  const facts = JSON.stringify(factsOf(world), (_name, value) => (typeof value === 'bigint' ? String(value) : value));
  const child = spawn(process.execPath, ['--import', LOADER, CLIENT, url, hash(`key of ${name}`), facts], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...(authority !== undefined && { NODE_EXTRA_CA_CERTS: authority }) },
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const output = await text(child.stdout);
  return output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

/** The certificate that a server shows now. */
async function shownBy(url: string): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connectTls({ host: hostname, port: Number(port), rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  const { raw } = socket.getPeerCertificate();
  socket.destroy();
  return raw.toString('base64');
}

const base64Of = (pem: string): string => pem.replace(/-----.*-----|\n/g, '');

describe('TLS', () => {
  it('carries both planes for clients that trust the certificate, and for no others', async () => {
    const certificate = await testCertificate();
    const server = await startServer(
      {
        rounds: 1,
        participation: { expected: 1, quorum: 1 },
        rule: { rule: 'Average', f: 0 },
        disclosure: 'participants',
      },
      { network: { tls: certificate } },
    );
    expect(server.url).toMatch(/^https:/);
    const [stranger] = await runClient(server, 'a');
    expect(stranger).toMatchObject({
      kind: 'unreachable',
      reason: expect.stringMatching(/certificate|websocket error/),
    });
    expect(await runClient(server, 'a', certificate.certFile)).toEqual([{ kind: 'closed' }]);
    expect(server.life.runner.state).toMatchObject({ phase: 'closed', progress: { rounds: 1 } });
  }, 120_000);

  it('speaks no plaintext where it was asked for', async () => {
    const { certFile, keyFile } = await testCertificate();
    const { url } = await startServer({}, { network: { tls: { certFile, keyFile } } });
    const raw = await rawHttp(url);
    raw.send('GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n');
    expect(await raw.answer).not.toContain('200');
  });

  it('gives up on a handshake that is not finished', async () => {
    const { certFile, keyFile } = await testCertificate();
    const { url } = await startServer({}, { network: { tls: { certFile, keyFile }, limits: { handshakeMs: 100 } } });
    const raw = await rawHttp(url);
    raw.send(Uint8Array.of(0x16, 0x03, 0x01, 0x02, 0x00));
    await raw.answer;
  });

  it('is closed with its coordinator while a handshake is under way', async () => {
    const { certFile, keyFile } = await testCertificate();
    const network = { tls: { certFile, keyFile }, limits: { handshakeMs: 600_000 } };
    const { url, http, stop } = await startServer({}, { network });
    const accepted = once(http, 'connection');
    const raw = await rawHttp(url);
    await accepted;
    await stop();
    await raw.answer;
  });

  it('shows a renewed certificate without a restart', async () => {
    const files = await testCertificate();
    const renewed = await testCertificate();
    const server = await startServer({}, { network: { tls: files } });
    expect(await shownBy(server.url)).toBe(base64Of(files.cert));
    const { log } = server.life;
    const secure = server.http as unknown as Parameters<typeof followCertificate>[0]['server'];
    const followed = followCertificate({ files, server: secure, log, now: Date.now });
    await copyFile(renewed.certFile, files.certFile);
    await copyFile(renewed.keyFile, files.keyFile);
    expect(await followed.reload()).toBe(true);
    followed.close();
    expect(await shownBy(server.url)).toBe(base64Of(renewed.cert));
  });

  it('is checked before anything listens', async () => {
    const missing = join(await temporaryFolder(), 'missing.pem');
    const files = { certFile: missing, keyFile: missing };
    await expect(openNetwork({ tls: files }, '0.0.0.0', Date.now)).rejects.toMatchObject({
      code: 'tls/unreadable-file',
    });
    await expect(openNetwork({}, '0.0.0.0', Date.now)).rejects.toMatchObject({
      code: 'usage/plaintext-beyond-loopback',
    });
    await openNetwork({ allowPlaintext: true }, '0.0.0.0', Date.now);
  });
});
