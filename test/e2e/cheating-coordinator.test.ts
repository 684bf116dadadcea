import { describe, expect, it } from 'vitest';
import { describeCheat } from './describe-cheat.ts';
import { run } from './fedanchor-process.ts';

describe('fedanchor watch and challenge', () => {
  const anchor = `0x${'11'.repeat(20)}`;
  const nowhere = ['--rpc', 'http://127.0.0.1:1', '--job', anchor, '--coordinator', 'http://127.0.0.1:2'];

  it('end with 2 and a sentence where nothing can be watched', async () => {
    const { code, stdout, stderr } = await run(['watch', ...nowhere, '--dry-run', '--json']);
    expect(code).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({ event: 'failed', code: 'ledger/unreachable' });
    expect(stderr).toContain('[ledger/unreachable]');
  });

  it('end with 2 where they are asked wrongly', async () => {
    expect((await run(['watch', '--rpc', 'http://127.0.0.1:1'])).code).toBe(2);
    for (const subjects of [[], ['--coordinate', '3', '--scores'], ['--gram', '3']]) {
      expect((await run(['challenge', ...nowhere, '--round', '1', ...subjects])).code).toBe(2);
    }
  });
});

describeCheat('coordinate', 'TrMean');
