import { describe, expect, it } from 'vitest';
import { coordinatorAddress } from '../../../client/agent/coordinator-address.ts';
import type { Policy } from '../../../client/agent/policy.ts';
import type { Hex } from '../../../shared/bytes.ts';

const COORDINATOR: Hex = `0x${'c'.repeat(40)}`;

const policy = (changes: Partial<Policy> = {}) =>
  ({ coordinators: [], followAnnouncements: true, insecurePlaintext: false, ...changes }) as unknown as Policy;

describe("a coordinator's address", () => {
  it("is the policy's before it is the announcement's", () => {
    const named = policy({ coordinators: [{ address: COORDINATOR, url: 'http://127.0.0.1:8547' }] });
    expect(coordinatorAddress(named, COORDINATOR, 'https://federation.example')).toBe('http://127.0.0.1:8547');
    expect(coordinatorAddress(policy(), COORDINATOR, 'https://federation.example')).toBe('https://federation.example');
    expect(coordinatorAddress(policy(), COORDINATOR, undefined)).toBeUndefined();
    const deaf = policy({ followAnnouncements: false });
    expect(coordinatorAddress(deaf, COORDINATOR, 'https://federation.example')).toBeUndefined();
  });

  it.each([
    'http://federation.example',
    'https://localhost',
    'https://127.0.0.1:8545',
    'https://10.1.2.3',
    'https://192.168.0.1',
    'https://172.20.0.1',
    'https://169.254.169.254',
    'https://100.64.0.1',
    'https://[::1]',
    'https://[fd00::1]',
    'https://[::ffff:127.0.0.1]',
    'https://router',
    'https://metadata.internal',
    'https://printer.local',
    'https://user:word@federation.example',
    'https://2130706433',
    'https://0x7f000001',
    'ftp://federation.example',
    'no address',
  ])('%s is not followed', (announced) => {
    expect(coordinatorAddress(policy(), COORDINATOR, announced)).toBeUndefined();
  });

  it.each(['https://federation.example/fed', 'https://8.8.8.8:8547', 'https://[2001:db8::1]'])(
    '%s is followed',
    (announced) => expect(coordinatorAddress(policy(), COORDINATOR, announced)).toBe(announced),
  );

  it('may be near where plaintext is allowed', () => {
    const open = policy({ insecurePlaintext: true });
    expect(coordinatorAddress(open, COORDINATOR, 'http://127.0.0.1:8547')).toBe('http://127.0.0.1:8547');
    expect(coordinatorAddress(open, COORDINATOR, 'file:///etc/passwd')).toBeUndefined();
  });
});
