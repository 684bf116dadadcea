import { describe, expect, it } from 'vitest';
import { checkExposure, isLoopback } from '../../../coordinator/http/exposure.ts';

describe('plaintext', () => {
  it.each(['127.0.0.1', '127.8.8.8', '::1', 'localhost'])('may be served to this machine, on %s', (host) => {
    expect(isLoopback(host)).toBe(true);
    checkExposure({ host, isEncrypted: false, allowPlaintext: false });
  });

  it.each([
    '0.0.0.0',
    '::',
    '192.0.2.7',
    'federation.example',
    '127.example.com',
    '127.0.0.1.example',
    'localhost.example',
    '128.0.0.1',
    '',
  ])('is refused beyond it unless asked for by name, on "%s"', (host) => {
    expect(() => checkExposure({ host, isEncrypted: false, allowPlaintext: false })).toThrow(
      expect.objectContaining({
        code: 'usage/plaintext-beyond-loopback',
        message: expect.stringContaining('--insecure-plaintext'),
      }),
    );
    checkExposure({ host, isEncrypted: false, allowPlaintext: true });
    checkExposure({ host, isEncrypted: true, allowPlaintext: false });
  });
});
