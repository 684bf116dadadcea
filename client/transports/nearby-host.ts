import { isIP } from 'node:net';

const PRIVATE_V4 =
  /^(0|10|127|169\.254|172\.(1[6-9]|2[0-9]|3[01])|192\.168|100\.(6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7]))\./;

/**
 * Whether a host is, by its name, this machine or one of its network: nowhere that a stranger's word should lead. A name
 * that resolves to a private address is not looked into.
 *
 * @param hostname - as `URL` gives it
 */
export function isNearbyHost(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '').toLowerCase();
  if (isIP(host) === 4) return PRIVATE_V4.test(host);
  // The public addresses of IPv6 are 2000::/3.
  if (isIP(host) === 6) return !/^[23]/.test(host);
  return !host.includes('.') || /(^|\.)(localhost|local|internal|home\.arpa|lan)\.?$/.test(host);
}
