import { TransportError } from './transport-error.ts';

const LOOPBACK = /^(localhost|127(\.[0-9]+){3}|\[::1\])$/;

/**
 * Reads a coordinator's address.
 *
 * @param address - such as `https://federation.example`
 * @param allowPlaintext - whether `http:` may leave this machine: tokens and updates would be readable on the way
 * @returns the address without a trailing slash
 * @throws TransportError `transport/bad-url`, `transport/plaintext-refused`
 */
export function coordinatorEndpoint(address: string, allowPlaintext: boolean): string {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new TransportError(
      'transport/bad-url',
      `the coordinator's address "${address}" is not a web address: give one such as https://federation.example`,
      { address },
    );
  }
  if (url.protocol === 'http:' && !LOOPBACK.test(url.hostname) && !allowPlaintext) {
    throw new TransportError(
      'transport/plaintext-refused',
      `${url.origin} is reached without encryption: use https, or allow plaintext by name`,
      { address },
    );
  }
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
}
