import { describe } from 'vitest';
import { createMemoryJournal } from '../../../client/journal/memory-journal.ts';
import { submissionJournalConformance } from '../../conformance/submission-journal.ts';

describe('createMemoryJournal', () => {
  submissionJournalConformance(async (sign) => createMemoryJournal(sign));
});
