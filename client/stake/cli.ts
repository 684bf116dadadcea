import { type Command, InvalidArgumentError } from 'commander';
import { connectRpc, type Rpc } from '../../contracts/rpc.ts';
import { loadWallet } from '../../contracts/wallet.ts';
import type { Hex } from '../../shared/bytes.ts';
import { openStakeDesk, type StakeDesk, type StakeView, viewStakes } from './stake-desk.ts';

interface StakeOptions {
  readonly rpc: readonly string[];
  readonly job: Hex;
  readonly keyFile?: string;
  readonly json: boolean;
}

const STOP_SIGNALS = ['SIGINT', 'SIGTERM'] as const;

interface Told {
  readonly document: object;
  readonly lines: readonly string[];
}

/** Adds `fedanchor stake …` to the command line. */
export function registerStakeCommands(program: Command): void {
  const stake = program.command('stake').description('what participants stake, and coordinators put up as a bond');
  withJob(stake.command('show').description("show a job's terms, and what an account has staked, put up and is owed"))
    .option('--account <address>', 'whose (default: that of --key-file)', parseAddress)
    .action((options: StakeOptions & { readonly account?: Hex }) => show(options));
  withAmount(stake.command('add').description('stake tokens of yours, so that you may take part')).action(
    (options: StakeOptions & Amount) =>
      move(options, async (desk, view, account) => {
        const { transactionHash } = await desk.add(options.amount);
        const { amount } = await view.stakes.stakeOf(account);
        return {
          document: { account, staked: String(amount), transactionHash },
          lines: [`${account} has staked ${amount}, and may take part in rounds that open from now on`],
        };
      }),
  );
  withJob(
    stake.command('exit').description('ask for your stake; when it is free, say it again to have it paid'),
  ).action((options: StakeOptions) => move(options, async (desk, _, account) => leaving(account, await desk.leave())));
  withJob(stake.command('withdraw').description('take out what disputes have credited to you')).action(
    (options: StakeOptions) =>
      move(options, async (desk, _, account) => {
        const { amount, receipt } = await desk.withdraw();
        const { transactionHash } = receipt;
        return {
          document: { account, withdrawn: String(amount), transactionHash },
          lines: [`${amount} are paid to ${account}`],
        };
      }),
  );
  const bond = stake.command('bond').description("the coordinator's bond");
  withAmount(bond.command('add').description('put up tokens as the bond that answers for your rounds')).action(
    (options: StakeOptions & Amount) =>
      move(options, async (desk, view, account) => {
        const { transactionHash } = await desk.addBond(options.amount);
        const { amount } = await view.stakes.bondOf(account);
        return {
          document: { account, bond: String(amount), transactionHash },
          lines: [`the bond of ${account} is ${amount}`],
        };
      }),
  );
  withJob(
    bond.command('release').description('ask for the bond after your time in office; say it again to have it paid'),
  ).action((options: StakeOptions) =>
    move(options, async (desk, _, account) => leaving(account, await desk.releaseBond())),
  );
}

interface Amount {
  readonly amount: bigint;
}

function withJob(command: Command): Command {
  return command
    .requiredOption('--rpc <url...>', 'nodes of the chain, the preferred one first')
    .requiredOption('--job <address>', "address of the job's RoundAnchor", parseAddress)
    .option('--key-file <file>', 'your key: hexadecimal or an encrypted keystore (or FEDANCHOR_KEY_FILE)')
    .option('--json', 'print JSON', false);
}

function withAmount(command: Command): Command {
  return withJob(command).requiredOption('--amount <number>', "in the token's smallest unit", parseAmount);
}

async function show(options: StakeOptions & { readonly account?: Hex }): Promise<void> {
  const rpc = connectRpc({ urls: options.rpc });
  const { ledger, stakes } = await viewStakes(rpc, options.job);
  const account = options.account ?? (await walletOf(options)).address;
  const [terms, stake, bond, owed, timeS, totals] = await Promise.all([
    ...([stakes.terms(), stakes.stakeOf(account), stakes.bondOf(account), stakes.owedTo(account)] as const),
    ...([ledger.chainTimeS(), stakes.totals()] as const),
  ]);
  const eligible = await stakes.isEligible(account, timeS);
  const freeAtS = (askedAtS: number) => (askedAtS === 0 ? undefined : askedAtS + terms.exitDelayS);
  const until = (askedAtS: number) => {
    const free = freeAtS(askedAtS);
    return free === undefined ? '' : `, free from ${new Date(free * 1000).toISOString()} on`;
  };
  tell(options, {
    document: {
      ...{ account, eligible, stake: { ...stake, freeAtS: freeAtS(stake.exitRequestedAtS) } },
      ...{ bond: { ...bond, freeAtS: freeAtS(bond.exitRequestedAtS) }, owed, stakes: stakes.address, terms, totals },
    },
    lines: [
      `account  ${account}`,
      `stake    ${stake.amount} of at least ${terms.minStake}${until(stake.exitRequestedAtS)}${eligible ? '' : ' (cannot take part)'}`,
      `bond     ${bond.amount}${until(bond.exitRequestedAtS)}`,
      `owed     ${owed}`,
      `token    ${terms.token}`,
      `leaving takes ${terms.exitDelayS} s; ${totals.stakes} are staked in all, ${totals.bonds} put up as bonds`,
    ],
  });
}

async function move(
  options: StakeOptions,
  work: (desk: StakeDesk, view: StakeView, account: Hex) => Promise<Told>,
): Promise<void> {
  const wallet = await walletOf(options);
  const lifetime = new AbortController();
  const { signal } = lifetime;
  const stop = () => lifetime.abort();
  for (const name of STOP_SIGNALS) process.once(name, stop);
  const rpc: Rpc = connectRpc({ urls: options.rpc, signal });
  try {
    const view = await viewStakes(rpc, options.job);
    tell(options, await work(await openStakeDesk(rpc, view, wallet, signal), view, wallet.address));
  } finally {
    lifetime.abort();
    for (const name of STOP_SIGNALS) process.removeListener(name, stop);
  }
}

function leaving(account: Hex, { step, amount, freeAtS, receipt }: Awaited<ReturnType<StakeDesk['leave']>>): Told {
  const { transactionHash } = receipt;
  const when = new Date(freeAtS * 1000).toISOString();
  return {
    document: { account, step, amount: String(amount), freeAtS, transactionHash },
    lines: [
      step === 'paid'
        ? `${amount} are paid to ${account}`
        : `${account} has asked for ${amount}: say it again from ${when} on, by the chain's clock, to have it paid`,
    ],
  };
}

function walletOf({ keyFile }: StakeOptions) {
  return loadWallet({ ...(keyFile === undefined ? {} : { keyFile }), environment: process.env });
}

function tell({ json }: StakeOptions, { document, lines }: Told): void {
  const plain = (_: string, value: unknown) => (typeof value === 'bigint' ? String(value) : value);
  process.stdout.write(json ? `${JSON.stringify(document, plain, 2)}\n` : lines.map((line) => `${line}\n`).join(''));
}

function parseAmount(text: string): bigint {
  if (/^[1-9][0-9]{0,28}$/.test(text)) return BigInt(text);
  throw new InvalidArgumentError("expected a whole number in the token's smallest unit");
}

function parseAddress(text: string): Hex {
  if (/^0x[0-9a-fA-F]{40}$/.test(text)) return text.toLowerCase() as Hex;
  throw new InvalidArgumentError('expected an address: 0x and 40 hexadecimal digits');
}
