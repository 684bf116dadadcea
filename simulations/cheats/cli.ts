import { type Command, Option } from 'commander';
import { loadWallet } from '../../contracts/wallet.ts';
import { startCoordinator } from '../../coordinator/coordinator.ts';
import { usePlatformHashing } from '../../shared/runtime/platform-hashing.ts';
import { CHEATS, cheatNamed, createLyingRoundFunction } from './cheats.ts';
import { openWithholdingFront, type WithholdingFront } from './withholding-front.ts';

interface CheatingFlags {
  readonly cheat: string;
  readonly round: number;
  readonly dir: string;
  readonly rpc: string;
  readonly keyFile: string;
  readonly port: number;
}

/** Adds the hidden `fedanchor cheating-coordinator run`: a coordinator that is the product's own but for one lie. */
export function registerCheatCommands(
  program: Command,
  wholeNumber: (least: number, most: number) => (text: string) => number,
): void {
  program
    .command('cheating-coordinator', { hidden: true })
    .description('serve jobs as a coordinator that lies about one round')
    .command('run')
    .addOption(cheatOption().makeOptionMandatory())
    .option('--round <n>', 'the round to lie about', wholeNumber(1, 10_000), 2)
    .requiredOption('--dir <folder>', "the coordinator's folder")
    .requiredOption('--rpc <url>', 'node of the chain')
    .requiredOption('--key-file <file>', "the coordinator's key")
    .option('--port <number>', 'port to listen on, 0 for any free one', wholeNumber(0, 65_535), 0)
    .option('--json', 'print the address as one line of JSON', true)
    .action(run);
}

/** `--cheat` with what there is to choose from. */
export function cheatOption(): Option {
  const help = CHEATS.map(({ name, summary }) => `${name}: ${summary}`).join('; ');
  return new Option('--cheat <name>', `what the coordinator lies about; ${help}`).choices(
    CHEATS.map(({ name }) => name),
  );
}

/** One JSON document a line, on standard error. */
const LOG = {
  info: (fields: object, message: string): void => tell('info', fields, message),
  warn: (fields: object, message: string): void => tell('warn', fields, message),
  error: (fields: object, message: string): void => tell('error', fields, message),
};

function tell(level: string, fields: object, message: string): void {
  process.stderr.write(`${JSON.stringify({ level, ...fields, message })}\n`);
}

async function run({ cheat: name, round, dir, rpc, keyFile, port }: CheatingFlags): Promise<void> {
  usePlatformHashing();
  const cheat = cheatNamed(name);
  const signer = await loadWallet({ keyFile, environment: process.env });
  const withholds = cheat.shownBy === 'withheld';
  let front: WithholdingFront | undefined;
  const onLie = (updateRoot: string): void => front?.withhold(updateRoot);
  await using coordinator = await startCoordinator({
    ...{ folder: dir, rpcUrl: rpc, signer, operators: [], host: '127.0.0.1', log: LOG },
    port: withholds ? 0 : port,
    roundFunction: createLyingRoundFunction(cheat, { round, onLie }),
  });
  front = withholds ? await openWithholdingFront(coordinator.url, port) : undefined;
  process.stdout.write(`${JSON.stringify({ url: front?.url ?? coordinator.url })}\n`);
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
  await front?.close();
}
