import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Hex, toHex, utf8 } from '../../shared/bytes.ts';
import type { UpdateStatement } from '../../shared/commitments/contribution.ts';
import { updateTree } from '../../shared/commitments/vector-trees.ts';
import { FedanchorError } from '../../shared/errors.ts';
import { claimFile, createFolder, namesIn, readIfPresent, replaceFile } from './durable-files.ts';
import { damaged, decodeReceipt, decodeStatement, encodeEntry } from './entry-codec.ts';
import { alreadyAnswered, JournalError, notSigned } from './journal-error.ts';
import {
  byAttempt,
  type SignedUpdate,
  type SignStatement,
  type SubmissionJournal,
  type SubmissionKey,
} from './submission-journal.ts';

/** Where a journal lies and who signs. */
export interface FileJournalOptions {
  /** The client's own data folder; created if missing. */
  readonly folder: string;
  /** The participant, lower case: participants who share a folder do not share a journal. */
  readonly participant: Hex;
  /** Makes the signatures; one statement must always get one signature (RFC 6979). */
  readonly sign: SignStatement;
}

const STATEMENT_FILE = '.statement.json';
const RECEIPT_FILE = '.receipt.json';
const SIGNATURE = /^0x[0-9a-f]{130}\n$/;

/**
 * A journal in files, each synced to disk before anything follows from it:
 * `<folder>/<participant>/<job>/attempt-A-round-R.statement.json`, `.signature`, `.receipt.json` and
 * `<update root>.update`. The statement's file is created exclusively, before the signature is made: it decides what is
 * signed for that attempt, even between two processes on one folder.
 */
export function createFileJournal({ folder, participant, sign }: FileJournalOptions): SubmissionJournal {
  const folderOf = (job: Hex): string => join(folder, participant, job);
  const fileOf = ({ job, round, attempt }: SubmissionKey, ending: string): string =>
    join(folderOf(job), `attempt-${attempt}-round-${round}${ending}`);
  const updateFile = (job: Hex, updateRoot: Hex): string => join(folderOf(job), `${updateRoot}.update`);

  const readStatement = async (key: SubmissionKey): Promise<UpdateStatement | undefined> => {
    const file = fileOf(key, STATEMENT_FILE);
    const bytes = await readIfPresent(file);
    if (bytes === undefined) return undefined;
    const statement = decodeStatement(file, bytes);
    const { job, round, attempt } = statement;
    if (job !== key.job || round !== key.round || attempt !== key.attempt) throw damaged(file);
    return statement;
  };
  const readReceipt = async (key: SubmissionKey) => {
    const file = fileOf(key, RECEIPT_FILE);
    const bytes = await readIfPresent(file);
    return bytes && decodeReceipt(file, bytes);
  };

  /** Completes what was claimed: a crash may have come before the signature was written. */
  const signedUpdate = async (statement: UpdateStatement): Promise<SignedUpdate> => {
    const file = updateFile(statement.job, statement.updateRoot);
    const bytes = await readIfPresent(file);
    if (!bytes?.length || toHex(updateTree(bytes).root) !== statement.updateRoot) throw damaged(file);
    const signatureFile = fileOf(statement, '.signature');
    const kept = new TextDecoder().decode((await readIfPresent(signatureFile)) ?? new Uint8Array());
    if (SIGNATURE.test(kept)) return { statement, signature: kept.trim() as Hex, bytes };
    const signature = sign(statement);
    await replaceFile(signatureFile, utf8(`${signature}\n`));
    return { statement, signature, bytes };
  };

  return {
    find: (key) =>
      available(folder, async () => {
        const statement = await readStatement(key);
        if (!statement) return undefined;
        const receipt = await readReceipt(key);
        if (receipt) return { at: 'answered', statement, receipt };
        return { at: 'signed', update: await signedUpdate(statement) };
      }),
    sign: (statement, bytes) =>
      available(folder, async () => {
        await createFolder(folderOf(statement.job));
        if (await readReceipt(statement)) throw alreadyAnswered(statement);
        if (!(await readStatement(statement))) {
          await replaceFile(updateFile(statement.job, statement.updateRoot), bytes);
          await claimFile(fileOf(statement, STATEMENT_FILE), encodeEntry(statement));
        }
        return signedUpdate((await readStatement(statement)) as UpdateStatement);
      }),
    keepReceipt: (receipt) =>
      available(folder, async () => {
        const statement = await readStatement(receipt);
        if (!statement) throw notSigned(receipt);
        if ((await readReceipt(receipt))?.verdict === 'accepted') return;
        await replaceFile(fileOf(receipt, RECEIPT_FILE), encodeEntry(receipt));
        await rm(updateFile(statement.job, statement.updateRoot), { force: true });
      }),
    unanswered: (job) =>
      available(folder, async () => {
        const names = new Set(await namesIn(folderOf(job)));
        const open = [...names].filter((name) => {
          const stem = name.endsWith(STATEMENT_FILE) ? name.slice(0, -STATEMENT_FILE.length) : undefined;
          return stem !== undefined && !names.has(`${stem}${RECEIPT_FILE}`);
        });
        const statements = await Promise.all(
          open.map(async (name) => {
            const file = join(folderOf(job), name);
            return decodeStatement(file, (await readIfPresent(file)) ?? new Uint8Array());
          }),
        );
        return Promise.all(statements.sort(byAttempt).map(signedUpdate));
      }),
    receipts: (job) =>
      available(folder, async () => {
        const names = await namesIn(folderOf(job));
        const files = names.filter((name) => name.endsWith(RECEIPT_FILE)).map((name) => join(folderOf(job), name));
        const receipts = await Promise.all(
          files.map(async (file) => decodeReceipt(file, (await readIfPresent(file)) ?? new Uint8Array())),
        );
        return receipts.sort(byAttempt);
      }),
  };
}

async function available<T>(folder: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof FedanchorError) throw cause;
    throw new JournalError(
      'journal/unavailable',
      `the journal in ${folder} cannot be read or written (${(cause as Error).message}): check its disk and permissions`,
      { folder },
      cause,
    );
  }
}
