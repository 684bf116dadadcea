import { BlockList, isIP, isIPv6 } from 'node:net';
import { FedanchorError } from '../../shared/errors.ts';

/** Thrown for an address or network that cannot be read. */
export class PeersError extends FedanchorError<'limits/bad-network'> {}

/** Whose addresses mean what. */
export interface PeersOptions {
  /** Addresses or networks (`10.0.0.0/8`) of reverse proxies, whose `X-Forwarded-For` is believed; default none. */
  readonly trustedProxies?: readonly string[];
  /** Addresses or networks that no limit by address holds for; default this machine, where a local proxy speaks for all. */
  readonly exempt?: readonly string[];
}

/** Tells parties apart by their network addresses. */
export interface Peers {
  /**
   * Whom limits by address count for a request.
   *
   * @param remote - the address that the connection comes from
   * @param forwardedFor - the request's `X-Forwarded-For`, if any
   * @returns the address, an IPv6 one cut to its /64; undefined for an exempt peer
   */
  keyOf(remote: string | undefined, forwardedFor?: string | readonly string[]): string | undefined;
  /** Whether connections from an address carry the requests of many, or no limit holds for it. */
  isShared(remote: string | undefined): boolean;
}

const LOOPBACK = ['127.0.0.0/8', '::1'];

/**
 * Creates the way to tell parties apart.
 *
 * @throws PeersError `limits/bad-network`
 */
export function createPeers({ trustedProxies = [], exempt = LOOPBACK }: PeersOptions = {}): Peers {
  const proxies = networks('trustedProxies', trustedProxies);
  const exempted = networks('exempt', exempt);

  const keyOf: Peers['keyOf'] = (remote, forwardedFor) => {
    let address = plain(remote ?? '');
    if (contains(proxies, address)) {
      // Each proxy appends whom it heard from, so the last one that is no proxy is the one that cannot be made up.
      const chain = [forwardedFor ?? []].flat().join(',').split(',').map(plain);
      address = chain.findLast((hop) => isIP(hop) !== 0 && !contains(proxies, hop)) ?? address;
    }
    return contains(exempted, address) ? undefined : network(address);
  };
  return {
    keyOf,
    isShared: (remote) => {
      const address = plain(remote ?? '');
      return contains(proxies, address) || contains(exempted, address);
    },
  };
}

/** An address without spaces, and an IPv4 address in IPv6 clothing as what it is. */
function plain(address: string): string {
  return address.trim().replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, '');
}

/** One subscriber of IPv6 commands a whole /64. */
function network(address: string): string {
  if (!isIPv6(address)) return address;
  const [head = '', tail] = address.replace(/%.*$/, '').toLowerCase().split('::');
  const before = head.split(':').filter(Boolean);
  const after = tail?.split(':').filter(Boolean) ?? [];
  const groups =
    tail === undefined ? before : [...before, ...Array(8 - before.length - after.length).fill('0'), ...after];
  return `${groups
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':')}::/64`;
}

function contains(list: BlockList, address: string): boolean {
  const family = isIP(address);
  return family !== 0 && list.check(address, family === 6 ? 'ipv6' : 'ipv4');
}

function networks(field: string, texts: readonly string[]): BlockList {
  const list = new BlockList();
  for (const text of texts) {
    const [address = '', bits] = text.split('/');
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    const prefix = bits === undefined ? (family === 'ipv6' ? 128 : 32) : Number(bits);
    const isValid = isIP(address) !== 0 && /^\d+$/.test(bits ?? '0') && prefix <= (family === 'ipv6' ? 128 : 32);
    if (!isValid) {
      throw new PeersError('limits/bad-network', `${field}: "${text}" is no address or network such as 10.0.0.0/8`, {
        field,
        text,
      });
    }
    list.addSubnet(address, prefix, family);
  }
  return list;
}
