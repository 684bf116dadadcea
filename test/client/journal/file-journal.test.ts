import { readdirSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createFileJournal } from '../../../client/journal/file-journal.ts';
import type { SignStatement } from '../../../client/journal/submission-journal.ts';
import {
  countingSigner,
  journalWallet,
  someReceipt,
  someUpdate,
  submissionJournalConformance,
} from '../../conformance/submission-journal.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fedanchor-journal-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

function open(sign: SignStatement) {
  return createFileJournal({ folder, participant: journalWallet.address, sign });
}

const { statement, bytes } = someUpdate(1);
const files = () => join(folder, journalWallet.address, statement.job);
const file = (ending: string) => join(files(), `attempt-0-round-1${ending}`);

describe('createFileJournal', () => {
  submissionJournalConformance(async (sign) => open(sign));

  it('knows after a restart what was signed before it', async () => {
    const signed = await open(countingSigner().sign).sign(statement, bytes);
    const after = countingSigner();
    const journal = open(after.sign);
    expect(await journal.find(statement)).toEqual({ at: 'signed', update: signed });
    const other = someUpdate(2);
    expect(await journal.sign(other.statement, other.bytes)).toEqual(signed);
    expect(after.signed).toEqual([]);
    expect(await readdir(files())).not.toContain(`${other.statement.updateRoot}.update`);
  });

  it('has everything on disk before the signature is made', async () => {
    let seen: string[] = [];
    const { sign } = countingSigner();
    const journal = open((each) => {
      // Synchronous on purpose: what a crash at this very moment would leave behind.
      seen = readdirSync(files());
      return sign(each);
    });
    await journal.sign(statement, bytes);
    expect(seen.sort()).toEqual([`${statement.updateRoot}.update`, 'attempt-0-round-1.statement.json'].sort());
  });

  it('signs the same statement after a crash between statement and signature', async () => {
    const signed = await open(countingSigner().sign).sign(statement, bytes);
    await rm(file('.signature'));
    const other = someUpdate(2);
    expect(await open(countingSigner().sign).sign(other.statement, other.bytes)).toEqual(signed);
    await writeFile(file('.signature'), '0x12');
    expect(await open(countingSigner().sign).find(statement)).toEqual({ at: 'signed', update: signed });
  });

  it('takes a crash before the statement for nothing signed', async () => {
    await open(countingSigner().sign).sign(statement, bytes);
    await rm(file('.signature'));
    await rm(file('.statement.json'));
    await writeFile(`${file('.statement.json')}.half.tmp`, '{"job":');
    const journal = open(countingSigner().sign);
    expect(await journal.find(statement)).toBeUndefined();
    const other = someUpdate(2);
    expect(await journal.sign(other.statement, other.bytes)).toMatchObject({ statement: other.statement });
  });

  it('lets one of two processes on one folder win', async () => {
    const signers = Array.from({ length: 8 }, countingSigner);
    const results = await Promise.all(
      signers.map(({ sign }, index) => {
        const update = someUpdate(index + 1);
        return open(sign).sign(update.statement, update.bytes);
      }),
    );
    expect(new Set(results.map(({ signature }) => signature)).size).toBe(1);
    const roots = signers.flatMap(({ signed }) => signed.map(({ updateRoot }) => updateRoot));
    expect(new Set(roots).size).toBe(1);
  });

  it.each([
    ['a statement cut short', '.statement.json', (before: string) => before.slice(0, 40)],
    ['a statement of another round', '.statement.json', (before: string) => before.replace('"round":1', '"round":2')],
    ['a statement with a wrong member', '.statement.json', (before: string) => before.replace('"samples"', '"sample"')],
    [
      'a statement of another root',
      '.statement.json',
      (before: string) => before.replace(/"updateRoot":"0x../, '"updateRoot":"0x00'),
    ],
  ])('refuses %s and signs nothing in its place', async (_, ending, damage) => {
    await open(countingSigner().sign).sign(statement, bytes);
    await writeFile(file(ending), damage(await readFile(file(ending), 'utf8')));
    const after = countingSigner();
    const other = someUpdate(2);
    await expect(open(after.sign).find(statement)).rejects.toMatchObject({ code: 'journal/damaged' });
    await expect(open(after.sign).sign(other.statement, other.bytes)).rejects.toMatchObject({
      code: 'journal/damaged',
    });
    expect(after.signed).toEqual([]);
  });

  it('refuses an update whose bytes changed or are gone', async () => {
    const update = join(files(), `${statement.updateRoot}.update`);
    await open(countingSigner().sign).sign(statement, bytes);
    await writeFile(update, bytes.fill(7));
    await expect(open(countingSigner().sign).find(statement)).rejects.toMatchObject({ code: 'journal/damaged' });
    await rm(update);
    await expect(open(countingSigner().sign).find(statement)).rejects.toMatchObject({ code: 'journal/damaged' });
    bytes.fill(1);
  });

  it('drops the bytes once the receipt is kept, and leaves nothing unfinished behind', async () => {
    const journal = open(countingSigner().sign);
    await journal.sign(statement, bytes);
    await journal.keepReceipt(someReceipt(statement, 'accepted'));
    expect((await readdir(files())).sort()).toEqual([
      'attempt-0-round-1.receipt.json',
      'attempt-0-round-1.signature',
      'attempt-0-round-1.statement.json',
    ]);
  });

  it('says so when the folder cannot be used', async () => {
    await writeFile(join(folder, 'taken'), '');
    const journal = createFileJournal({
      folder: join(folder, 'taken'),
      participant: journalWallet.address,
      sign: countingSigner().sign,
    });
    await expect(journal.sign(statement, bytes)).rejects.toMatchObject({ code: 'journal/unavailable' });
  });
});
