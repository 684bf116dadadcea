import { type Command, Option } from 'commander';
import { connectLedger } from '../../contracts/ledger/ledger.ts';
import { createLedgerWriter } from '../../contracts/ledger/ledger-writer.ts';
import { createOutbox } from '../../contracts/outbox/outbox.ts';
import { createMemoryOutboxStore } from '../../contracts/outbox/outbox-store.ts';
import { connectRpc } from '../../contracts/rpc.ts';
import { loadWallet, type Signer } from '../../contracts/wallet.ts';
import type { Hex } from '../../shared/bytes.ts';
import { createHttpBlobSource } from '../auditor/http-blob-source.ts';
import {
  type ClientConfig,
  type ClientFlags,
  type JobConfig,
  loadClientConfig,
  vaultOf,
} from '../config/client-config.ts';
import { openCoordinatorSession } from '../transports/coordinator-session.ts';
import { coordinatorEndpoint } from '../transports/endpoint.ts';
import { claimForAll, claimRewards } from './claim.ts';

interface ClaimOptions extends ClientFlags {
  readonly all: boolean;
  readonly json: boolean;
}

interface PayToOptions {
  readonly rpc: readonly string[];
  readonly job: Hex;
  readonly vault: Hex;
  readonly to: Hex;
  readonly keyFile?: string;
  readonly json: boolean;
}

/**
 * Adds `claim` and `pay-to` to a command.
 *
 * @param parent - such as `fedanchor client`
 * @param parseAddress - reads an address
 */
export function registerClaimCommand(parent: Command, parseAddress: (text: string) => Hex): void {
  parent
    .command('claim')
    .description('have what you have earned paid out, as far as rounds are final')
    .addOption(new Option('--config <file>', 'a client.toml that says the rest').env('FEDANCHOR_CLIENT_CONFIG'))
    .option('--coordinator <url>', 'address of the coordinator')
    .option('--rpc <url...>', 'nodes of the chain')
    .option('--job <address>', "address of the job's RoundAnchor", parseAddress)
    .option('--vault <address>', "address of the job's RewardVault", parseAddress)
    .option('--all', 'have everybody paid, many in one transaction, at your cost', false)
    .option('--key-file <file>', 'your key (or FEDANCHOR_KEY_FILE)')
    .option('--insecure-plaintext', 'reach a coordinator beyond this machine without TLS')
    .option('--json', 'print JSON', false)
    .action(claimAll);
  parent
    .command('pay-to')
    .description('have what you earn in a job paid to another account from now on')
    .requiredOption('--to <address>', 'who is paid; yourself, to take it back', parseAddress)
    .requiredOption('--rpc <url...>', 'nodes of the chain')
    .requiredOption('--job <address>', "address of the job's RoundAnchor", parseAddress)
    .requiredOption('--vault <address>', "address of the job's RewardVault", parseAddress)
    .option('--key-file <file>', 'your key (or FEDANCHOR_KEY_FILE)')
    .option('--json', 'print JSON', false)
    .action(payTo);
}

async function payTo(options: PayToOptions): Promise<void> {
  const { rpc: urls, job: anchor, vault, to, keyFile, json } = options;
  const wallet = await loadWallet({ ...(keyFile === undefined ? {} : { keyFile }), environment: process.env });
  const rpc = connectRpc({ urls });
  const ledger = await connectLedger({ rpc, anchor, vault });
  const { token } = await ledger.vaultFacts();
  const lifetime = new AbortController();
  const outbox = await createOutbox({
    ...{ rpc, wallet, store: createMemoryOutboxStore(), whenEmpty: 'throw', signal: lifetime.signal },
  });
  try {
    const { transactionHash } = await createLedgerWriter(outbox, { anchor, vault, token }).setClaimer(to, 'now');
    const [account, claimer] = [wallet.address, await ledger.claimerOf(wallet.address)];
    const told = { account, claimer, transactionHash };
    const words = `what ${account} earns in this job is paid to ${claimer} from now on`;
    process.stdout.write(`${json ? JSON.stringify(told) : words}\n`);
  } finally {
    lifetime.abort();
  }
}

/** Claims in the one job that is named, or in each that the configuration lists. */
async function claimAll(options: ClaimOptions): Promise<void> {
  // Neither data nor a state folder is touched.
  const config = await loadClientConfig({ ...options, data: [], state: '' }, 0);
  const { keyFile } = config;
  const wallet = await loadWallet({ ...(keyFile === undefined ? {} : { keyFile }), environment: process.env });
  for (const job of config.jobs) await claim(config, job, wallet, options);
}

async function claim(
  config: ClientConfig,
  job: JobConfig,
  wallet: Signer,
  { all, json }: Pick<ClaimOptions, 'all' | 'json'>,
): Promise<void> {
  const { job: anchor } = job;
  const vault = vaultOf(job, config.file);
  const url = coordinatorEndpoint(job.coordinator, config.insecurePlaintext);
  const urls = config.rpcUrls;
  const rpc = connectRpc({ urls });
  const ledger = await connectLedger({ rpc, anchor, vault });
  const { chainId, coordinator, manifestHash } = await ledger.facts();
  const { token } = await ledger.vaultFacts();
  const lifetime = new AbortController();
  const outbox = await createOutbox({
    ...{ rpc, wallet, store: createMemoryOutboxStore(), whenEmpty: 'throw', signal: lifetime.signal },
  });
  // Its token opens the job's documents, whomever the job discloses them to.
  const counterpart = { chainId, anchor, job: manifestHash, coordinator };
  const session = await openCoordinatorSession(url, config.insecurePlaintext, wallet, counterpart);
  try {
    const writer = createLedgerWriter(outbox, { anchor, vault, token });
    const blobs = createHttpBlobSource({ url, job: manifestHash, token: session.token });
    if (all) {
      const { round, accounts, paid } = await claimForAll(ledger, writer, blobs);
      const words = `${paid} of token ${token} paid now to ${accounts.length} accounts, for rounds 1 to ${round}`;
      process.stdout.write(`${json ? JSON.stringify({ round, accounts, paid: String(paid), token }) : words}\n`);
      return;
    }
    const { round, earned, before, claimed } = await claimRewards(ledger, writer, blobs, wallet.address);
    const told = { round, account: wallet.address, earned: String(earned), claimed: String(claimed), token };
    const paid = claimed - before;
    const words = `${wallet.address}: ${paid} of token ${token} paid now, ${claimed} in all, for rounds 1 to ${round}`;
    process.stdout.write(`${json ? JSON.stringify({ ...told, paid: String(paid) }) : words}\n`);
  } finally {
    lifetime.abort();
    session.close();
  }
}
