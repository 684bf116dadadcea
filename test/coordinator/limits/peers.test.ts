import { describe, expect, it } from 'vitest';
import { createPeers } from '../../../coordinator/limits/peers.ts';

describe('peers', () => {
  it('are told apart by address, whole networks of IPv6 at once', () => {
    const { keyOf } = createPeers();
    expect(keyOf('192.0.2.7')).toBe('192.0.2.7');
    expect(keyOf('::ffff:192.0.2.7')).toBe('192.0.2.7');
    expect(keyOf('2001:db8:0:1::1')).toBe('2001:db8:0:1::/64');
    expect(keyOf('2001:db8:0:1:ffff:ffff:ffff:ffff')).toBe('2001:db8:0:1::/64');
    expect(keyOf('2001:0DB8::')).toBe('2001:db8:0:0::/64');
    expect(keyOf('2001:db8:0:2::1')).not.toBe(keyOf('2001:db8:0:1::1'));
    expect(keyOf('fe80::1%eth0')).toBe('fe80:0:0:0::/64');
    expect(keyOf(undefined)).toBe('');
  });

  it('exempt this machine unless told otherwise', () => {
    expect(['127.0.0.1', '::1', '::ffff:127.0.0.1', '127.1.2.3'].map((one) => createPeers().keyOf(one))).toEqual(
      Array(4).fill(undefined),
    );
    expect(createPeers({ exempt: [] }).keyOf('127.0.0.1')).toBe('127.0.0.1');
    const { keyOf } = createPeers({ exempt: ['10.1.0.0/16', '2001:db8::/32'] });
    expect([keyOf('10.1.2.3'), keyOf('2001:db8:9::1'), keyOf('10.2.0.1')]).toEqual([undefined, undefined, '10.2.0.1']);
  });

  it('believe a proxy about its clients, and nobody else', () => {
    const peers = createPeers({ trustedProxies: ['10.0.0.0/8', '127.0.0.1'] });
    expect(peers.keyOf('10.0.0.1', '203.0.113.9')).toBe('203.0.113.9');
    expect(peers.keyOf('127.0.0.1', ['203.0.113.9'])).toBe('203.0.113.9');
    expect(peers.keyOf('192.0.2.7', '203.0.113.9')).toBe('192.0.2.7');
    // What the client itself wrote stands in front of what the proxies appended.
    expect(peers.keyOf('10.0.0.1', '1.2.3.4, 203.0.113.9, 10.0.0.2')).toBe('203.0.113.9');
    expect(peers.keyOf('10.0.0.1', 'nonsense')).toBe('10.0.0.1');
    expect(peers.keyOf('10.0.0.1')).toBe('10.0.0.1');
    expect([peers.isShared('10.0.0.1'), peers.isShared('192.0.2.7')]).toEqual([true, false]);
  });

  it.each(['', 'localhost', '10.0.0.0/33', '10.0.0.0/x', '::1/129', '10.0.0'])('refuse "%s" as a network', (text) => {
    expect(() => createPeers({ trustedProxies: [text] })).toThrow(
      expect.objectContaining({ code: 'limits/bad-network', message: expect.stringContaining('trustedProxies') }),
    );
  });
});
