import { FedanchorError } from '../../shared/errors.ts';

/** Thrown when tokens and updates would be readable on their way. */
export class ExposureError extends FedanchorError<'usage/plaintext-beyond-loopback'> {}

/** How a coordinator means to be reached. */
export interface Exposure {
  /** Address to listen on. */
  readonly host: string;
  /** Whether it speaks TLS itself. */
  readonly isEncrypted: boolean;
  /** Whether plaintext beyond this machine was asked for by name. */
  readonly allowPlaintext: boolean;
}

/** Whether only this machine can reach an address to listen on. A name other than `localhost` may lead anywhere. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

/**
 * Refuses plaintext beyond this machine unless it was asked for by name.
 *
 * @throws ExposureError `usage/plaintext-beyond-loopback`
 */
export function checkExposure({ host, isEncrypted, allowPlaintext }: Exposure): void {
  if (isEncrypted || allowPlaintext || isLoopback(host)) return;
  throw new ExposureError(
    'usage/plaintext-beyond-loopback',
    `--host ${host} would serve plaintext beyond this machine: give a certificate and its key, or put a TLS proxy in front and say --insecure-plaintext`,
    { host },
  );
}
