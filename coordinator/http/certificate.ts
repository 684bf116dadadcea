import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { unwatchFile, watchFile } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Server } from 'node:tls';
import { FedanchorError } from '../../shared/errors.ts';
import type { Log } from '../log.ts';

/** Thrown when a server cannot prove its name with what it was given. */
export class CertificateError extends FedanchorError<
  'tls/unreadable-file' | 'tls/not-a-certificate' | 'tls/not-a-key' | 'tls/key-mismatch' | 'tls/expired'
> {}

/** Where a server's proof of its name is. */
export interface CertificateFiles {
  /** PEM file of the certificate, those of the authorities between it and the root after it. */
  readonly certFile: string;
  /** PEM file of the certificate's private key, not encrypted. */
  readonly keyFile: string;
}

/** A certificate and its key, seen to fit each other. */
export interface Certificate {
  /** PEM of the certificate and those between it and the root. */
  readonly cert: Buffer;
  /** PEM of the private key. */
  readonly key: Buffer;
}

/**
 * Reads a certificate and its key.
 *
 * @param nowMs - milliseconds since 1970, to tell whether the certificate has expired
 * @throws CertificateError `tls/unreadable-file`, `tls/not-a-certificate`, `tls/not-a-key`, `tls/key-mismatch`,
 *   `tls/expired`
 */
export async function readCertificate({ certFile, keyFile }: CertificateFiles, nowMs: number): Promise<Certificate> {
  const [cert, key] = await Promise.all([read('certFile', certFile), read('keyFile', keyFile)]);
  const certificate = parse(() => new X509Certificate(cert), 'tls/not-a-certificate', 'certFile', certFile);
  const privateKey: KeyObject = parse(() => createPrivateKey(key), 'tls/not-a-key', 'keyFile', keyFile);
  if (!certificate.checkPrivateKey(privateKey)) {
    throw new CertificateError(
      'tls/key-mismatch',
      `keyFile ${keyFile} is not the key of the certificate in certFile ${certFile}: give the two that belong together`,
      { certFile, keyFile },
    );
  }
  if (Date.parse(certificate.validTo) < nowMs) {
    throw new CertificateError(
      'tls/expired',
      `the certificate in certFile ${certFile} expired on ${certificate.validTo}: renew it`,
      { certFile, validTo: certificate.validTo },
    );
  }
  return { cert, key };
}

/** What following a certificate takes. */
export interface FollowOptions {
  /** Where it is. */
  readonly files: CertificateFiles;
  /** The server that shows it; connections that are open stay as they are. */
  readonly server: Pick<Server, 'setSecureContext'>;
  /** Where to tell what happens. */
  readonly log: Log;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Milliseconds between two looks at the files; default a minute. */
  readonly intervalMs?: number;
}

/** A server that takes up its certificate whenever it is renewed. */
export interface FollowedCertificate {
  /** Reads the files again now; what cannot be used is logged, and the one in use stays. Answers whether it was taken up. */
  reload(): Promise<boolean>;
  /** Looks no more. */
  close(): void;
}

/** Looks at a certificate's files from time to time and takes up what has changed, without a restart. */
export function followCertificate(options: FollowOptions): FollowedCertificate {
  const { files, server, log, now, intervalMs = 60_000 } = options;
  const { certFile, keyFile } = files;
  const reload = async (): Promise<boolean> => {
    try {
      server.setSecureContext(await readCertificate(files, now()));
      log.info({ certFile }, 'certificate taken up');
      return true;
    } catch (error) {
      // Of two files that are renewed one after the other, the first alone does not fit: the second is looked at too.
      log.warn({ certFile, error: (error as Error).message }, 'the new certificate is not taken up, the old one stays');
      return false;
    }
  };
  const changed = (): void => void reload();
  for (const file of [certFile, keyFile]) watchFile(file, { interval: intervalMs, persistent: false }, changed);
  return {
    reload,
    close: () => {
      for (const file of [certFile, keyFile]) unwatchFile(file, changed);
    },
  };
}

async function read(field: keyof CertificateFiles, file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (cause) {
    const reason = (cause as Error).message;
    throw new CertificateError(
      'tls/unreadable-file',
      `${field} ${file} cannot be read: ${reason}`,
      { field, file },
      cause,
    );
  }
}

function parse<T>(work: () => T, code: CertificateError['code'], field: keyof CertificateFiles, file: string): T {
  try {
    return work();
  } catch (cause) {
    const what = field === 'certFile' ? 'a certificate in PEM' : 'an unencrypted private key in PEM';
    throw new CertificateError(code, `${field} ${file} does not hold ${what}`, { field, file }, cause);
  }
}
