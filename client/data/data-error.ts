import { FedanchorError } from '../../shared/errors.ts';

/** What can be wrong with a client's data. */
export type DataErrorCode =
  | 'data/bad-option'
  | 'data/folder-missing'
  | 'data/no-client-folders'
  | 'data/too-few-packages'
  | 'data/too-little-text';

/** Thrown when text cannot be found or is too short to train on. */
export class DataError extends FedanchorError<DataErrorCode> {}
