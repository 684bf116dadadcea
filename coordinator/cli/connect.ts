import { access } from 'node:fs/promises';
import { type Command, InvalidArgumentError } from 'commander';
import { loadWallet, type Signer } from '../../contracts/wallet.ts';
import type { Hex } from '../../shared/bytes.ts';
import { FedanchorError } from '../../shared/errors.ts';
import type { JobSummary } from '../../shared/protocol/messages.ts';
import { loadCoordinatorConfig } from '../config/coordinator-config.ts';
import { readEndpoint } from '../operator/endpoint-file.ts';
import { findAmong } from '../operator/find-job.ts';
import { type OperatorClient, type OperatorTarget, openOperatorClient } from '../operator/operator-client.ts';
import type { OutputOptions } from './output.ts';

/** Thrown when a command does not say what it is about. */
export class OperatorUsageError extends FedanchorError<
  'usage/plaintext-beyond-loopback' | 'usage/no-folder' | 'usage/watch-interrupted'
> {}

/** How a command's help explains which jobs it takes. */
export const ASKED = "the job's identifier or its beginning, its anchor's address, or its name";

/** Options of every command that speaks to a running coordinator. */
export interface ConnectOptions extends OutputOptions {
  /** The coordinator's folder. */
  readonly dir: string;
  /** Its address, where its folder is elsewhere. */
  readonly url?: string;
  /** Its account. */
  readonly coordinator?: Hex;
  /** The operator's key. */
  readonly keyFile?: string;
  /** Whether plaintext may leave this machine. */
  readonly insecurePlaintext: boolean;
}

/** Gives a command the options that lead to a running coordinator. */
export function withConnection(command: Command): Command {
  return command
    .option('--dir <folder>', "the coordinator's folder", '.')
    .option('--url <url>', "the coordinator's address, where its folder is on another machine")
    .option('--coordinator <address>', "with --url: the coordinator's account (default: your own)", parseAddress)
    .option('--key-file <file>', "an operator's key (default: the coordinator's own, or FEDANCHOR_KEY_FILE)")
    .option('--insecure-plaintext', 'with --url: reach a coordinator beyond this machine without TLS', false)
    .option('--json', 'print JSON', false);
}

/**
 * Speaks to the running coordinator that the options name, and ends the session afterwards.
 *
 * @throws EndpointError, OperatorClientError, OperatorRefusal, WalletError, ConfigError
 */
export async function withOperator<T>(
  options: ConnectOptions,
  work: (client: OperatorClient) => Promise<T>,
): Promise<T> {
  const signer = await operatorKey(options);
  const client = await openOperatorClient(await targetOf(options, signer), signer);
  try {
    return await work(client);
  } finally {
    client.close();
  }
}

async function operatorKey({ dir, keyFile }: ConnectOptions): Promise<Signer> {
  const found = keyFile ?? process.env['FEDANCHOR_KEY_FILE'] ?? (await loadCoordinatorConfig(dir)).keyFile;
  return loadWallet({ ...(found === undefined ? {} : { keyFile: found }), environment: process.env });
}

async function targetOf({ dir, url, coordinator, insecurePlaintext }: ConnectOptions, signer: Signer) {
  if (url === undefined) {
    await requireFolder(dir);
    const endpoint = await readEndpoint(dir);
    const target: OperatorTarget = { ...endpoint, chainId: BigInt(endpoint.chainId) };
    return target;
  }
  const { protocol, hostname } = new URL(url);
  if (protocol === 'http:' && !/^(localhost|127(\.[0-9]+){3}|\[::1\])$/.test(hostname) && !insecurePlaintext) {
    throw new OperatorUsageError(
      'usage/plaintext-beyond-loopback',
      `${url} is reached without encryption: use https, or say --insecure-plaintext`,
    );
  }
  return { url, coordinator: coordinator ?? signer.address };
}

/**
 * Holds a coordinator's folder to being there.
 *
 * @throws OperatorUsageError `usage/no-folder`
 */
export async function requireFolder(dir: string): Promise<void> {
  try {
    await access(dir);
  } catch {
    throw new OperatorUsageError('usage/no-folder', `there is no folder ${dir}: name the coordinator's with --dir`);
  }
}

/**
 * Finds one of the running coordinator's jobs by what `findAmong` takes.
 *
 * @throws FindJobError
 */
export async function findJob(client: OperatorClient, asked: string): Promise<JobSummary> {
  return findAmong((await client.request('operator.jobs', { which: 'all' })).jobs, asked);
}

/** Reads an address from the command line. */
export function parseAddress(text: string): Hex {
  if (/^0x[0-9a-fA-F]{40}$/.test(text)) return text.toLowerCase() as Hex;
  throw new InvalidArgumentError('expected an address: 0x and 40 hexadecimal digits');
}
