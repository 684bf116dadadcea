import { randomBytes } from 'node:crypto';
import { access, mkdir, writeFile } from 'node:fs/promises';
import { isAbsolute, join, relative, resolve } from 'node:path';
import type { Command } from 'commander';
import { processTerminal, readKeyPassword, type Terminal } from '../../contracts/key-password.ts';
import { encryptKey, type KeystoreOptions } from '../../contracts/keystore.ts';
import { createWallet, loadWallet } from '../../contracts/wallet.ts';
import { type Hex, toHex } from '../../shared/bytes.ts';
import { FedanchorError } from '../../shared/errors.ts';
import { CLIENT_CONFIG_FILE } from '../config/client-config.ts';
import { type NewClient, writeNewConfig } from '../config/template.ts';
import { parseAddress } from './parse.ts';

/** Thrown when a client's folder cannot be made. */
export class InitClientError extends FedanchorError<'init/exists' | 'init/mistyped'> {}

/** What a client's folder is made from. */
export interface InitOptions extends Omit<NewClient, 'keyFile'> {
  /** The folder. */
  readonly folder: string;
  /** A key that is there already; left out, one is made. */
  readonly keyFile?: string;
  /** Where a password comes from. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Who is asked for one. */
  readonly terminal?: Terminal | undefined;
  /** How hard a new keystore is to guess. */
  readonly keystore?: KeystoreOptions;
}

/** What was made. */
export interface MadeClient {
  /** The participant, lower case. */
  readonly address: Hex;
  /** The configuration. */
  readonly config: string;
  /** File with its key. */
  readonly keyFile: string;
}

const KEY_FILE = 'key.json';

const PASSWORDS = `
The keystore's password is taken from FEDANCHOR_KEY_PASSWORD, else from the first line of the file that
FEDANCHOR_KEY_PASSWORD_FILE names, else it is asked for, twice. There is no flag for it: other users could read it.`;

/** Adds `init` to `fedanchor client`. */
export function registerInitCommand(client: Command): void {
  client
    .command('init')
    .description('make a folder with an encrypted key and a commented configuration, and print your address')
    .option('--folder <folder>', 'the folder to make', '.')
    .option('--coordinator <url>', 'address of the coordinator')
    .option('--rpc <url...>', 'nodes of the chain, the preferred one first')
    .option('--job <address>', "address of the job's RoundAnchor", parseAddress)
    .option('--vault <address>', "address of the job's RewardVault", parseAddress)
    .option('--data <folder...>', 'where your data is')
    .option('--key-file <file>', 'use this key: none is made')
    .option('--json', 'print JSON', false)
    .addHelpText('after', PASSWORDS)
    .action(async ({ json, ...options }: Omit<InitOptions, 'environment'> & { readonly json: boolean }) => {
      const made = await initClient({ ...options, environment: process.env, terminal: processTerminal() });
      process.stdout.write(json ? `${JSON.stringify(made)}\n` : nextSteps(made));
    });
}

/**
 * Makes a client's folder: a new key in an encrypted keystore, unless one is named, and a configuration. Nothing that is
 * there is replaced.
 *
 * @throws InitClientError `init/exists`, `init/mistyped`; ConfigError `config/exists`; KeyPasswordError; WalletError for a
 *   key that is named
 */
export async function initClient(options: InitOptions): Promise<MadeClient> {
  const { folder, environment, terminal } = options;
  const config = join(folder, CLIENT_CONFIG_FILE);
  const keyFile = options.keyFile ?? join(folder, KEY_FILE);
  const source = { environment, terminal };
  for (const file of options.keyFile === undefined ? [config, keyFile] : [config]) await requireAbsent(file);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const address =
    options.keyFile === undefined
      ? await makeKey(keyFile, source, options.keystore)
      : (await loadWallet({ keyFile, ...source })).address;
  const here = resolve(folder);
  // What was given is meant from where the command runs, what is written from the file's folder.
  const from = (path: string): string => (isAbsolute(path) ? path : relative(here, resolve(path)) || '.');
  await writeNewConfig(config, { ...options, data: options.data?.map(from), keyFile: from(keyFile) });
  return { address, config, keyFile };
}

async function makeKey(
  file: string,
  source: Pick<InitOptions, 'environment' | 'terminal'>,
  options: KeystoreOptions = {},
): Promise<Hex> {
  const password = await readKeyPassword(`the new keystore ${file}`, source);
  // Nobody could open the keystore after a slip.
  const again = await readKeyPassword(`the new keystore ${file}, again`, source);
  if (password !== again) {
    throw new InitClientError('init/mistyped', 'the two passwords differ: nothing was written, try again');
  }
  const key = toHex(randomBytes(32));
  const text = await encryptKey(key, password, options);
  await writeFile(file, `${text}\n`, { flag: 'wx', mode: 0o600 });
  return createWallet(key).address;
}

async function requireAbsent(file: string): Promise<void> {
  const isThere = await access(file).then(
    () => true,
    () => false,
  );
  if (!isThere) return;
  throw new InitClientError('init/exists', `${file} is there already: nothing was written, name another --folder`, {
    file,
  });
}

function nextSteps({ address, config, keyFile }: MadeClient): string {
  return `${address}
  your key is in ${keyFile}: keep a copy of it and of its password, nobody can restore them
  fill in ${config}, and tell the job's operator your address
  look whether all is well:  fedanchor client doctor --config ${config}
  take part:                 fedanchor client run --config ${config}
`;
}
