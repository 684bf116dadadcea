import { join } from 'node:path';
import { z } from 'zod';
import type { Hex } from '../../shared/bytes.ts';
import { readIfPresent } from '../blobs/files.ts';
import { BackupError } from './backup-error.ts';

const NOTE_FILE = 'backup.json';
const hex32 = z.custom<Hex>((value) => typeof value === 'string' && /^0x[0-9a-f]{64}$/.test(value));

const noteSchema = z.strictObject({
  version: z.literal(1),
  job: hex32,
  events: z.number().int().min(0),
  /** SHA-256 of the log's file: what opens it trusts its bytes. */
  logHash: hex32,
  blobs: z.array(hex32),
});

/** What a backup says about itself. It is written last: a backup that has it is complete. */
export type BackupNote = z.infer<typeof noteSchema>;

/** Where a backup's note lies. */
export function noteFile(backup: string): string {
  return join(backup, NOTE_FILE);
}

/**
 * Reads a backup's note.
 *
 * @throws BackupError `backup/not-a-backup`
 */
export async function readNote(backup: string): Promise<BackupNote> {
  const bytes = await readIfPresent(noteFile(backup)).catch(() => undefined);
  try {
    if (bytes) return noteSchema.parse(JSON.parse(new TextDecoder().decode(bytes)));
  } catch {
    // Said below.
  }
  throw new BackupError(
    'backup/not-a-backup',
    `${backup} is no complete backup: it has no readable ${NOTE_FILE}; name a folder that a backup was finished in`,
    { backup },
  );
}
