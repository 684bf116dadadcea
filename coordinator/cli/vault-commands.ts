import { type Command, InvalidArgumentError } from 'commander';
import { connectLedger } from '../../contracts/ledger/ledger.ts';
import { createLedgerWriter } from '../../contracts/ledger/ledger-writer.ts';
import { createOutbox } from '../../contracts/outbox/outbox.ts';
import { createMemoryOutboxStore } from '../../contracts/outbox/outbox-store.ts';
import { connectRpc } from '../../contracts/rpc.ts';
import { loadWallet } from '../../contracts/wallet.ts';
import type { Hex } from '../../shared/bytes.ts';
import { parseAddress } from './connect.ts';
import { type OutputOptions, print, reporting } from './output.ts';

interface FundOptions extends OutputOptions {
  readonly rpc: readonly string[];
  readonly job: Hex;
  readonly vault: Hex;
  readonly amount: bigint;
  readonly keyFile?: string;
}

/** Adds `fedanchor vault fund`, and the same as `fedanchor job fund`, to the command line. */
export function registerVaultCommands(program: Command): void {
  registerFund(program.command('vault').description("put rewards into a job's vault"));
  const job = program.commands.find((command) => command.name() === 'job');
  if (job !== undefined) registerFund(job);
}

function registerFund(parent: Command): void {
  parent
    .command('fund')
    .description('put tokens of yours into the vault, to be paid out by the anchored rounds or refunded')
    .requiredOption('--rpc <url...>', 'nodes of the chain')
    .requiredOption('--job <address>', "address of the job's RoundAnchor", parseAddress)
    .requiredOption('--vault <address>', "address of the job's RewardVault", parseAddress)
    .requiredOption('--amount <number>', "in the token's smallest unit", parseAmount)
    .option('--key-file <file>', "the sponsor's key (or FEDANCHOR_KEY_FILE)")
    .option('--json', 'print JSON', false)
    .action((options: FundOptions) => reporting(options, () => fund(options)));
}

async function fund(options: FundOptions): Promise<void> {
  const { rpc: urls, job: anchor, vault, amount, keyFile } = options;
  const wallet = await loadWallet({ ...(keyFile === undefined ? {} : { keyFile }), environment: process.env });
  const lifetime = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => lifetime.abort());
  const { signal } = lifetime;
  const rpc = connectRpc({ urls, signal });
  const ledger = await connectLedger({ rpc, anchor, vault });
  const { token } = await ledger.vaultFacts();
  const store = createMemoryOutboxStore();
  const outbox = await createOutbox({ rpc, wallet, store, signal, whenEmpty: 'throw' });
  const writer = createLedgerWriter(outbox, { anchor, vault, token });
  await writer.approve(amount, 'fund');
  const { transactionHash } = await writer.fund(amount, 'fund');
  const holds = await ledger.balanceOf(vault);
  print(options, { vault, token, amount: String(amount), holds: String(holds), transactionHash }, () => [
    `${amount} of token ${token} are in the vault ${vault}, which holds ${holds} now`,
  ]);
}

function parseAmount(text: string): bigint {
  if (/^[1-9][0-9]{0,37}$/.test(text)) return BigInt(text);
  throw new InvalidArgumentError("expected a whole number in the token's smallest unit");
}
