import { beforeEach, describe, expect, it } from 'vitest';
import type { SignStatement, SubmissionJournal } from '../../client/journal/submission-journal.ts';
import { createWallet } from '../../contracts/wallet.ts';
import { type Hex, toHex } from '../../shared/bytes.ts';
import { type UpdateStatement, updateDigest } from '../../shared/commitments/contribution.ts';
import type { SignedReceipt, Verdict } from '../../shared/commitments/receipt.ts';
import { updateTree } from '../../shared/commitments/vector-trees.ts';

/** The participant of the suite. */
export const journalWallet = createWallet(`0x${'51'.repeat(32)}`);

/** Signs as a client would; counts what it signed. */
export function countingSigner(): { sign: SignStatement; signed: UpdateStatement[] } {
  const signed: UpdateStatement[] = [];
  const domain = { chainId: 31337n, anchor: `0x${'a1'.repeat(20)}` as Hex };
  return {
    signed,
    sign: (statement) => {
      signed.push(statement);
      return journalWallet.signDigest(updateDigest(domain, statement));
    },
  };
}

/** An update filled with one byte, and its statement. */
export function someUpdate(fill: number, round = 1, attempt = 0): { statement: UpdateStatement; bytes: Uint8Array } {
  const bytes = new Uint8Array(256).fill(fill);
  return {
    bytes,
    statement: {
      job: `0x${'0b'.repeat(32)}`,
      round,
      attempt,
      parentRoot: `0x${'0c'.repeat(32)}`,
      updateRoot: toHex(updateTree(bytes).root),
      samples: 10,
      largestMagnitude: fill,
      datasetCommitment: `0x${'0d'.repeat(32)}`,
    },
  };
}

/** A receipt about a statement; its signature is not looked at by journals. */
export function someReceipt(statement: UpdateStatement, verdict: Verdict): SignedReceipt {
  const { job, round, attempt, updateRoot } = statement;
  const code = verdict === 'accepted' ? '' : `gate/${verdict}`;
  const participant = journalWallet.address;
  return { job, round, attempt, updateRoot, participant, verdict, code, signature: `0x${'0e'.repeat(65)}` };
}

/**
 * What every journal must do.
 *
 * @param open - opens one journal on the same storage each time within one test; a fresh storage for each test
 */
export function submissionJournalConformance(open: (sign: SignStatement) => Promise<SubmissionJournal>): void {
  describe('as a submission journal', () => {
    let journal: SubmissionJournal;
    let signer: ReturnType<typeof countingSigner>;
    beforeEach(async () => {
      signer = countingSigner();
      journal = await open(signer.sign);
    });

    it('knows nothing of what was never signed', async () => {
      const { statement } = someUpdate(1);
      expect(await journal.find(statement)).toBeUndefined();
      expect(await journal.receipts(statement.job)).toEqual([]);
    });

    it('gives back what it signed, byte for byte', async () => {
      const { statement, bytes } = someUpdate(1);
      const update = await journal.sign(statement, bytes);
      expect(update).toEqual({ statement, bytes, signature: signer.sign(statement) });
      expect(await journal.find(statement)).toEqual({ at: 'signed', update });
    });

    it('signs one root only for one round and attempt, and gives the first one back', async () => {
      const first = someUpdate(1);
      const second = someUpdate(2);
      const kept = await journal.sign(first.statement, first.bytes);
      expect(await journal.sign(second.statement, second.bytes)).toEqual(kept);
      expect(signer.signed.map(({ updateRoot }) => updateRoot)).not.toContain(second.statement.updateRoot);
    });

    it('lets one of two at the same time win', async () => {
      const [one, other] = [someUpdate(1), someUpdate(2)];
      const [a, b] = await Promise.all([
        journal.sign(one.statement, one.bytes),
        journal.sign(other.statement, other.bytes),
      ]);
      expect(a).toEqual(b);
      expect(new Set(signer.signed.map(({ updateRoot }) => updateRoot)).size).toBe(1);
    });

    it('keeps rounds, attempts and jobs apart', async () => {
      const keys = [someUpdate(1, 1, 0), someUpdate(2, 2, 0), someUpdate(3, 1, 1)];
      const foreign = { ...someUpdate(4, 1, 0).statement, job: `0x${'ff'.repeat(32)}` as Hex };
      for (const { statement, bytes } of keys) await journal.sign(statement, bytes);
      await journal.sign(foreign, someUpdate(4).bytes);
      for (const { statement, bytes } of keys) {
        expect(await journal.find(statement)).toMatchObject({ at: 'signed', update: { statement, bytes } });
      }
      expect(await journal.find(foreign)).toMatchObject({ update: { statement: foreign } });
    });

    it('does not share its bytes with the caller', async () => {
      const { statement, bytes } = someUpdate(1);
      await journal.sign(statement, bytes);
      bytes.fill(9);
      expect(await journal.find(statement)).toMatchObject({ update: { bytes: new Uint8Array(256).fill(1) } });
    });

    it('keeps receipts, in order of attempt and round, and signs no more for what has one', async () => {
      const updates = [someUpdate(1, 2, 1), someUpdate(2, 10, 0), someUpdate(3, 9, 0)];
      for (const { statement, bytes } of updates) {
        await journal.sign(statement, bytes);
        await journal.keepReceipt(someReceipt(statement, 'accepted'));
      }
      const receipts = await journal.receipts(someUpdate(1).statement.job);
      expect(receipts.map(({ attempt, round }) => [attempt, round])).toEqual([
        [0, 9],
        [0, 10],
        [1, 2],
      ]);
      const { statement, bytes } = someUpdate(1, 2, 1);
      expect(await journal.find(statement)).toEqual({
        at: 'answered',
        statement,
        receipt: someReceipt(statement, 'accepted'),
      });
      await expect(journal.sign(statement, bytes)).rejects.toMatchObject({ code: 'journal/answered' });
    });

    it('replaces a receipt unless it says accepted', async () => {
      const { statement, bytes } = someUpdate(1);
      await journal.sign(statement, bytes);
      for (const verdict of ['rejected', 'late', 'accepted', 'rejected'] as const) {
        await journal.keepReceipt(someReceipt(statement, verdict));
      }
      expect(await journal.receipts(statement.job)).toEqual([someReceipt(statement, 'accepted')]);
    });

    it('lists what was signed and not answered, in order of attempt and round, as it was signed', async () => {
      const updates = [someUpdate(1, 2, 1), someUpdate(2, 10, 0), someUpdate(3, 9, 0), someUpdate(4, 11, 0)];
      const signed = [];
      for (const { statement, bytes } of updates) signed.push(await journal.sign(statement, bytes));
      await journal.keepReceipt(someReceipt(someUpdate(4, 11, 0).statement, 'late'));
      const [first, second, third] = signed;
      expect(await journal.unanswered(someUpdate(1).statement.job)).toEqual([third, second, first]);
      expect(await journal.unanswered(`0x${'ff'.repeat(32)}`)).toEqual([]);
    });

    it('refuses a receipt for what was never signed', async () => {
      await expect(journal.keepReceipt(someReceipt(someUpdate(1).statement, 'accepted'))).rejects.toMatchObject({
        code: 'journal/not-signed',
      });
    });
  });
}
