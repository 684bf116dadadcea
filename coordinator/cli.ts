import { type Command, InvalidArgumentError } from 'commander';
import { pino } from 'pino';
import { loadWallet } from '../contracts/wallet.ts';
import type { Hex } from '../shared/bytes.ts';
import { FedanchorError } from '../shared/errors.ts';
import { startCoordinator } from './coordinator.ts';

/** Thrown for options that contradict each other. */
export class CoordinatorUsageError extends FedanchorError<'usage/plaintext-beyond-loopback'> {}

interface RunOptions {
  readonly dir: string;
  readonly rpc: string;
  readonly keyFile?: string;
  readonly host: string;
  readonly port: number;
  readonly operator: readonly Hex[];
  readonly insecurePlaintext: boolean;
  readonly logLevel: string;
  readonly json: boolean;
}

/** Adds `fedanchor coordinator …` to the command line. */
export function registerCoordinatorCommands(program: Command): void {
  const coordinator = program.command('coordinator').description('run the coordinator of a job');
  coordinator
    .command('run')
    .description('serve a job from its folder, from the beginning or from wherever it was')
    .requiredOption('--dir <folder>', 'folder of the job')
    .requiredOption('--rpc <url>', 'node of the chain that the job is anchored on')
    .option('--key-file <file>', "the coordinator's key: hexadecimal or an encrypted keystore (or FEDANCHOR_KEY_FILE)")
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--port <number>', 'port to listen on, 0 for any free one', parsePort, 8547)
    .option('--operator <address...>', 'further addresses that may watch as operators', [])
    .option('--insecure-plaintext', 'listen beyond loopback without TLS, for use behind a proxy that adds it', false)
    .option('--log-level <level>', 'trace, debug, info, warn, error or silent', 'info')
    .option('--json', 'print the address as one line of JSON when listening', false)
    .action(run);
}

async function run(options: RunOptions): Promise<void> {
  if (!isLoopback(options.host) && !options.insecurePlaintext) {
    throw new CoordinatorUsageError(
      'usage/plaintext-beyond-loopback',
      `--host ${options.host} would serve plaintext beyond this machine: put a TLS proxy in front and say --insecure-plaintext`,
    );
  }
  const signer = await loadWallet({
    ...(options.keyFile === undefined ? {} : { keyFile: options.keyFile }),
    environment: process.env,
  });
  const log = pino({ name: 'coordinator', level: options.logLevel }, pino.destination({ dest: 2, sync: true }));
  await using coordinator = await startCoordinator({
    folder: options.dir,
    rpcUrl: options.rpc,
    signer,
    operators: options.operator.map((address) => address.toLowerCase() as Hex),
    host: options.host,
    port: options.port,
    log,
  });
  const { url } = coordinator;
  process.stdout.write(options.json ? `${JSON.stringify({ url })}\n` : `coordinator listening on ${url}\n`);
  const stopSignal = await interrupted();
  log.info({ signal: stopSignal }, 'stopping');
}

/** Resolves at the first request to stop; a second one ends the process at once. */
function interrupted(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve(signal));
  });
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
}

function parsePort(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new InvalidArgumentError('expected a port from 0 to 65535');
}
