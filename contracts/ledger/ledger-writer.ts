import type { Hex } from '../../shared/bytes.ts';
import type { RoundRecord } from '../../shared/commitments/record.ts';
import { type ContractName, loadArtifact } from '../artifacts.ts';
import type { Outbox } from '../outbox/outbox.ts';
import type { ReceiptSummary } from '../outbox/outbox-store.ts';

/** Addresses of one job's contracts. */
export interface JobAddresses {
  /** The RoundAnchor. */
  readonly anchor: Hex;
  /** The RewardVault. */
  readonly vault: Hex;
  /** The ERC-20 that rewards are paid in. */
  readonly token: Hex;
  /** The StakeManager; absent where the job has no court. */
  readonly stakes?: Hex;
  /** The Disputes; absent where the job has no court. */
  readonly disputes?: Hex;
}

/** An account's cumulative rewards with their proof. */
export interface ClaimRequest {
  /** Who earned them. */
  readonly account: Hex;
  /** Everything earned since round 1, in the token's smallest unit. */
  readonly cumulative: bigint;
  /** Merkle proof against the activated rewards root, 32 bytes each. */
  readonly proof: readonly Hex[];
}

/**
 * The write side of a job's contracts. Every method sends one transaction through the outbox, at most once for the same
 * arguments, and resolves when it is confirmed; it throws what {@link Outbox.send} throws.
 */
export interface LedgerWriter {
  /** Appends the next round's record (coordinator). */
  anchor(record: RoundRecord): Promise<ReceiptSummary>;
  /** Appends several consecutive records (coordinator). */
  anchorMany(records: readonly RoundRecord[]): Promise<ReceiptSummary>;
  /** Makes a final record's rewards claimable (anyone). */
  activate(record: RoundRecord): Promise<ReceiptSummary>;
  /** Claims for one account (anyone). */
  claim(request: ClaimRequest): Promise<ReceiptSummary>;
  /** Claims for several accounts with proofs of one root (anyone). */
  claimMany(requests: readonly ClaimRequest[], purpose: string): Promise<ReceiptSummary>;
  /** Has the wallet's rewards paid to another account from now on, or to itself where it names itself. */
  setClaimer(account: Hex, purpose: string): Promise<ReceiptSummary>;
  /** Lets the vault draw on the wallet's tokens; `purpose` tells one approval from the next. */
  approve(amount: bigint, purpose: string): Promise<ReceiptSummary>;
  /** Puts tokens into the vault after an approval; `purpose` tells one funding from the next. */
  fund(amount: bigint, purpose: string): Promise<ReceiptSummary>;
  /** Returns a sponsor's share of what was never activated (anyone, once refunds are open). */
  refund(sponsor: Hex): Promise<ReceiptSummary>;
}

/** The outbox's id of the transaction that anchors one attempt at a round. */
export function anchoringId(anchor: Hex, round: number, attempt: number): string {
  return `anchor:${round}:${attempt}@${anchor.toLowerCase()}`;
}

/** Writes to a job's contracts through an outbox. */
export function createLedgerWriter(outbox: Outbox, { anchor, vault, token }: JobAddresses): LedgerWriter {
  const send = (id: string, contract: ContractName, to: Hex, name: string, parameters: readonly unknown[]) =>
    outbox.send({
      id: `${id}@${to.toLowerCase()}`,
      to,
      data: loadArtifact(contract).abi.encodeFunctionData(name, parameters) as Hex,
    });
  return {
    anchor: (record) => {
      const data = loadArtifact('RoundAnchor').abi.encodeFunctionData('anchor', [record]) as Hex;
      return outbox.send({ id: anchoringId(anchor, record.round, record.attempt), to: anchor, data });
    },
    anchorMany: (records) => {
      const [first, last] = [records[0], records.at(-1)];
      const id = `anchor:${first?.round}-${last?.round}:${last?.attempt}`;
      return send(id, 'RoundAnchor', anchor, 'anchorMany', [records]);
    },
    activate: (record) =>
      send(`activate:${record.round}:${record.attempt}`, 'RewardVault', vault, 'activate', [record]),
    claim: ({ account, cumulative, proof }) =>
      send(`claim:${account}:${cumulative}`, 'RewardVault', vault, 'claim', [account, cumulative, proof]),
    claimMany: (requests, purpose) => send(`claim-many:${purpose}`, 'RewardVault', vault, 'claimMany', [requests]),
    setClaimer: (account, purpose) => send(`claimer:${purpose}`, 'RewardVault', vault, 'setClaimer', [account]),
    approve: (amount, purpose) => send(`approve:${purpose}`, 'FedToken', token, 'approve', [vault, amount]),
    fund: (amount, purpose) => send(`fund:${purpose}`, 'RewardVault', vault, 'fund', [amount]),
    refund: (sponsor) => send(`refund:${sponsor}`, 'RewardVault', vault, 'refund', [sponsor]),
  };
}
