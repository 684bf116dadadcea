import { keccak_256 } from '@noble/hashes/sha3.js';
import { type Hex, toHex } from '../../shared/bytes.ts';
import { loadArtifact } from '../artifacts.ts';
import type { Outbox } from '../outbox/outbox.ts';
import type { ReceiptSummary } from '../outbox/outbox-store.ts';

/** Shows packed attestations over the head after a round: one transaction, at most once for the same attestations. */
export type Finalize = (round: number, head: Hex, packed: Uint8Array) => Promise<ReceiptSummary>;

/** Writes to a job's RoundAnchor through an outbox, which throws what {@link Outbox.send} throws. */
export function createFinalize(outbox: Pick<Outbox, 'send'>, anchor: Hex): Finalize {
  return (round, head, packed) => {
    const data = loadArtifact('RoundAnchor').abi.encodeFunctionData('finalize', [round, head, packed]) as Hex;
    const digest = toHex(keccak_256(packed)).slice(2, 18);
    return outbox.send({ id: `finalize:${round}:${digest}@${anchor.toLowerCase()}`, to: anchor, data });
  };
}
