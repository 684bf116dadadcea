import { join } from 'node:path';
import { z } from 'zod';
import { type Hex, utf8 } from '../../shared/bytes.ts';
import { canonicalJson, type Json } from '../../shared/codec.ts';
import { claimFile, createFolder, namesIn, readIfPresent } from '../journal/durable-files.ts';
import { PrivacyError } from './privacy-error.ts';

/** One noisy update that was, or may have been, published. */
export interface PrivacyExpense {
  /** The job. */
  readonly job: Hex;
  /** Round number, from 1. */
  readonly round: number;
  /** The job's attempt number. */
  readonly attempt: number;
  /** What it costs, as rho of zero-concentrated differential privacy. */
  readonly rho: number;
}

/**
 * What a client's data has lost so far, over all jobs and accounts that share a state folder: they speak about the same
 * data. An expense is on disk before the update it pays for leaves, and is never taken back.
 */
export interface PrivacyLedger {
  /** Rho of everything so far. Throws as {@link PrivacyLedger.spend}. */
  spent(): Promise<number>;
  /**
   * Writes an expense down, unless it would take the total beyond a limit.
   *
   * @param expense - what is about to be published
   * @param most - largest total of rho
   * @returns the new total, or undefined when the limit leaves no room; nothing is written then
   * @throws PrivacyError `privacy/ledger-damaged`, `privacy/ledger-unavailable`
   */
  spend(expense: PrivacyExpense, most: number): Promise<number | undefined>;
}

const FILE = /^expense-([0-9]{6,})\.json$/;

const entrySchema = z.strictObject({
  version: z.literal(1),
  job: z.custom<Hex>((value) => typeof value === 'string' && /^0x[0-9a-f]{64}$/.test(value)),
  round: z.number().int().min(0),
  attempt: z.number().int().min(0),
  rho: z.number().positive(),
  /** Of this expense and all before it. */
  total: z.number().positive(),
});

/**
 * A ledger in files, one for each expense: `<folder>/privacy/expense-000001.json` and on. A file is created exclusively
 * under the next number and synced, so that of several processes on one folder each sees what the others spent.
 *
 * @param folder - the client's state folder
 */
export function createPrivacyLedger(folder: string): PrivacyLedger {
  const room = join(folder, 'privacy');
  const fileOf = (number: number): string => join(room, `expense-${String(number).padStart(6, '0')}.json`);

  const last = async (): Promise<{ readonly count: number; readonly total: number }> => {
    const numbers = (await namesIn(room)).flatMap((name) => FILE.exec(name)?.[1] ?? []).map(Number);
    const count = numbers.length;
    const foremost = numbers.reduce((most, number) => Math.max(most, number), 0);
    if (foremost !== count) throw damaged(fileOf(foremost), `of ${foremost} expenses ${count} are there`);
    return { count, total: count === 0 ? 0 : readTotal(fileOf(count), await readIfPresent(fileOf(count))) };
  };

  return {
    spent: () => available(room, async () => (await last()).total),
    spend: (expense, most) =>
      available(room, async () => {
        await createFolder(room);
        for (;;) {
          const { count, total } = await last();
          const next = total + expense.rho;
          if (next > most) return undefined;
          const { job, round, attempt, rho } = expense;
          const entry = { version: 1, job, round, attempt, rho, total: next };
          // Another process that was faster has spent in between: its expense counts too.
          if (await claimFile(fileOf(count + 1), utf8(`${canonicalJson(entry as unknown as Json)}\n`))) return next;
        }
      }),
  };
}

function readTotal(file: string, bytes: Uint8Array | undefined): number {
  try {
    return entrySchema.parse(JSON.parse(new TextDecoder().decode(bytes))).total;
  } catch (cause) {
    throw damaged(file, 'it cannot be read', cause);
  }
}

function damaged(file: string, why: string, cause?: unknown): PrivacyError {
  return new PrivacyError(
    'privacy/ledger-damaged',
    `the privacy ledger is damaged at ${file} (${why}): restore the folder, for what was spent cannot be guessed; nothing is published until then`,
    { file },
    cause,
  );
}

async function available<T>(folder: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof PrivacyError) throw cause;
    throw new PrivacyError(
      'privacy/ledger-unavailable',
      `the privacy ledger in ${folder} cannot be read or written (${(cause as Error).message}): check its disk and permissions`,
      { folder },
      cause,
    );
  }
}
