import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder } from '../coordinator/fixture.ts';

/** Files of a certificate that vouches for itself, and so is its own authority. */
export interface TestCertificate {
  readonly certFile: string;
  readonly keyFile: string;
  /** The certificate in PEM. */
  readonly cert: string;
  /** The key in PEM. */
  readonly key: string;
}

/**
 * Makes a certificate for `localhost` and 127.0.0.1.
 *
 * @param validTo - when it expires
 */
export async function testCertificate(validTo = '20991231235959Z'): Promise<TestCertificate> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const cert = pem('CERTIFICATE', selfSigned(privateKey, publicKey, validTo));
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const folder = await temporaryFolder();
  const files = { certFile: join(folder, 'cert.pem'), keyFile: join(folder, 'key.pem') };
  await writeFile(files.certFile, cert);
  await writeFile(files.keyFile, key);
  return { ...files, cert, key };
}

/** An X.509 v3 certificate in DER (RFC 5280), signed by ECDSA with SHA-256. */
function selfSigned(privateKey: KeyObject, publicKey: KeyObject, validTo: string): Buffer {
  const algorithm = der(0x30, objectId('2a8648ce3d040302'));
  const name = der(0x30, der(0x31, der(0x30, objectId('550403'), der(0x0c, Buffer.from('localhost')))));
  const time = (text: string) => der(0x18, Buffer.from(text));
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  const serial = Buffer.concat([Buffer.of(1), createHash('sha256').update(spki).digest().subarray(0, 8)]);
  const names = der(0x30, der(0x82, Buffer.from('localhost')), der(0x87, Buffer.of(127, 0, 0, 1)));
  const extensions = der(
    0x30,
    der(0x30, objectId('551d11'), der(0x04, names)),
    der(0x30, objectId('551d13'), der(0x01, Buffer.of(0xff)), der(0x04, der(0x30, der(0x01, Buffer.of(0xff))))),
  );
  const body = der(
    0x30,
    der(0xa0, der(0x02, Buffer.of(2))),
    der(0x02, serial),
    algorithm,
    name,
    der(0x30, time('20200101000000Z'), time(validTo)),
    name,
    spki,
    der(0xa3, extensions),
  );
  const signature = sign('sha256', body, privateKey);
  return der(0x30, body, algorithm, der(0x03, Buffer.concat([Buffer.of(0), signature])));
}

function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const header = length < 128 ? [tag, length] : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(header), content]);
}

function objectId(hex: string): Buffer {
  return der(0x06, Buffer.from(hex, 'hex'));
}

function pem(label: string, bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
