import { describe, expect, it } from 'vitest';
import { createGuard } from '../../../coordinator/limits/guard.ts';
import { type NetworkLimits, networkLimits } from '../../../coordinator/limits/network-limits.ts';
import { createPeers } from '../../../coordinator/limits/peers.ts';
import { hash } from '../fixture.ts';

const [job, otherJob] = [hash('job'), hash('other job')];
const one = { address: `0x${'01'.repeat(20)}`, job } as const;
const two = { address: `0x${'02'.repeat(20)}`, job } as const;
const elsewhere = { address: one.address, job: otherJob };
const refused = expect.objectContaining({ code: 'request/too-many' });

function guardOf(limits: Partial<NetworkLimits>) {
  const clock = { ms: 0 };
  return { clock, guard: createGuard(networkLimits(limits), createPeers(), () => clock.ms) };
}

describe('the guard', () => {
  it('refuses one participant its further requests, and no other', () => {
    const { clock, guard } = guardOf({ requestsPerSession: { perSecond: 2, burst: 2 } });
    for (let count = 0; count < 2; count++) guard.request('c', one);
    expect(() => guard.request('c', one)).toThrow(
      expect.objectContaining({ code: 'request/too-many', retryAfterMs: 500 }),
    );
    // A second connection of the same participant is no second share.
    expect(() => guard.request('d', one)).toThrow(refused);
    guard.request('c', two);
    guard.request('c', elsewhere);
    clock.ms = 500;
    guard.request('c', one);
  });

  it('does not let a participant that is refused use up what its job has', () => {
    const { guard } = guardOf({
      requestsPerSession: { perSecond: 1, burst: 1 },
      requestsPerJob: { perSecond: 1, burst: 2 },
    });
    guard.request('c', one);
    for (let count = 0; count < 100; count++) expect(() => guard.request('c', one)).toThrow(refused);
    guard.request('c', two);
  });

  it('holds a job as a whole, and no other job', () => {
    const { guard } = guardOf({
      requestsPerJob: { perSecond: 1, burst: 1 },
      downloadsPerJob: { perSecond: 1, burst: 1 },
    });
    guard.request('c', one);
    expect(() => guard.request('c', two)).toThrow(refused);
    guard.request('c', elsewhere);
    guard.download(job);
    expect(() => guard.download(job)).toThrow(refused);
    guard.download(otherJob);
  });

  it('lends slots for parts to participants and jobs, and takes them back', () => {
    const { guard } = guardOf({ partsAtOncePerSession: 1, partsAtOncePerJob: 2, partsAtOnce: 3 });
    const done = guard.part(one);
    expect(() => guard.part(one)).toThrow(refused);
    guard.part(two);
    const three = { ...two, address: `0x${'03'.repeat(20)}` } as const;
    expect(() => guard.part(three)).toThrow(refused);
    guard.part(elsewhere);
    expect(() => guard.part({ ...three, job: otherJob })).toThrow(refused);
    done();
    done();
    guard.part(three);
    expect(() => guard.part(one)).toThrow(refused);
  });

  it('counts handshakes by address, unless the address is exempt', () => {
    const { guard } = guardOf({ handshakesPerAddress: { perSecond: 1, burst: 1 } });
    guard.handshake('192.0.2.7');
    expect(() => guard.handshake('192.0.2.7')).toThrow(refused);
    guard.handshake('192.0.2.8');
    for (let count = 0; count < 100; count++) guard.handshake(undefined);
  });
});

describe('limits', () => {
  it.each<[Partial<NetworkLimits>, string]>([
    [{ connections: 0 }, 'connections'],
    [{ messageBytes: Number.NaN }, 'messageBytes'],
    [{ requestMs: 0.5 }, 'requestMs'],
    [{ requestsPerJob: { perSecond: 0, burst: 1 } }, 'requestsPerJob'],
    [{ partsPerSession: { perSecond: 1, burst: 0 } }, 'partsPerSession'],
  ])('that would lock everybody out are refused: %j', (given, field) => {
    expect(() => networkLimits(given)).toThrow(
      expect.objectContaining({ code: 'limits/invalid', message: expect.stringContaining(`"${field}"`) }),
    );
  });

  it('are the defaults but for what is given', () => {
    expect(networkLimits({ connections: 7 })).toEqual({ ...networkLimits(), connections: 7 });
  });
});
