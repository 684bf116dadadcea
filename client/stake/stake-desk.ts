import { verifyCourt } from '../../contracts/deploy/verify-court.ts';
import { connectLedger, type Ledger } from '../../contracts/ledger/ledger.ts';
import {
  type BondEntry,
  connectStakes,
  createStakesWriter,
  type Stakes,
  type StakesWriter,
} from '../../contracts/ledger/stakes.ts';
import { createOutbox } from '../../contracts/outbox/outbox.ts';
import type { ReceiptSummary } from '../../contracts/outbox/outbox-store.ts';
import { createMemoryOutboxStore } from '../../contracts/outbox/outbox-store.ts';
import type { Rpc } from '../../contracts/rpc.ts';
import type { Signer } from '../../contracts/wallet.ts';
import type { Hex } from '../../shared/bytes.ts';
import { StakeError } from './stake-error.ts';

/** The stakes of one job, to be read. */
export interface StakeView {
  /** The job's contracts. */
  readonly ledger: Ledger;
  /** The StakeManager. */
  readonly stakes: Stakes;
}

/** What one step of leaving came to. */
export interface LeaveOutcome {
  /** `asked`: the clock runs now. `paid`: it is out. */
  readonly step: 'asked' | 'paid';
  /** How much, in the token's smallest unit. */
  readonly amount: bigint;
  /** From when on it can be taken out, in seconds since 1970 by the chain's clock. */
  readonly freeAtS: number;
  /** The transaction. */
  readonly receipt: ReceiptSummary;
}

/** Moves the stake, the bond and the credits of one wallet. Every method resolves when it is confirmed. */
export interface StakeDesk {
  /**
   * Adds to the stake.
   *
   * @throws DeployError `deploy/foreign-code`; StakeError `stake/too-little` (the whole would be below the least), `stake/leaving`; LedgerError
   *   `ledger/too-few-tokens`
   */
  add(amount: bigint): Promise<ReceiptSummary>;
  /**
   * The next step of leaving: asks for the stake, or takes it out once it is free.
   *
   * @throws StakeError `stake/nothing-there`, `stake/still-bound`, saying until when
   */
  leave(): Promise<LeaveOutcome>;
  /** Takes out what disputes have credited. @throws StakeError `stake/nothing-there` */
  withdraw(): Promise<{ readonly amount: bigint; readonly receipt: ReceiptSummary }>;
  /** Adds to the bond as coordinator. @throws DeployError `deploy/foreign-code`; LedgerError `ledger/too-few-tokens` */
  addBond(amount: bigint): Promise<ReceiptSummary>;
  /**
   * The next step of taking the bond back.
   *
   * @throws StakeError `stake/nothing-there`, `stake/still-bound`, `stake/in-office` while it is the job's coordinator
   */
  releaseBond(): Promise<LeaveOutcome>;
}

/**
 * Finds the stakes of a job from its RoundAnchor.
 *
 * @throws StakeError `stake/no-court`; LedgerError
 */
export async function viewStakes(rpc: Rpc, anchor: Hex): Promise<StakeView> {
  const ledger = await connectLedger({ rpc, anchor });
  const { roster } = await ledger.facts();
  if (/^0x0*$/.test(roster)) {
    throw new StakeError('stake/no-court', `the job at ${anchor} has no court: nothing is staked in it`, { anchor });
  }
  return { ledger, stakes: await connectStakes({ rpc, stakes: roster }) };
}

/**
 * Opens the stakes of a job for a wallet, which nothing else may use meanwhile. Money goes in only where the job's contracts
 * are this product's.
 */
export async function openStakeDesk(
  rpc: Rpc,
  view: StakeView,
  wallet: Signer,
  signal: AbortSignal,
): Promise<StakeDesk> {
  const { ledger, stakes } = view;
  const store = createMemoryOutboxStore();
  const outbox = await createOutbox({ rpc, wallet, store, signal, whenEmpty: 'throw' });
  const { token, minStake, exitDelayS } = await stakes.terms();
  const writer = createStakesWriter({ outbox, rpc, stakes: stakes.address, token });
  const { address } = wallet;
  const requireGenuine = async () => {
    const { anchor, arbiter } = await ledger.facts();
    await verifyCourt(rpc, { anchor, stakes: stakes.address, disputes: arbiter });
  };
  return {
    async add(amount) {
      await requireGenuine();
      const { amount: held, exitRequestedAtS } = await stakes.stakeOf(address);
      if (held > 0n && exitRequestedAtS > 0) {
        const message = `${address} is leaving this job: take the stake out first, then stake again`;
        throw new StakeError('stake/leaving', message, { address });
      }
      if (held + amount < minStake) {
        const message = `${held} and ${amount} are below the least stake of ${minStake}: add at least ${minStake - held}`;
        throw new StakeError('stake/too-little', message, { held: String(held), least: String(minStake) });
      }
      return writer.stake(amount, 'add');
    },
    leave: () => leave(() => stakes.stakeOf(address), writer.requestExit, writer.exit),
    async withdraw() {
      const amount = await stakes.owedTo(address);
      if (amount === 0n) throw nothing(address, 'credited');
      return { amount, receipt: await writer.withdraw('withdraw') };
    },
    async addBond(amount) {
      await requireGenuine();
      return writer.postBond(amount, 'add');
    },
    async releaseBond() {
      if ((await ledger.facts()).coordinator === address) {
        const message = `${address} is the job's coordinator, and its bond answers for it: the guardian may name another one`;
        throw new StakeError('stake/in-office', message, { address });
      }
      return leave(() => stakes.bondOf(address), writer.requestBondExit, writer.returnBond);
    },
  };

  async function leave(
    read: () => Promise<BondEntry>,
    ask: StakesWriter['exit'],
    take: StakesWriter['exit'],
  ): Promise<LeaveOutcome> {
    const { amount, exitRequestedAtS } = await read();
    if (amount === 0n) throw nothing(address, 'staked');
    if (exitRequestedAtS === 0) {
      const receipt = await ask('leave');
      return { step: 'asked', amount, freeAtS: (await read()).exitRequestedAtS + exitDelayS, receipt };
    }
    const freeAtS = exitRequestedAtS + exitDelayS;
    if ((await ledger.chainTimeS()) < freeAtS) {
      const when = new Date(freeAtS * 1000).toISOString();
      const message = `${amount} of ${address} answer for past rounds until ${when}, by the chain's clock: come back then`;
      throw new StakeError('stake/still-bound', message, { address, freeAtS });
    }
    return { step: 'paid', amount, freeAtS, receipt: await take('leave') };
  }
}

function nothing(address: Hex, what: string): StakeError {
  return new StakeError('stake/nothing-there', `${address} has nothing ${what} in this job`, { address });
}
