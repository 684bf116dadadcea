import { describe, expect, it } from 'vitest';
import type { AnchoredRecord } from '../../contracts/ledger/records.ts';
import { createAnchor } from '../../coordinator/anchor-record.ts';
import type { RoundRecord } from '../../shared/commitments/record.ts';
import { FedanchorError } from '../../shared/errors.ts';
import { roundRecord } from '../contracts/harness.ts';
import { hash } from './fixture.ts';

class Refused extends FedanchorError<string> {}

const anchored = (record: RoundRecord): AnchoredRecord => ({
  ...{ record, head: '0x', transactionHash: hash(`sent ${record.round}`), blockNumber: 40 + record.round },
  blockHash: hash('block'),
});
const rpc = { call: async (method: string) => (method === 'eth_getTransactionReceipt' ? { gasUsed: '0xff' } : null) };

function anchorOn(records: readonly RoundRecord[], refusal: Error) {
  const writer = { anchor: () => Promise.reject(refusal) };
  return createAnchor(writer, { records: async () => records.map(anchored) }, rpc);
}

describe('a record that the contract does not take', () => {
  it.each(['ledger/reverted', 'outbox/reverted'])(
    'is found on the chain where it is there already: %s',
    async (code) => {
      const anchor = anchorOn([roundRecord(1), roundRecord(2)], new Refused(code, 'out of order'));
      expect(await anchor(roundRecord(2))).toEqual({
        transactionHash: hash('sent 2'),
        blockNumber: 42,
        gasUsed: '255',
      });
    },
  );

  it('is refused for good where the chain has another in its place', async () => {
    const anchor = anchorOn([roundRecord(1, { attempt: 1 })], new Refused('ledger/reverted', 'out of order'));
    await expect(anchor(roundRecord(1))).rejects.toMatchObject({ code: 'coordinator/behind-chain' });
  });

  it('is refused as it was where the chain has none, or where that is not the reason', async () => {
    const reverted = new Refused('ledger/reverted', 'paused');
    await expect(anchorOn([roundRecord(1)], reverted)(roundRecord(2))).rejects.toBe(reverted);
    const unreachable = new Refused('ledger/unreachable', 'away');
    await expect(anchorOn([roundRecord(1)], unreachable)(roundRecord(1))).rejects.toBe(unreachable);
    const fault = new TypeError('a fault');
    await expect(anchorOn([roundRecord(1)], fault)(roundRecord(1))).rejects.toBe(fault);
  });
});
