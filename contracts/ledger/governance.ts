import { id as keccakOfText } from 'ethers';
import type { Hex } from '../../shared/bytes.ts';
import { loadArtifact } from '../artifacts.ts';
import type { ParamsValues } from '../deploy/deploy-chain.ts';
import { quantity, type Rpc, toQuantity } from '../rpc.ts';
import { callView, requireCode } from './call.ts';

/** Where a proposal stands, in the order of OpenZeppelin's ProposalState. */
export const PROPOSAL_STATES = [
  ...(['pending', 'active', 'canceled', 'defeated', 'succeeded', 'queued', 'expired', 'executed'] as const),
] as const;

/** One of the {@link PROPOSAL_STATES}. */
export type ProposalState = (typeof PROPOSAL_STATES)[number];

/** A call that a proposal makes. */
export interface ProposedCall {
  /** The contract, lower case. */
  readonly target: Hex;
  /** Wei sent along. */
  readonly value: bigint;
  /** The call. */
  readonly data: Hex;
}

/** A proposal as it was made. */
export interface Proposal {
  /** Its number: a hash of what it says. */
  readonly id: bigint;
  /** Who made it, lower case. */
  readonly proposer: Hex;
  /** What it does, in order. */
  readonly calls: readonly ProposedCall[];
  /** What it is for. */
  readonly description: string;
  /** The block whose votes count. */
  readonly snapshotBlock: number;
}

/** A proposal as it stands. */
export interface ProposalStanding {
  /** Where it stands. */
  readonly state: ProposalState;
  /** Votes for it, in the token's smallest unit. */
  readonly votesFor: bigint;
  /** Votes against it. */
  readonly votesAgainst: bigint;
  /** Votes that count towards the quorum only. */
  readonly abstained: bigint;
  /** Votes that must be for or abstaining; undefined before the snapshot. */
  readonly quorum: bigint | undefined;
  /** Last block in which to vote. */
  readonly deadlineBlock: number;
  /** When it can be executed, in seconds since 1970; 0 before it is queued. */
  readonly etaS: number;
}

/** The read side of a chain's governance. */
export interface Governance {
  /** Addresses, lower case. */
  readonly addresses: GovernanceAddresses;
  /** Every proposal, oldest first. */
  proposals(): Promise<Proposal[]>;
  /** How a proposal stands. */
  standingOf(id: bigint): Promise<ProposalStanding>;
  /** The parameters in force and the number of their version. */
  params(): Promise<{ readonly version: number; readonly values: ParamsValues }>;
  /** Whether registered jobs may use a rule. */
  isAllowed(rule: string): Promise<boolean>;
  /** What an account's votes are worth now, those delegated to it included. */
  votesOf(account: Hex): Promise<bigint>;
  /** The number that a proposal with these words has. */
  idOf(calls: readonly ProposedCall[], description: string): Promise<bigint>;
  /** The latest block and its time in seconds since 1970. */
  now(): Promise<{ readonly block: number; readonly timeS: number }>;
}

/** Where a chain's governance is. */
export interface GovernanceAddresses {
  /** The FedGovernor. */
  readonly governor: Hex;
  /** The Params. */
  readonly params: Hex;
  /** The token whose votes count. */
  readonly token: Hex;
}

/** How to find a chain's governance. */
export interface GovernanceOptions {
  /** The chain. */
  readonly rpc: Rpc;
  /** Address of the FedGovernor. */
  readonly governor: Hex;
  /** Address of the Params. */
  readonly params: Hex;
  /** First block that can hold a proposal; default 0. */
  readonly fromBlock?: number;
  /** Blocks asked for at once when reading events; default 5,000. */
  readonly logRangeBlocks?: number;
}

/**
 * Connects to a chain's governance for reading.
 *
 * @throws LedgerError `ledger/not-a-contract`, `ledger/unreachable`
 */
export async function connectGovernance(options: GovernanceOptions): Promise<Governance> {
  const { rpc, fromBlock = 0, logRangeBlocks = 5000 } = options;
  const [governor, params] = [lower(options.governor), lower(options.params)];
  const { abi } = loadArtifact('FedGovernor');
  const paramsAbi = loadArtifact('Params').abi;
  await requireCode(rpc, governor, 'governor');
  await requireCode(rpc, params, 'Params');
  const view = async (name: string, ...parameters: unknown[]) => callView(rpc, abi, governor, name, parameters);
  const token = lower((await view('token'))[0]);
  const latest = async () => quantity(await rpc.call('eth_blockNumber', []));
  return {
    addresses: { governor, params, token },
    async proposals() {
      const last = await latest();
      const topic = abi.getEvent('ProposalCreated')?.topicHash;
      const found: Proposal[] = [];
      for (let from = fromBlock; from <= last; from += logRangeBlocks) {
        const range = { fromBlock: toQuantity(from), toBlock: toQuantity(Math.min(last, from + logRangeBlocks - 1)) };
        const logs = (await rpc.call('eth_getLogs', [{ address: governor, topics: [topic], ...range }])) as Log[];
        for (const log of logs) {
          const said = abi.parseLog(log)?.args;
          if (said !== undefined) found.push(proposalFrom(said as unknown as CreatedArguments));
        }
      }
      return found;
    },
    async standingOf(id) {
      const [[state], [against, inFavour, abstained], [deadline], [eta], [snapshot], now] = await Promise.all([
        ...([view('state', id), view('proposalVotes', id), view('proposalDeadline', id)] as const),
        ...([view('proposalEta', id), view('proposalSnapshot', id), latest()] as const),
      ]);
      return {
        state: PROPOSAL_STATES[Number(state)] ?? 'pending',
        ...{ votesFor: inFavour, votesAgainst: against, abstained },
        // A quorum is a part of all votes there were at the snapshot.
        quorum: Number(snapshot) < now ? (await view('quorum', snapshot))[0] : undefined,
        deadlineBlock: Number(deadline),
        etaS: Number(eta),
      };
    },
    async params() {
      const [version, values] = await callView(rpc, paramsAbi, params, 'current');
      return { version: Number(version), values: valuesFrom(values) };
    },
    isAllowed: async (rule) => (await callView(rpc, paramsAbi, params, 'isAllowed', [keccakOfText(rule)]))[0],
    votesOf: async (account) => (await callView(rpc, loadArtifact('FedToken').abi, token, 'getVotes', [account]))[0],
    idOf: async (calls, description) => (await view('getProposalId', ...wordsOf(calls, description)))[0],
    async now() {
      const block = (await rpc.call('eth_getBlockByNumber', ['latest', false])) as { number: Hex; timestamp: Hex };
      return { block: quantity(block.number), timeS: quantity(block.timestamp) };
    },
  };
}

/** What the governor is told of a proposal, in the order of its functions. */
export function wordsOf(calls: readonly ProposedCall[], description: string): readonly unknown[] {
  return [
    calls.map(({ target }) => target),
    calls.map(({ value }) => value),
    calls.map(({ data }) => data),
    keccakOfText(description),
  ];
}

interface Log {
  readonly topics: Hex[];
  readonly data: Hex;
}

interface CreatedArguments {
  readonly proposalId: bigint;
  readonly proposer: string;
  readonly targets: readonly string[];
  readonly 3: readonly bigint[];
  readonly calldatas: readonly Hex[];
  readonly voteStart: bigint;
  readonly description: string;
}

function proposalFrom(said: CreatedArguments): Proposal {
  // `values` is a method of ethers' results: only its place leads to it.
  const calls = [...said.targets].map((target, index) => ({
    ...{ target: lower(target), value: said[3][index] ?? 0n, data: said.calldatas[index] ?? '0x' },
  })) as ProposedCall[];
  return {
    ...{ id: said.proposalId, proposer: lower(said.proposer), calls },
    ...{ description: said.description, snapshotBlock: Number(said.voteStart) },
  };
}

function valuesFrom(said: Readonly<Record<keyof ParamsValues, bigint | boolean>>): ParamsValues {
  return {
    minWindowS: Number(said.minWindowS),
    maxWindowS: Number(said.maxWindowS),
    minAnswerS: Number(said.minAnswerS),
    maxAnswerS: Number(said.maxAnswerS),
    slashCoverBps: Number(said.slashCoverBps),
    challengerBondBps: Number(said.challengerBondBps),
    feeBps: Number(said.feeBps),
    courtRequired: Boolean(said.courtRequired),
    registrationBond: BigInt(said.registrationBond),
  };
}

function lower(address: string): Hex {
  return address.toLowerCase() as Hex;
}
