import { readdir } from 'node:fs/promises';
import type { Hex } from '../../shared/bytes.ts';
import type { SignedReceipt } from '../../shared/commitments/receipt.ts';
import { createFileJournal } from '../journal/file-journal.ts';

/**
 * Reads what a coordinator has signed for from the state folder of a client, whichever participants it has been: a receipt
 * speaks for itself, whoever shows it. A folder that is not there yet holds none.
 *
 * @param folder - what the client was given as `--state`
 * @param job - the job
 * @throws JournalError `journal/unavailable`, `journal/damaged`
 */
export async function readReceipts(folder: string, job: Hex): Promise<SignedReceipt[]> {
  // It only reads: nothing is signed through it.
  const sign = (): Hex => {
    throw new TypeError('a watcher signs no updates');
  };
  const names: string[] = await readdir(folder).catch(() => []);
  const participants = names.sort().flatMap((name) => (/^0x[0-9a-f]{40}$/.test(name) ? [name as Hex] : []));
  const found = await Promise.all(
    participants.map((participant) => createFileJournal({ folder, participant, sign }).receipts(job)),
  );
  return found.flat();
}
