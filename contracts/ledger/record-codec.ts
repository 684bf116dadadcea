import type { Result } from 'ethers';
import type { RoundRecord } from '../../shared/commitments/record.ts';

/** Reads the ABI struct `RoundRecord`; ethers gives bytes in lower case and every number as a bigint. */
export function recordFromAbi(struct: Result): RoundRecord {
  const fields = struct.toObject() as Record<keyof RoundRecord, never>;
  return {
    ...fields,
    round: Number(fields.round),
    attempt: Number(fields.attempt),
    participants: Number(fields.participants),
    updateBits: Number(fields.updateBits),
    seedIndex: Number(fields.seedIndex),
  };
}
