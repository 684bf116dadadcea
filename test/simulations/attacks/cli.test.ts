import { Command } from 'commander';
import { describe, expect, it, vi } from 'vitest';
import { registerListCommands } from '../../../simulations/attacks/cli.ts';

/** What a command prints. */
function print(...args: string[]): string {
  const printed: string[] = [];
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    printed.push(String(text));
    return true;
  });
  const program = new Command();
  registerListCommands(program);
  program.parse(args, { from: 'user' });
  return printed.join('');
}

describe('the lists on the command line', () => {
  it('show attacks as text', () => {
    const text = print('attacks');
    expect(text).toContain('On updates: what is sent is forged\n  SignFlipping (sign-flip, sign-flipping, SF)\n');
    expect(text).toContain('      fraction = 0.5: share of the attackers’ examples');
    expect(text).toContain('takes a positive number up to 1');
  });

  it('show attacks as JSON', () => {
    const entries = JSON.parse(print('attacks', '--json')) as { name: string }[];
    expect(entries.find(({ name }) => name === 'IPM')).toMatchObject({
      kind: 'update',
      knows: 'own',
      parameters: [{ name: 'tau', default: 2, takes: 'a signed number' }],
    });
  });

  it('show partitions as text and as JSON', () => {
    expect(print('partitions')).toContain('  dirichlet (dirichlet_niid, lda)\n');
    const entries = JSON.parse(print('partitions', '--json')) as { name: string }[];
    expect(entries.map(({ name }) => name)).toEqual(['iid', 'dirichlet', 'gamma', 'shards', 'quantity', 'natural']);
  });
});
