import { Argument, type Command } from 'commander';
import { readDeployment } from '../../contracts/deploy/deployment-file.ts';
import {
  connectGovernance,
  type Governance,
  type Proposal,
  type ProposalState,
} from '../../contracts/ledger/governance.ts';
import {
  createGovernanceWriter,
  type GovernanceWriter,
  SUPPORT,
  type Support,
} from '../../contracts/ledger/governance-writer.ts';
import { createOutbox } from '../../contracts/outbox/outbox.ts';
import { createMemoryOutboxStore } from '../../contracts/outbox/outbox-store.ts';
import { connectRpc, type Rpc } from '../../contracts/rpc.ts';
import { loadWallet } from '../../contracts/wallet.ts';
import type { Hex } from '../../shared/bytes.ts';
import { parseAddress } from './connect.ts';
import { GovError } from './gov-error.ts';
import { withinLifetime } from './lifetime.ts';
import { type OutputOptions, print, reporting, table } from './output.ts';
import { proposedCalls, type Wishes } from './proposed-calls.ts';

interface GovOptions extends OutputOptions {
  readonly rpc: readonly string[];
  readonly deployment: string;
  readonly keyFile?: string;
}

interface ProposeOptions extends GovOptions, Wishes {
  readonly description: string;
}

interface VoteOptions extends GovOptions {
  readonly reason: string;
}

/** Adds `fedanchor gov …` to the command line. */
export function registerGovCommands(program: Command): void {
  const gov = program.command('gov').description('propose, vote and carry out what the token’s holders decide');
  withGovernance(gov.command('show').description('show the parameters and all proposals, or one'))
    .argument('[proposal]', 'number of a proposal')
    .action((number: string | undefined, options: GovOptions) => reporting(options, () => show(number, options)));
  withKey(gov.command('delegate').description('let your votes count: for yourself, or for whom you name'))
    .option('--to <address>', 'whom you trust with your votes (default: yourself)', parseAddress)
    .action((options: GovOptions & { readonly to?: Hex }) => reporting(options, () => delegate(options)));
  withKey(gov.command('propose').description('propose a change'))
    .requiredOption(
      '--description <text>',
      'what it is for; your address is added, so that nobody can propose it first',
    )
    .option('--set <name=value...>', 'change parameters; those not named stay', [])
    .option('--allow-rule <name...>', 'let registered jobs use a rule', [])
    .option('--forbid-rule <name...>', 'keep new registered jobs from using a rule', [])
    .option('--call <target:data...>', 'any other call, made by the timelock', [])
    .action((options: ProposeOptions) => reporting(options, () => propose(options)));
  withKey(gov.command('vote').description('vote on a proposal'))
    .argument('<proposal>', 'number of the proposal')
    .addArgument(new Argument('<support>', 'how').choices(SUPPORT))
    .option('--reason <text>', 'why: kept on chain', '')
    .action((number: string, support: Support, options: VoteOptions) =>
      reporting(options, () => vote(number, support, options)),
    );
  for (const [name, state, description] of [
    ['queue', 'succeeded', 'let what was voted for wait, as the timelock asks; anyone may'],
    ['execute', 'queued', 'do what was voted for and has waited; anyone may'],
  ] as const) {
    withKey(gov.command(name).description(description))
      .argument('<proposal>', 'number of the proposal')
      .action((number: string, options: GovOptions) =>
        reporting(options, () => carryOut(name, state, number, options)),
      );
  }
}

function withGovernance(command: Command): Command {
  return command
    .requiredOption('--rpc <url...>', 'nodes of the chain, the preferred one first')
    .requiredOption('--deployment <file>', 'deployments/<chainId>.json, as fedanchor deploy wrote it')
    .option('--json', 'print JSON', false);
}

function withKey(command: Command): Command {
  return withGovernance(command).option(
    '--key-file <file>',
    'your key: hexadecimal or an encrypted keystore (or FEDANCHOR_KEY_FILE)',
  );
}

async function open(rpc: Rpc, file: string): Promise<Governance> {
  const { contracts } = await readDeployment(file);
  const [governor, params] = [contracts['FedGovernor'], contracts['Params']];
  if (governor === undefined || params === undefined) {
    throw new GovError(
      'gov/nothing-proposed',
      `${file} names no FedGovernor and Params: let "fedanchor deploy" write it`,
    );
  }
  const fromBlock = governor.blockNumber ?? 0;
  return connectGovernance({ rpc, governor: governor.address, params: params.address, fromBlock });
}

async function withWriter<T>(
  options: GovOptions,
  work: (governance: Governance, writer: GovernanceWriter, account: Hex) => Promise<T>,
): Promise<T> {
  const { rpc: urls, deployment, keyFile } = options;
  const wallet = await loadWallet({ ...(keyFile === undefined ? {} : { keyFile }), environment: process.env });
  return withinLifetime(async (signal) => {
    const rpc = connectRpc({ urls, signal });
    const governance = await open(rpc, deployment);
    const store = createMemoryOutboxStore();
    const outbox = await createOutbox({ rpc, wallet, store, signal, whenEmpty: 'throw' });
    return work(governance, createGovernanceWriter(outbox, governance.addresses), wallet.address);
  });
}

async function show(number: string | undefined, options: GovOptions): Promise<void> {
  const governance = await open(connectRpc({ urls: options.rpc }), options.deployment);
  const { version, values } = await governance.params();
  const asked = number === undefined ? await governance.proposals() : [await find(governance, number)];
  const proposals = await Promise.all(
    asked.map(async (each) => ({ ...each, ...(await governance.standingOf(each.id)) })),
  );
  print(options, plain({ params: { version, ...values }, proposals, now: await governance.now() }), () => [
    `parameters, version ${version}`,
    ...Object.entries(values).map(([name, value]) => `  ${name.padEnd(18)} ${value}`),
    ...proposals.flatMap((each) => ['', `proposal ${each.id}`, ...describe(each)]),
  ]);
}

function describe(proposal: Proposal & Awaited<ReturnType<Governance['standingOf']>>): string[] {
  const { state, votesFor, votesAgainst, abstained, quorum, deadlineBlock, etaS, calls, description } = proposal;
  const when = etaS === 0 ? '' : `, from ${new Date(etaS * 1000).toISOString()} on`;
  return [
    `  ${description}`,
    `  ${state}${state === 'active' || state === 'pending' ? `, voting until block ${deadlineBlock}` : ''}${state === 'queued' ? when : ''}`,
    `  for ${votesFor}, against ${votesAgainst}, abstaining ${abstained}${quorum === undefined ? '' : `, quorum ${quorum}`}`,
    ...table([['  CALLS', ''], ...calls.map(({ target, data }) => [`  ${target}`, data])]),
  ];
}

async function delegate(options: GovOptions & { readonly to?: Hex }): Promise<void> {
  const told = await withWriter(options, async (governance, writer, account) => {
    const to = options.to ?? account;
    const { transactionHash } = await writer.delegate(to, 'now');
    return { account, to, votes: String(await governance.votesOf(to)), transactionHash };
  });
  print(options, told, () => [`${told.to} has ${told.votes} votes in proposals made from now on`]);
}

async function propose(options: ProposeOptions): Promise<void> {
  const told = await withWriter(options, async (governance, writer, account) => {
    const calls = await proposedCalls(governance, options);
    const description = `${options.description} #proposer=${account}`;
    const id = await governance.idOf(calls, description);
    const { transactionHash } = await writer.propose(calls, description);
    const { deadlineBlock } = await governance.standingOf(id);
    return { id: String(id), description, deadlineBlock, transactionHash };
  });
  print(options, told, () => [
    `proposal ${told.id}`,
    `it can be voted on until block ${told.deadlineBlock}: fedanchor gov vote ${told.id} for`,
  ]);
}

async function vote(number: string, support: Support, options: VoteOptions): Promise<void> {
  const told = await withWriter(options, async (governance, writer, account) => {
    const { id } = await requireState(governance, number, 'active');
    const { transactionHash } = await writer.vote(id, support, options.reason);
    return { id, account, support, transactionHash, ...(await governance.standingOf(id)) };
  });
  print(options, plain(told), () => [
    `for ${told.votesFor}, against ${told.votesAgainst}, abstaining ${told.abstained}, quorum ${told.quorum ?? 'unknown'}`,
  ]);
}

async function carryOut(
  name: 'queue' | 'execute',
  state: ProposalState,
  number: string,
  options: GovOptions,
): Promise<void> {
  const told = await withWriter(options, async (governance, writer) => {
    const proposal = await requireState(governance, number, state);
    const { transactionHash } = await writer[name](proposal);
    return { id: proposal.id, transactionHash, ...(await governance.standingOf(proposal.id)) };
  });
  print(options, plain(told), () => [
    told.state === 'queued'
      ? `it waits until ${new Date(told.etaS * 1000).toISOString()}, by the chain's clock`
      : `it is ${told.state}`,
  ]);
}

async function find(governance: Governance, number: string): Promise<Proposal> {
  const proposals = await governance.proposals();
  const found = proposals.find(({ id }) => String(id) === number || `0x${id.toString(16)}` === number.toLowerCase());
  if (found !== undefined) return found;
  const known = proposals.length === 0 ? 'there is none yet' : `there are ${proposals.map(({ id }) => id).join(', ')}`;
  throw new GovError('gov/unknown-proposal', `there is no proposal ${number}: ${known}`, { number });
}

/** A proposal that must stand where it can be dealt with. */
async function requireState(governance: Governance, number: string, state: ProposalState): Promise<Proposal> {
  const proposal = await find(governance, number);
  const [standing, now] = await Promise.all([governance.standingOf(proposal.id), governance.now()]);
  const data = { number, state: standing.state };
  if (standing.state !== state) {
    const at = `block ${now.block}; voting from block ${proposal.snapshotBlock + 1} to ${standing.deadlineBlock}`;
    throw new GovError(
      'gov/wrong-state',
      `the proposal is ${standing.state}, it would have to be ${state} (${at})`,
      data,
    );
  }
  if (state === 'queued' && now.timeS < standing.etaS) {
    const until = new Date(standing.etaS * 1000).toISOString();
    throw new GovError(
      'gov/wrong-state',
      `the proposal waits until ${until}, by the chain's clock: come back then`,
      data,
    );
  }
  return proposal;
}

function plain(document: object): object {
  return JSON.parse(
    JSON.stringify(document, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value)),
  );
}
