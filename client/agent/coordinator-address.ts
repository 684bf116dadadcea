import { isIP } from 'node:net';
import type { Hex } from '../../shared/bytes.ts';
import type { Policy } from './policy.ts';

const PRIVATE_V4 =
  /^(0|10|127|169\.254|172\.(1[6-9]|2[0-9]|3[01])|192\.168|100\.(6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7]))\./;

/**
 * Where a job's coordinator is: what the policy says of its account, else what the registration announced. An announcement
 * is a stranger's word: unless plaintext is allowed it must be `https:` and must not lead into this machine or its network.
 * (A name that resolves to a private address is not looked into: whoever answers there has to know the job.)
 *
 * @param coordinator - the job's coordinator on chain, lower case
 * @param announced - what the registration says
 * @returns undefined where nobody says it, or what is said is not followed
 */
export function coordinatorAddress(
  { coordinators, followAnnouncements, insecurePlaintext }: Policy,
  coordinator: Hex,
  announced: string | undefined,
): string | undefined {
  const named = coordinators.find(({ address }) => address === coordinator);
  if (named !== undefined) return named.url;
  if (!followAnnouncements || announced === undefined || !URL.canParse(announced)) return undefined;
  const { protocol, hostname, username, password } = new URL(announced);
  if (username !== '' || password !== '') return undefined;
  if (insecurePlaintext) return /^https?:$/.test(protocol) ? announced : undefined;
  return protocol === 'https:' && !isNearby(hostname) ? announced : undefined;
}

/** Whether a host is, by its name, this machine or one of its network. */
function isNearby(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '').toLowerCase();
  if (isIP(host) === 4) return PRIVATE_V4.test(host);
  // The public addresses of IPv6 are 2000::/3.
  if (isIP(host) === 6) return !/^[23]/.test(host);
  return !host.includes('.') || /(^|\.)(localhost|local|internal|home\.arpa|lan)\.?$/.test(host);
}
