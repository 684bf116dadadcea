import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Hex } from '../../shared/bytes.ts';
import { createFileJournal } from '../journal/file-journal.ts';
import { lockHolder } from '../lock/job-lock.ts';
import type { ClientView } from './describe-status.ts';
import { stateFiles } from './state-files.ts';
import { readStatusFile } from './status-file.ts';

const STATUS_FILE = /^(0x[0-9a-f]{40})\.status\.json$/;

/**
 * Reads what the clients of a state folder have left there: those that run and those that did. No key is needed.
 *
 * @param state - the folder
 * @returns by participant and job
 * @throws JournalError for a journal that is damaged
 */
export async function readViews(state: string): Promise<ClientView[]> {
  const views: ClientView[] = [];
  for (const participant of (await namesIn(state)).filter((name) => /^0x[0-9a-f]{40}$/.test(name)).sort()) {
    for (const name of (await namesIn(join(state, participant))).sort()) {
      const [, anchor] = STATUS_FILE.exec(name) ?? [];
      if (anchor === undefined) continue;
      const files = stateFiles(state, participant as Hex, anchor as Hex);
      const status = await readStatusFile(files.status);
      if (status === undefined) continue;
      const journal = createFileJournal({ folder: state, participant: participant as Hex, sign: signsNothing });
      const holder = await lockHolder(files.lock);
      views.push({ pid: holder?.pid, status, receipts: await journal.receipts(status.job as Hex) });
    }
  }
  return views;
}

async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}

/** Reading signs nothing. */
function signsNothing(): never {
  throw new Error('a journal that is only read was asked to sign');
}
