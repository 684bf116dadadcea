import { setTimeout as delay } from 'node:timers/promises';
import { type Command, Option } from 'commander';
import { connectLedger } from '../../contracts/ledger/ledger.ts';
import { connectRpc } from '../../contracts/rpc.ts';
import type { Signer } from '../../contracts/wallet.ts';
import type { Hex } from '../../shared/bytes.ts';
import { fetchDocument } from '../auditor/fetch-document.ts';
import { createHttpBlobSource } from '../auditor/http-blob-source.ts';
import { plainText } from '../cli-log.ts';
import {
  type ClientConfig,
  type ClientFlags,
  type JobConfig,
  loadClientConfig,
  vaultOf,
} from '../config/client-config.ts';
import { epsilonOf } from '../privacy/accountant.ts';
import { createPrivacyLedger } from '../privacy/privacy-ledger.ts';
import { type ClientView, describeStatus, type EarnedView } from '../status/describe-status.ts';
import { readViews } from '../status/read-views.ts';
import { openCoordinatorSession } from '../transports/coordinator-session.ts';
import { loadSigner } from './signer.ts';

interface StatusFlags extends Pick<ClientFlags, 'config' | 'state' | 'keyFile'> {
  readonly rewards: boolean;
  readonly watch: boolean;
  readonly json: boolean;
}

/** Pause between two looks of `--watch`, in milliseconds. */
const LOOK_MS = 1000;

/** Adds `status` to `fedanchor client`. */
export function registerStatusCommand(client: Command): void {
  client
    .command('status')
    .description('show how the clients of a state folder are doing, whether they run or not')
    .addOption(new Option('--config <file>', 'a client.toml').env('FEDANCHOR_CLIENT_CONFIG'))
    .addOption(new Option('--state <folder>', 'the state folder, without a client.toml').env('FEDANCHOR_STATE'))
    .option('--rewards', 'ask chain and coordinator what was earned: needs --config, and your key', false)
    .option('--key-file <file>', 'your key, for --rewards')
    .option('--watch', 'look again every second', false)
    .option('--json', 'print JSON, one document for each look', false)
    .action(status);
}

async function status(flags: StatusFlags): Promise<void> {
  // Any job will do where no file names one: this looks at whatever the folder holds.
  const without = {
    coordinator: 'http://127.0.0.1',
    rpc: ['http://127.0.0.1'],
    job: `0x${'0'.repeat(40)}` as Hex,
    data: [],
  };
  const config = await loadClientConfig({ ...(flags.config === undefined ? without : { data: [] }), ...flags }, 0);
  const signer = flags.rewards ? await loadSigner(config.keyFile) : undefined;
  do {
    const views = await Promise.all((await readViews(config.state)).map((view) => complete(view, config, signer)));
    print(views, flags);
    if (flags.watch) await delay(LOOK_MS);
  } while (flags.watch);
}

function print(views: readonly ClientView[], { json, watch }: StatusFlags): void {
  if (json) {
    const plain = (_: string, value: unknown) => (typeof value === 'bigint' ? String(value) : value);
    process.stdout.write(`${JSON.stringify({ clients: views }, plain, watch ? 0 : 2)}\n`);
    return;
  }
  const lines =
    views.length === 0
      ? ['no client has run with this state folder']
      : views.flatMap((view) => [...describeStatus(view), '']);
  if (watch && process.stdout.isTTY) process.stdout.write('\x1b[H\x1b[2J');
  process.stdout.write(lines.map((line) => `${plainText(line)}\n`).join(''));
}

async function complete(view: ClientView, config: ClientConfig, signer: Signer | undefined): Promise<ClientView> {
  const { anchor, participant } = view.status;
  const job = config.jobs.find((each) => each.job === anchor);
  const { privacy } = config;
  const isOwn = signer !== undefined && job !== undefined && signer.address === participant;
  return {
    ...view,
    ...(privacy && {
      privacy: {
        epsilon: epsilonOf(await createPrivacyLedger(config.state).spent(), privacy.delta),
        delta: privacy.delta,
        budget: privacy.epsilon,
      },
    }),
    ...(isOwn && { rewards: await rewardsOf(job, config, signer) }),
  };
}

/** What an account has earned by the latest record, by the latest that is final, and what of it was paid. */
async function rewardsOf(job: JobConfig, config: ClientConfig, signer: Signer): Promise<EarnedView> {
  const { job: anchor, coordinator: address } = job;
  const ledger = await connectLedger({
    ...{ rpc: connectRpc({ urls: config.rpcUrls }), anchor, vault: vaultOf(job, config.file) },
  });
  const { chainId, coordinator, manifestHash } = await ledger.facts();
  const records = (await ledger.records()).map(({ record }) => record);
  const paid = await ledger.claimed(signer.address);
  const counterpart = { chainId, anchor, job: manifestHash, coordinator };
  const session = await openCoordinatorSession(address, config.insecurePlaintext, signer, counterpart);
  try {
    const blobs = createHttpBlobSource({ url: session.url, job: manifestHash, token: session.token });
    const earnedBy = async (record: (typeof records)[number] | undefined): Promise<bigint> => {
      if (record === undefined) return 0n;
      const { rewards } = await fetchDocument(blobs, record.location);
      return rewards.find(({ account }) => account === signer.address)?.cumulative ?? 0n;
    };
    const finals = await Promise.all(records.map((record) => ledger.isFinal(record)));
    return {
      earned: await earnedBy(records.at(-1)),
      claimable: await earnedBy(records[finals.lastIndexOf(true)]),
      paid,
    };
  } finally {
    session.close();
  }
}
