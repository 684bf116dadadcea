import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Command } from 'commander';
import { processTerminal, readKeyPassword } from '../../contracts/key-password.ts';
import { encryptKey } from '../../contracts/keystore.ts';
import { createWallet, loadWallet } from '../../contracts/wallet.ts';
import { toHex } from '../../shared/bytes.ts';
import { FedanchorError } from '../../shared/errors.ts';
import { type OutputOptions, print, reporting } from './output.ts';

/** Thrown when a key cannot be written. */
export class KeyFileError extends FedanchorError<'key/exists' | 'key/mistyped'> {}

interface CreateOptions extends OutputOptions {
  readonly encrypt: boolean;
}

const PASSWORDS = `
A keystore's password is taken from FEDANCHOR_KEY_PASSWORD, else from the first line of the file that
FEDANCHOR_KEY_PASSWORD_FILE names, else it is asked for. There is no flag for it: other users could read it.`;

/** Adds `fedanchor key …` to the command line. */
export function registerKeyCommands(program: Command): void {
  const key = program.command('key').description('make a key and see whose it is');
  key
    .command('create')
    .description('write a new key into a file that only you can read, and print its address')
    .argument('<file>', 'file to write; one that exists is left alone')
    .option('--encrypt', 'as a keystore with a password (FEDANCHOR_KEY_PASSWORD, a file, or typed)', false)
    .option('--json', 'print JSON', false)
    .addHelpText('after', PASSWORDS)
    .action((file: string, options: CreateOptions) => reporting(options, () => create(file, options)));
  key
    .command('show')
    .description("print a key's address")
    .argument('<file>', 'hexadecimal or an encrypted keystore')
    .addHelpText('after', PASSWORDS)
    .option('--json', 'print JSON', false)
    .action((file: string, options: OutputOptions) =>
      reporting(options, async () => {
        const { address } = await loadWallet({ keyFile: file, environment: process.env });
        print(options, { address }, () => [address]);
      }),
    );
}

async function create(file: string, options: CreateOptions): Promise<void> {
  const key = toHex(randomBytes(32));
  const { address } = createWallet(key);
  const text = options.encrypt ? await encryptKey(key, await newPassword(file)) : key;
  await mkdir(dirname(file), { recursive: true });
  try {
    await writeFile(file, `${text}\n`, { flag: 'wx', mode: 0o600 });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause;
    throw new KeyFileError('key/exists', `${file} is there already: name another file`, { file });
  }
  print(options, { address, file }, () => [address]);
}

/** Asked for twice where it is typed: nobody could open the keystore after a slip. */
async function newPassword(file: string): Promise<string> {
  const source = { environment: process.env, terminal: processTerminal() };
  const password = await readKeyPassword(`the new keystore ${file}`, source);
  const again = await readKeyPassword(`the new keystore ${file}, again`, source);
  if (password === again) return password;
  throw new KeyFileError('key/mistyped', 'the two passwords differ: nothing was written, try again');
}
