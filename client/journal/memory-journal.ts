import type { Hex } from '../../shared/bytes.ts';
import { alreadyAnswered, notSigned } from './journal-error.ts';
import {
  byAttempt,
  type JournalEntry,
  type SignStatement,
  type SubmissionJournal,
  type SubmissionKey,
} from './submission-journal.ts';

/**
 * A journal that lasts as long as its process: for simulations and tests, not for a client that may be restarted.
 *
 * @param sign - makes the signatures
 */
export function createMemoryJournal(sign: SignStatement): SubmissionJournal {
  const entries = new Map<string, JournalEntry>();
  return {
    find: async (key) => entries.get(nameOf(key)),
    sign: async (statement, bytes) => {
      const before = entries.get(nameOf(statement));
      if (before?.at === 'answered') throw alreadyAnswered(statement);
      if (before) return before.update;
      const update = { statement, signature: sign(statement), bytes: bytes.slice() };
      entries.set(nameOf(statement), { at: 'signed', update });
      return update;
    },
    keepReceipt: async (receipt) => {
      const before = entries.get(nameOf(receipt));
      if (!before) throw notSigned(receipt);
      if (before.at === 'answered' && before.receipt.verdict === 'accepted') return;
      const statement = before.at === 'answered' ? before.statement : before.update.statement;
      entries.set(nameOf(receipt), { at: 'answered', statement, receipt });
    },
    unanswered: async (job) =>
      [...entries.values()]
        .flatMap((entry) => (entry.at === 'signed' && entry.update.statement.job === job ? [entry.update] : []))
        .sort((a, b) => byAttempt(a.statement, b.statement)),
    receipts: async (job: Hex) =>
      [...entries.values()]
        .flatMap((entry) => (entry.at === 'answered' && entry.receipt.job === job ? [entry.receipt] : []))
        .sort(byAttempt),
  };
}

function nameOf({ job, round, attempt }: SubmissionKey): string {
  return `${job}/${attempt}/${round}`;
}
