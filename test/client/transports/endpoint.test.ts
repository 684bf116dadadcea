import { describe, expect, it } from 'vitest';
import { coordinatorEndpoint } from '../../../client/transports/endpoint.ts';
import { backoffMs } from '../../../client/transports/retry.ts';

describe('coordinatorEndpoint', () => {
  it.each([
    ['https://federation.example/', 'https://federation.example'],
    ['https://federation.example/fl/', 'https://federation.example/fl'],
    ['http://127.0.0.1:8547', 'http://127.0.0.1:8547'],
    ['http://localhost:8547', 'http://localhost:8547'],
    ['http://[::1]:8547', 'http://[::1]:8547'],
  ])('reads %s', (address, endpoint) => {
    expect(coordinatorEndpoint(address, false)).toBe(endpoint);
  });

  it.each(['', 'federation.example', 'ws://federation.example', 'file:///etc/passwd'])('refuses "%s"', (address) => {
    expect(() => coordinatorEndpoint(address, true)).toThrow(expect.objectContaining({ code: 'transport/bad-url' }));
  });

  it.each([
    'http://federation.example',
    'http://192.168.1.7',
    'http://127.0.0.1.evil.example',
    'http://localhost.example',
  ])('reaches %s in plaintext only when that is asked for', (address) => {
    expect(() => coordinatorEndpoint(address, false)).toThrow(
      expect.objectContaining({ code: 'transport/plaintext-refused' }),
    );
    expect(coordinatorEndpoint(address, true)).toBe(address);
  });
});

describe('backoffMs', () => {
  it('doubles up to its limit', () => {
    const pauses = { firstDelayMs: 100, mostDelayMs: 1000 };
    expect([1, 2, 3, 4, 5, 6, 1000].map((failures) => backoffMs(pauses, failures))).toEqual([
      100, 200, 400, 800, 1000, 1000, 1000,
    ]);
  });
});
