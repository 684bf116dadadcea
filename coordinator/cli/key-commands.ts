import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Command } from 'commander';
import { createWallet, loadWallet } from '../../contracts/wallet.ts';
import { toHex } from '../../shared/bytes.ts';
import { FedanchorError } from '../../shared/errors.ts';
import { type OutputOptions, print, reporting } from './output.ts';

/** Thrown when a key would be written over another. */
export class KeyFileError extends FedanchorError<'key/exists'> {}

/** Adds `fedanchor key …` to the command line. */
export function registerKeyCommands(program: Command): void {
  const key = program.command('key').description('make a key and see whose it is');
  key
    .command('create')
    .description('write a new key into a file that only you can read, and print its address')
    .argument('<file>', 'file to write; one that exists is left alone')
    .option('--json', 'print JSON', false)
    .action((file: string, options: OutputOptions) => reporting(options, () => create(file, options)));
  key
    .command('show')
    .description("print a key's address")
    .argument('<file>', 'hexadecimal or an encrypted keystore (FEDANCHOR_KEY_PASSWORD)')
    .option('--json', 'print JSON', false)
    .action((file: string, options: OutputOptions) =>
      reporting(options, async () => {
        const { address } = await loadWallet({ keyFile: file, environment: process.env });
        print(options, { address }, () => [address]);
      }),
    );
}

async function create(file: string, options: OutputOptions): Promise<void> {
  const key = toHex(randomBytes(32));
  const { address } = createWallet(key);
  await mkdir(dirname(file), { recursive: true });
  try {
    await writeFile(file, `${key}\n`, { flag: 'wx', mode: 0o600 });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause;
    throw new KeyFileError('key/exists', `${file} is there already: name another file`, { file });
  }
  print(options, { address, file }, () => [address]);
}
