import { expect, it } from 'vitest';
import { createLog } from '../../coordinator/create-log.ts';

it('secrets are taken out of every line by their names', () => {
  const lines: string[] = [];
  const log = createLog('info', { write: (line) => void lines.push(line) });
  const secret = 'do-not-tell';
  log.info({ token: secret, wallet: { privateKey: secret }, request: { headers: { authorization: secret } } }, 'began');
  log.debug({ fine: 'not said at this level' }, 'no');
  expect(lines).toHaveLength(1);
  expect(lines[0]).not.toContain(secret);
  expect(JSON.parse(lines[0] as string)).toMatchObject({ msg: 'began', token: '[redacted]' });
});
