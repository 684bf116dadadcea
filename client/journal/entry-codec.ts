import { z } from 'zod';
import { type Hex, utf8 } from '../../shared/bytes.ts';
import { canonicalJson, type Json } from '../../shared/codec.ts';
import type { UpdateStatement } from '../../shared/commitments/contribution.ts';
import type { SignedReceipt } from '../../shared/commitments/receipt.ts';
import { JournalError } from './journal-error.ts';

const hexOf = (bytes: number) =>
  z.custom<Hex>((value) => typeof value === 'string' && new RegExp(`^0x[0-9a-f]{${2 * bytes}}$`).test(value));
const whole = z.number().int().min(0);

const statementSchema = z.strictObject({
  job: hexOf(32),
  round: whole,
  attempt: whole,
  parentRoot: hexOf(32),
  updateRoot: hexOf(32),
  samples: whole,
  largestMagnitude: whole,
  datasetCommitment: hexOf(32),
});

const receiptSchema = z.strictObject({
  job: hexOf(32),
  round: whole,
  attempt: whole,
  participant: hexOf(20),
  updateRoot: hexOf(32),
  verdict: z.enum(['accepted', 'late', 'rejected']),
  code: z.string(),
  signature: hexOf(65),
});

/** A statement or receipt as the bytes of its file. */
export function encodeEntry(entry: UpdateStatement | SignedReceipt): Uint8Array {
  return utf8(`${canonicalJson({ ...entry } as unknown as Json)}\n`);
}

/** Reads a statement's file. Throws JournalError `journal/damaged`, naming the file. */
export function decodeStatement(file: string, bytes: Uint8Array): UpdateStatement {
  return decode(file, bytes, statementSchema);
}

/** Reads a receipt's file. Throws JournalError `journal/damaged`, naming the file. */
export function decodeReceipt(file: string, bytes: Uint8Array): SignedReceipt {
  return decode(file, bytes, receiptSchema);
}

/** The error for a file of the journal that is not what was written. */
export function damaged(file: string, cause?: unknown): JournalError {
  return new JournalError(
    'journal/damaged',
    `the journal's file ${file} is damaged: restore it, or leave this round out; nothing is signed in its place`,
    { file },
    cause,
  );
}

function decode<T>(file: string, bytes: Uint8Array, schema: z.ZodType<T>): T {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw damaged(file, cause);
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw damaged(file, parsed.error);
  return parsed.data;
}
