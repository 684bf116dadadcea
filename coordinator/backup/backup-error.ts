import { FedanchorError } from '../../shared/errors.ts';

/** Thrown when a job cannot be backed up or restored; where that was to go, nothing is left that could pass for a job. */
export class BackupError extends FedanchorError<
  'backup/target-in-use' | 'backup/not-a-backup' | 'backup/incomplete' | 'backup/damaged' | 'backup/unwritable'
> {}
