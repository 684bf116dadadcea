import { Command } from 'commander';
import { vi } from 'vitest';

/** Runs a command line as its user would, and returns what it prints. */
export async function runCommand(register: (program: Command) => void, words: readonly string[]): Promise<string> {
  const printed: string[] = [];
  const spy = vi.spyOn(process.stdout, 'write').mockImplementation((text) => printed.push(String(text)) > 0);
  try {
    const program = new Command().exitOverride().configureOutput({ writeErr: () => undefined });
    register(program);
    await program.parseAsync([...words], { from: 'user' });
  } finally {
    spy.mockRestore();
  }
  return printed.join('');
}
