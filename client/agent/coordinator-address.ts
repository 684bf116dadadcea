import type { Hex } from '../../shared/bytes.ts';
import { isNearbyHost } from '../transports/nearby-host.ts';
import type { Policy } from './policy.ts';

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
  return protocol === 'https:' && !isNearbyHost(hostname) ? announced : undefined;
}
