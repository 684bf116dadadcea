import { chmod, copyFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { followCertificate, readCertificate } from '../../../coordinator/http/certificate.ts';
import { testCertificate } from '../../network/certificates.ts';
import { createQuietLog, temporaryFolder } from '../fixture.ts';

const NOW = Date.parse('2026-01-01');

describe('readCertificate', () => {
  it('reads a certificate and its key', async () => {
    const { cert, key, ...files } = await testCertificate();
    const read = await readCertificate(files, NOW);
    expect([read.cert.toString(), read.key.toString()]).toEqual([cert, key]);
  });

  it('refuses by code and names the field and the file', async () => {
    const [one, other] = [await testCertificate(), await testCertificate()];
    const expired = await testCertificate('20250101000000Z');
    const missing = join(await temporaryFolder(), 'missing.pem');
    const { certFile, keyFile } = one;
    for (const [files, code, named] of [
      [{ certFile: missing, keyFile }, 'tls/unreadable-file', ['certFile', missing]],
      [{ certFile, keyFile: missing }, 'tls/unreadable-file', ['keyFile', missing]],
      [{ certFile: keyFile, keyFile }, 'tls/not-a-certificate', ['certFile', keyFile]],
      [{ certFile, keyFile: certFile }, 'tls/not-a-key', ['keyFile', certFile]],
      [{ certFile, keyFile: other.keyFile }, 'tls/key-mismatch', ['keyFile', other.keyFile]],
      [expired, 'tls/expired', ['certFile', expired.certFile, 'renew']],
    ] as const) {
      const error = await readCertificate(files, NOW).catch((thrown: Error) => thrown);
      expect(error).toMatchObject({ name: 'CertificateError', code });
      for (const word of named) expect((error as Error).message).toContain(word);
      expect(JSON.stringify(error)).not.toContain('PRIVATE KEY');
    }
  });
});

describe('followCertificate', () => {
  it('takes up a renewed certificate, and keeps the old one while the new one cannot be used', async () => {
    const { certFile, keyFile } = await testCertificate();
    const renewed = await testCertificate();
    const log = createQuietLog();
    const taken: unknown[] = [];
    const server = { setSecureContext: ({ cert }: { cert?: unknown }) => void taken.push(String(cert)) };
    const followed = followCertificate({ files: { certFile, keyFile }, server, log, now: () => NOW });
    await copyFile(renewed.certFile, certFile);
    expect(await followed.reload()).toBe(false);
    expect(log.warnings).toEqual([expect.stringContaining('the old one stays')]);
    await copyFile(renewed.keyFile, keyFile);
    expect(await followed.reload()).toBe(true);
    await writeFile(certFile, 'damaged');
    expect(await followed.reload()).toBe(false);
    expect(taken).toEqual([renewed.cert]);
    followed.close();
  });

  it('looks at the files by itself', async () => {
    const { certFile, keyFile } = await testCertificate();
    const renewed = await testCertificate();
    const taken = new Promise((resolve) => {
      const server = { setSecureContext: resolve };
      const log = createQuietLog();
      followCertificate({ files: { certFile, keyFile }, server, log, now: () => NOW, intervalMs: 10 });
    });
    await chmod(keyFile, 0o600);
    await copyFile(renewed.keyFile, keyFile);
    await copyFile(renewed.certFile, certFile);
    expect(String(((await taken) as { cert: Buffer }).cert)).toBe(renewed.cert);
  });
});
