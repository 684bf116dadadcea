import { Command } from 'commander';
import { describe, expect, it, vi } from 'vitest';
import { registerPrivacyCommand } from '../../../client/privacy/cli.ts';

async function run(...words: string[]): Promise<string> {
  const written: string[] = [];
  const spy = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    written.push(String(text));
    return true;
  });
  try {
    const program = new Command();
    registerPrivacyCommand(program);
    for (const command of [program, ...program.commands])
      command.exitOverride().configureOutput({ writeErr: () => {} });
    await program.parseAsync(['privacy', ...words], { from: 'user' });
  } finally {
    spy.mockRestore();
  }
  return written.join('');
}

describe('fedanchor client privacy', () => {
  it('tells the noise of a budget, which costs no more than it, and the cost of a noise', async () => {
    const budget = ['--updates', '20', '--delta', '1e-5'];
    const { noise, epsilon } = JSON.parse(await run(...budget, '--epsilon', '8', '--json'));
    expect(epsilon).toBeLessThanOrEqual(8);
    expect(epsilon).toBeGreaterThan(7.99);
    expect(JSON.parse(await run(...budget, '--noise', String(noise), '--json'))).toMatchObject({ noise, epsilon });
    // One Gaussian of twice its sensitivity, which is twice the clip: rho = 1/8.
    expect(await run('--updates', '1', '--delta', '1e-6', '--noise', '4')).toBe(
      'noise 4 times the clip: epsilon 2.4191 at delta 0.000001 for 1 updates\n',
    );
  });

  it.each([[[]], [['--noise', '1', '--epsilon', '1']], [['--noise', '0']], [['--epsilon', 'much']]])(
    'refuses %j',
    async (words) => {
      await expect(run('--updates', '1', '--delta', '0.1', ...words)).rejects.toThrow();
    },
  );
});
