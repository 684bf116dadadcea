import type { Hex } from '../../shared/bytes.ts';
import type { RoundRecord } from '../../shared/commitments/record.ts';
import { loadArtifact } from '../artifacts.ts';
import type { Outbox } from '../outbox/outbox.ts';
import type { ReceiptSummary } from '../outbox/outbox-store.ts';

/**
 * Takes rounds back that have missed the deadline of their attestations (anyone may). It throws what {@link Outbox.send}
 * throws.
 *
 * @param first - the earliest round without attestations
 * @param parentHead - head before it, 26 bytes
 * @param last - the latest anchored round
 */
export function rewindUnattested(
  outbox: Pick<Outbox, 'send'>,
  anchor: Hex,
  first: RoundRecord,
  parentHead: Hex,
  last: RoundRecord,
): Promise<ReceiptSummary> {
  const data = loadArtifact('RoundAnchor').abi.encodeFunctionData('rewindUnattested', [first, parentHead, last]) as Hex;
  return outbox.send({ id: `rewind:${first.round}:${first.attempt}-${last.round}@${anchor}`, to: anchor, data });
}
