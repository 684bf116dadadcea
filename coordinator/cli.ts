import { type Command, InvalidArgumentError } from 'commander';
import { connectRpc } from '../contracts/rpc.ts';
import { loadWallet } from '../contracts/wallet.ts';
import type { Hex } from '../shared/bytes.ts';
import { FedanchorError } from '../shared/errors.ts';
import { usePlatformHashing } from '../shared/runtime/platform-hashing.ts';
import { parseAddress } from './cli/connect.ts';
import { registerDeployCommand } from './cli/deploy-command.ts';
import { registerDoctorCommand } from './cli/doctor-command.ts';
import { registerGovCommands } from './cli/gov-commands.ts';
import { registerJobCommands } from './cli/job-commands.ts';
import { registerKeyCommands } from './cli/key-commands.ts';
import { type OutputOptions, print, reporting } from './cli/output.ts';
import { registerParticipantCommands } from './cli/participant-commands.ts';
import { registerVaultCommands } from './cli/vault-commands.ts';
import { type CoordinatorConfig, loadCoordinatorConfig } from './config/coordinator-config.ts';
import { writeNewConfig } from './config/template.ts';
import { startCoordinator } from './coordinator.ts';
import { createLog } from './create-log.ts';

/** Thrown when a coordinator is not told what it needs. */
export class CoordinatorUsageError extends FedanchorError<'usage/no-rpc'> {}

interface InitOptions extends OutputOptions {
  readonly dir: string;
  readonly rpc: readonly string[];
  readonly keyFile: string;
}

interface RunOptions extends OutputOptions {
  readonly dir: string;
  readonly rpc?: readonly string[];
  readonly keyFile?: string;
  readonly host?: string;
  readonly port?: number;
  readonly operator: readonly Hex[];
  readonly insecurePlaintext: boolean;
  readonly logLevel?: string;
}

/** Adds `fedanchor coordinator …` and everything an operator does to the command line. */
export function registerCoordinatorCommands(program: Command): void {
  const coordinator = program.command('coordinator').description('set up and run the coordinator of jobs');
  coordinator
    .command('init')
    .description("make the coordinator's folder with a commented configuration")
    .option('--dir <folder>', 'folder to make', '.')
    .requiredOption('--rpc <url...>', 'nodes of the chain, the preferred one first')
    .requiredOption('--key-file <file>', "the coordinator's key, as made by fedanchor key create")
    .option('--json', 'print JSON', false)
    .action((options: InitOptions) => reporting(options, () => init(options)));
  coordinator
    .command('run')
    .description('serve the jobs of a folder, from the beginning or from wherever they were')
    .requiredOption('--dir <folder>', "the coordinator's folder")
    .option('--rpc <url...>', 'nodes of the chain, the preferred one first (default: the configuration)')
    .option('--key-file <file>', "the coordinator's key: hexadecimal or an encrypted keystore (or FEDANCHOR_KEY_FILE)")
    .option('--host <address>', 'address to listen on (default: the configuration, or 127.0.0.1)')
    .option('--port <number>', 'port to listen on, 0 for any free one (default: the configuration, or 8547)', parsePort)
    .option('--operator <address...>', 'further addresses that may act as operators', collect, [])
    .option('--insecure-plaintext', 'listen beyond loopback without TLS, for use behind a proxy that adds it', false)
    .option('--log-level <level>', 'trace, debug, info, warn, error or silent (default: the configuration, or info)')
    .option('--json', 'print the address as one line of JSON when listening', false)
    .action(run);
  registerJobCommands(program);
  registerParticipantCommands(program);
  registerVaultCommands(program);
  registerKeyCommands(program);
  registerDoctorCommand(program);
  registerDeployCommand(program);
  registerGovCommands(program);
  for (const name of ['job', 'participant']) {
    program.commands.find((command) => command.name() === name)?.hook('preAction', () => usePlatformHashing());
  }
}

async function init(options: InitOptions): Promise<void> {
  const { dir: folder, rpc: rpcUrls, keyFile } = options;
  const { address } = await loadWallet({ keyFile, environment: process.env });
  const chainId = BigInt((await connectRpc({ urls: rpcUrls }).call('eth_chainId', [])) as string);
  const file = await writeNewConfig({ folder, rpcUrls, chainId, keyFile });
  print(options, { file, coordinator: address, chainId: String(chainId) }, () => [
    `${file} is written: coordinator ${address} on chain ${chainId}`,
    `next: fedanchor doctor --dir ${folder}, fedanchor job create JOB.toml --dir ${folder}, fedanchor coordinator run --dir ${folder}`,
  ]);
}

async function run(options: RunOptions): Promise<void> {
  const { dir, json, ...flags } = options;
  const config = await loadCoordinatorConfig(dir, flags);
  requireChain(config);
  const { keyFile, rpcUrls, chainId, confirmations, maxFeePerGasWei, tls, limits } = config;
  const signer = await loadWallet({ ...(keyFile === undefined ? {} : { keyFile }), environment: process.env });
  const log = createLog(config.logLevel);
  await using coordinator = await startCoordinator({
    ...{ folder: dir, rpcUrl: rpcUrls, signer, operators: config.operators, log },
    ...{ host: config.host, port: config.port, confirmations, metricsAccess: config.metricsAccess },
    ...(chainId === undefined ? {} : { chainId }),
    ...(maxFeePerGasWei === undefined ? {} : { maxFeePerGasWei }),
    network: { tls, allowPlaintext: config.insecurePlaintext, trustedProxies: config.trustedProxies, limits },
  });
  const { url } = coordinator;
  process.stdout.write(json ? `${JSON.stringify({ url })}\n` : `coordinator listening on ${url}\n`);
  const stopSignal = await interrupted();
  log.info({ signal: stopSignal }, 'stopping');
}

function requireChain({ rpcUrls, folder }: CoordinatorConfig): void {
  if (rpcUrls.length > 0) return;
  throw new CoordinatorUsageError(
    'usage/no-rpc',
    `no node of a chain is named: give --rpc, or "rpc" under [chain] in ${folder}/coordinator.toml ("fedanchor coordinator init" writes one)`,
  );
}

/** Resolves at the first request to stop; a second one ends the process at once. */
function interrupted(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve(signal));
  });
}

function collect(text: string, before: readonly Hex[]): Hex[] {
  return [...before, parseAddress(text)];
}

function parsePort(text: string): number {
  const port = Number(text);
  if (/^[0-9]+$/.test(text) && port <= 65_535) return port;
  throw new InvalidArgumentError('expected a port from 0 to 65535');
}
