import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createFileJournal } from '../../../client/journal/file-journal.ts';
import { readReceipts } from '../../../client/watcher/read-receipts.ts';
import { createWallet } from '../../../contracts/wallet.ts';
import { countingSigner, journalWallet, someReceipt, someUpdate } from '../../conformance/submission-journal.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fedanchor-receipts-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('readReceipts', () => {
  it('finds those of every participant that the client has been, of one job', async () => {
    const { statement, bytes } = someUpdate(1);
    const receipt = someReceipt(statement, 'accepted');
    for (const { address } of [journalWallet, createWallet(`0x${'77'.repeat(32)}`)]) {
      const journal = createFileJournal({ folder, participant: address, sign: countingSigner().sign });
      await journal.sign(statement, bytes);
      await journal.keepReceipt({ ...receipt, participant: address });
    }
    await mkdir(join(folder, 'notes'));
    await writeFile(join(folder, '0xff'), 'no participant');
    const found = await readReceipts(folder, statement.job);
    expect(found.map(({ participant }) => participant).sort()).toEqual(
      [journalWallet.address, createWallet(`0x${'77'.repeat(32)}`).address].sort(),
    );
    expect(await readReceipts(folder, `0x${'00'.repeat(32)}`)).toEqual([]);
  });

  it('finds none where no client has been yet', async () => {
    expect(await readReceipts(join(folder, 'nowhere'), someUpdate(1).statement.job)).toEqual([]);
  });
});
