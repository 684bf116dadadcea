import { readFile, stat } from 'node:fs/promises';
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { FedanchorError } from '../shared/errors.ts';

/** Thrown when no password can be had. */
export class KeyPasswordError extends FedanchorError<
  'password/none' | 'password/unreadable-file' | 'password/exposed-file' | 'password/empty'
> {}

/** A terminal that can be asked without showing what is typed. */
export interface Terminal {
  /** What is typed. */
  readonly input: NodeJS.ReadableStream;
  /** Where questions are put. */
  readonly output: NodeJS.WritableStream;
}

/** Where a keystore's password is found. */
export interface PasswordSource {
  /** Environment variables: `FEDANCHOR_KEY_PASSWORD`, `FEDANCHOR_KEY_PASSWORD_FILE`. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Who is asked where the environment says nothing; nobody where there is none. */
  readonly terminal?: Terminal | undefined;
}

/** The process's terminal, if it has one. */
export function processTerminal(): Terminal | undefined {
  return process.stdin.isTTY && process.stderr.isTTY ? { input: process.stdin, output: process.stderr } : undefined;
}

/**
 * Reads the password of a keystore: from `FEDANCHOR_KEY_PASSWORD`, else from the file that `FEDANCHOR_KEY_PASSWORD_FILE`
 * names (its first line), else from a terminal. Never from a flag, which every user of the machine could read.
 *
 * @param purpose - what it is for, such as the keystore's path
 * @throws KeyPasswordError `password/none`, `password/unreadable-file`, `password/exposed-file`, `password/empty`
 */
export async function readKeyPassword(purpose: string, { environment, terminal }: PasswordSource): Promise<string> {
  const given = environment['FEDANCHOR_KEY_PASSWORD'];
  if (given !== undefined) return notEmpty(given, 'FEDANCHOR_KEY_PASSWORD');
  const file = environment['FEDANCHOR_KEY_PASSWORD_FILE'];
  if (file !== undefined && file !== '') return notEmpty(await readPasswordFile(file), file);
  if (terminal !== undefined) return notEmpty(await askHidden(`Password of ${purpose}: `, terminal), 'what was typed');
  throw new KeyPasswordError(
    'password/none',
    `${purpose} needs a password: set FEDANCHOR_KEY_PASSWORD, or FEDANCHOR_KEY_PASSWORD_FILE to a file that only you can read`,
  );
}

async function readPasswordFile(file: string): Promise<string> {
  let text: string;
  let mode: number;
  try {
    text = await readFile(file, 'utf8');
    mode = (await stat(file)).mode;
  } catch (cause) {
    const message = `the password file ${file} cannot be read: check FEDANCHOR_KEY_PASSWORD_FILE`;
    throw new KeyPasswordError('password/unreadable-file', message, { file }, cause);
  }
  if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
    const message = `other users may read the password file ${file}: run "chmod 600 ${file}"`;
    throw new KeyPasswordError('password/exposed-file', message, { file, mode: (mode & 0o777).toString(8) });
  }
  return text.split(/\r?\n/, 1)[0] ?? '';
}

/** Asks a question whose answer is not shown. */
async function askHidden(question: string, { input, output }: Terminal): Promise<string> {
  output.write(question);
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const asking = createInterface({ input, output: nowhere, terminal: true });
  try {
    return await asking.question('');
  } finally {
    asking.close();
    output.write('\n');
  }
}

function notEmpty(password: string, where: string): string {
  if (password !== '') return password;
  throw new KeyPasswordError('password/empty', `the password in ${where} is empty: choose one`, { where });
}
