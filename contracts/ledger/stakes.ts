import type { Hex } from '../../shared/bytes.ts';
import type { UpdateStatement } from '../../shared/commitments/contribution.ts';
import { loadArtifact } from '../artifacts.ts';
import type { Outbox } from '../outbox/outbox.ts';
import type { ReceiptSummary } from '../outbox/outbox-store.ts';
import type { Rpc } from '../rpc.ts';
import { callView, requireCode } from './call.ts';
import { isLedgerError, LedgerError } from './ledger-error.ts';

/** What a StakeManager was created with. */
export interface StakeTerms {
  /** The ERC-20 that is staked, lower case. */
  readonly token: Hex;
  /** The job's RoundAnchor, lower case. */
  readonly anchor: Hex;
  /** Least stake of a participant, in the token's smallest unit. */
  readonly minStake: bigint;
  /** Longest time from a round's opening to its anchoring, in seconds. */
  readonly longestRoundS: number;
  /** Longest time a dispute lasts, in seconds. */
  readonly longestDisputeS: number;
  /** Part of a stake that one equivocation costs, in 1/10,000. */
  readonly faultBps: number;
  /** Part of what is slashed that goes to whoever proved the fault, in 1/10,000. */
  readonly proverBps: number;
  /** Part of what is slashed that participants of rewound rounds share, in 1/10,000. */
  readonly compensationBps: number;
  /** Seconds from a request to leave until stake or bond are free. */
  readonly exitDelayS: number;
}

/** A participant's stake. */
export interface StakeEntry {
  /** In the token's smallest unit; 0 for who has none. */
  readonly amount: bigint;
  /** When it joined, in seconds since 1970; 0 if never. */
  readonly joinedAtS: number;
  /** When it asked to leave, in seconds since 1970; 0 if it did not. */
  readonly exitRequestedAtS: number;
}

/** A coordinator's bond. */
export interface BondEntry {
  /** In the token's smallest unit. */
  readonly amount: bigint;
  /** When it was asked back, in seconds since 1970; 0 if it was not. */
  readonly exitRequestedAtS: number;
}

/** Sums of everything a StakeManager holds, in the token's smallest unit. */
export interface StakeTotals {
  /** Participants' stakes, exiting ones included. */
  readonly stakes: bigint;
  /** Coordinators' bonds. */
  readonly bonds: bigint;
  /** Challengers' bonds of disputes in flight. */
  readonly locked: bigint;
  /** Compensation not yet credited. */
  readonly pots: bigint;
  /** Credits not yet withdrawn. */
  readonly owed: bigint;
  /** Slashed and destroyed since the beginning; no part of the balance. */
  readonly burned: bigint;
}

/** The read side of a job's StakeManager. */
export interface Stakes {
  /** Its address, lower case. */
  readonly address: Hex;
  /** What it was created with. */
  terms(): Promise<StakeTerms>;
  /** A participant's stake. */
  stakeOf(account: Hex): Promise<StakeEntry>;
  /** A coordinator's bond. */
  bondOf(account: Hex): Promise<BondEntry>;
  /** What an account may withdraw, in the token's smallest unit. */
  owedTo(account: Hex): Promise<bigint>;
  /** Whether an account could contribute to a round that was anchored at a time (seconds since 1970). */
  isEligible(account: Hex, timeS: number): Promise<boolean>;
  /** Whether an account ever staked enough to take part. */
  hasJoined(account: Hex): Promise<boolean>;
  /** Participants that may attest, lower case, in the order of the next roster. */
  participants(): Promise<Hex[]>;
  /** The roster that was published last, lower case, in the order of positions; undefined before the first. */
  roster(): Promise<Hex[] | undefined>;
  /** Sums of everything held. */
  totals(): Promise<StakeTotals>;
}

/**
 * Connects to a job's StakeManager and checks that it is one.
 *
 * @throws LedgerError `ledger/not-a-contract`, `ledger/unreachable`
 */
export async function connectStakes({ rpc, stakes }: { readonly rpc: Rpc; readonly stakes: Hex }): Promise<Stakes> {
  const address = stakes.toLowerCase() as Hex;
  const { abi } = loadArtifact('StakeManager');
  await requireCode(rpc, address, 'StakeManager');
  const view = async (name: string, ...parameters: unknown[]) => callView(rpc, abi, address, name, parameters);
  return {
    address,
    async terms() {
      const [[terms], [exitDelay]] = await Promise.all([view('terms'), view('exitDelay')]);
      return {
        token: lower(terms.token),
        anchor: lower(terms.anchor),
        minStake: terms.minStake,
        longestRoundS: Number(terms.longestRoundS),
        longestDisputeS: Number(terms.longestDisputeS),
        faultBps: Number(terms.faultBps),
        proverBps: Number(terms.proverBps),
        compensationBps: Number(terms.compensationBps),
        exitDelayS: Number(exitDelay),
      };
    },
    async stakeOf(account) {
      const [amount, joinedAt, exitRequestedAt] = await view('stakeOf', account);
      return { amount, joinedAtS: Number(joinedAt), exitRequestedAtS: Number(exitRequestedAt) };
    },
    async bondOf(account) {
      const [amount, exitRequestedAt] = await view('bondOf', account);
      return { amount, exitRequestedAtS: Number(exitRequestedAt) };
    },
    owedTo: async (account) => (await view('owedTo', account))[0],
    isEligible: async (account, timeS) => (await view('isEligible', account, timeS))[0],
    hasJoined: async (account) => (await view('hasJoined', account))[0],
    participants: async () => [...(await view('participants'))[0]].map(lower),
    async roster() {
      const store = (await view('rosterStore'))[0] as Hex;
      if (/^0x0*$/.test(store)) return undefined;
      const code = (await rpc.call('eth_getCode', [store, 'latest'])) as string;
      // A zero byte, then 20 bytes each.
      return (code.slice(4).match(/.{40}/g) ?? []).map((each) => lower(`0x${each}`));
    },
    async totals() {
      const { stakes: staked, bonds, locked, pots, owed, burned } = (await view('totals'))[0];
      return { stakes: staked, bonds, locked, pots, owed, burned };
    },
  };
}

/** Two statements of one participant for one attempt, with its signatures. */
export interface Equivocation {
  /** Who signed both. */
  readonly account: Hex;
  /** The one. */
  readonly updateA: UpdateStatement;
  /** Its signature. */
  readonly signatureA: Hex;
  /** The other. */
  readonly updateB: UpdateStatement;
  /** Its signature. */
  readonly signatureB: Hex;
}

/**
 * The write side of a job's StakeManager. Each method sends at most once for the same arguments and resolves when it is
 * confirmed; `purpose` tells one such call from the next. It throws what {@link Outbox.send} throws, and LedgerError
 * `ledger/too-few-tokens` where the wallet cannot pay what it puts down.
 */
export interface StakesWriter {
  /** Adds to the wallet's stake, approving it first where it must be. */
  stake(amount: bigint, purpose: string): Promise<ReceiptSummary>;
  /** Ends the wallet's part in rounds to come. */
  requestExit(purpose: string): Promise<ReceiptSummary>;
  /** Takes the wallet's stake out, once it is free. */
  exit(purpose: string): Promise<ReceiptSummary>;
  /** Adds to the wallet's bond as coordinator, approving it first where it must be. */
  postBond(amount: bigint, purpose: string): Promise<ReceiptSummary>;
  /** Asks the wallet's bond back. */
  requestBondExit(purpose: string): Promise<ReceiptSummary>;
  /** Takes the wallet's bond out, once it is free. */
  returnBond(purpose: string): Promise<ReceiptSummary>;
  /** Takes out what the wallet was credited. */
  withdraw(purpose: string): Promise<ReceiptSummary>;
  /** Publishes the present list of participants, to which attestations refer (anyone). */
  publishRoster(purpose: string): Promise<ReceiptSummary>;
  /** Has a participant slashed that signed two statements for one attempt (anyone). */
  proveEquivocation(evidence: Equivocation): Promise<ReceiptSummary>;
}

/** How to write to a StakeManager. */
export interface StakesWriterOptions {
  /** Sends, from the wallet that is meant. */
  readonly outbox: Outbox;
  /** The chain, to see what is approved. */
  readonly rpc: Rpc;
  /** The StakeManager. */
  readonly stakes: Hex;
  /** The ERC-20 that it takes. */
  readonly token: Hex;
}

/** Writes to a StakeManager through an outbox. */
export function createStakesWriter({ outbox, rpc, stakes, token }: StakesWriterOptions): StakesWriter {
  const { abi } = loadArtifact('StakeManager');
  const erc20 = loadArtifact('FedToken').abi;
  const send = (name: string, purpose: string, parameters: readonly unknown[] = []) =>
    outbox.send({
      id: `${name}:${purpose}@${stakes.toLowerCase()}`,
      to: stakes,
      data: abi.encodeFunctionData(name, parameters) as Hex,
    });
  const pay = async (name: 'stake' | 'postBond', amount: bigint, purpose: string) => {
    const [allowance] = await callView(rpc, erc20, token, 'allowance', [outbox.address, stakes]);
    if (allowance < amount) {
      const data = erc20.encodeFunctionData('approve', [stakes, amount]) as Hex;
      await outbox.send({ id: `approve:${name}:${purpose}@${stakes.toLowerCase()}`, to: token, data });
    }
    try {
      return await send(name, purpose, [amount]);
    } catch (error) {
      if (isLedgerError(error, 'ledger/reverted')) await requireFunds(amount, error);
      throw error;
    }
  };
  // The token's own refusal says what is lacking in words that every token chooses for itself.
  async function requireFunds(amount: bigint, cause: LedgerError): Promise<void> {
    const [balance] = await callView(rpc, erc20, token, 'balanceOf', [outbox.address]);
    if (balance >= amount) return;
    throw new LedgerError(
      'ledger/too-few-tokens',
      `${outbox.address} holds ${balance} of token ${token}, and ${amount} are needed: send it the rest`,
      { account: outbox.address, token, holds: String(balance), needed: String(amount) },
      cause,
    );
  }
  return {
    stake: (amount, purpose) => pay('stake', amount, purpose),
    requestExit: (purpose) => send('requestExit', purpose),
    exit: (purpose) => send('exit', purpose),
    postBond: (amount, purpose) => pay('postBond', amount, purpose),
    requestBondExit: (purpose) => send('requestBondExit', purpose),
    returnBond: (purpose) => send('returnBond', purpose),
    withdraw: (purpose) => send('withdraw', purpose),
    publishRoster: (purpose) => send('publishRoster', purpose),
    proveEquivocation: ({ account, updateA, signatureA, updateB, signatureB }) =>
      send('proveEquivocation', `${account}:${updateA.round}:${updateA.attempt}`, [
        ...[account, updateA, signatureA, updateB, signatureB],
      ]),
  };
}

function lower(address: string): Hex {
  return address.toLowerCase() as Hex;
}
