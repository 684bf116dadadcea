import type { Hex } from '../../shared/bytes.ts';
import type { Rpc } from '../rpc.ts';
import type { Notices } from './notices.ts';
import type { Rows } from './rows.ts';

/** What the wallet has and needs. */
export interface Funds {
  /** What it had at the last look, in wei. */
  readonly balanceWei: bigint;
  /** Asks the chain. */
  refresh(): Promise<bigint>;
  /**
   * Finds out whether one more transaction can be paid beside the pending ones, and tells when it cannot.
   *
   * @param costWei - most that it can take from the wallet
   * @param freedWei - what a transaction that it replaces could have taken
   */
  cover(costWei: bigint, freedWei?: bigint): Promise<Shortfall | undefined>;
  /** Takes note that a node found the wallet too empty for what is pending. */
  foundEmpty(): Promise<void>;
  /** Looks whether an empty wallet has been funded, and tells. */
  recheck(): Promise<void>;
}

/** How much is missing. */
export interface Shortfall {
  /** What the wallet has, in wei. */
  readonly balanceWei: bigint;
  /** What it must have, in wei. */
  readonly needWei: bigint;
  /** One sentence. */
  readonly message: string;
}

const TROUBLE = 'wallet';

/** Keeps an eye on a wallet's coins. */
export function createFunds(rpc: Rpc, address: Hex, rows: Rows, notices: Notices): Funds {
  let balanceWei = 0n;
  let neededWei = 0n;

  const refresh = async (): Promise<bigint> => {
    balanceWei = BigInt((await rpc.call('eth_getBalance', [address, 'latest'])) as string);
    return balanceWei;
  };

  const compare = (needWei: bigint): Shortfall | undefined => {
    neededWei = needWei;
    if (balanceWei >= needWei) {
      const message = `the wallet ${address} has ${balanceWei} wei again, enough to go on`;
      const data = { address, balanceWei: balanceWei.toString() };
      notices.clear(TROUBLE, { type: 'walletFunded', level: 'info', message, data });
      return undefined;
    }
    const message = `the wallet ${address} has ${balanceWei} wei and needs ${needWei}: send it at least ${needWei - balanceWei} wei`;
    notices.raise(TROUBLE, {
      ...{ type: 'walletEmptied', level: 'warn', code: 'outbox/empty-wallet', message },
      data: { address, balanceWei: balanceWei.toString(), needWei: needWei.toString() },
    });
    return { balanceWei, needWei, message };
  };

  return {
    get balanceWei() {
      return balanceWei;
    },
    refresh,
    async cover(costWei, freedWei = 0n) {
      await refresh();
      return compare(rows.committedWei() - freedWei + costWei);
    },
    async foundEmpty() {
      await refresh();
      compare(rows.committedWei());
    },
    async recheck() {
      if (!notices.has(TROUBLE)) return;
      await refresh();
      if (balanceWei >= neededWei) compare(neededWei);
    },
  };
}
