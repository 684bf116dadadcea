import { FedanchorError } from '../../shared/errors.ts';

/** What can be wrong with a client's data. */
export type DataErrorCode =
  | 'data/bad-image'
  | 'data/bad-label'
  | 'data/bad-option'
  | 'data/bad-proof'
  | 'data/bad-record'
  | 'data/bad-value'
  | 'data/changed'
  | 'data/download-failed'
  | 'data/folder-missing'
  | 'data/no-client-folders'
  | 'data/no-records'
  | 'data/no-such-record'
  | 'data/offline'
  | 'data/too-few-packages'
  | 'data/too-few-records'
  | 'data/too-little-text'
  | 'data/unreadable'
  | 'data/wrong-hash';

/** Thrown when data cannot be found, is not what the job asks for, or is too little to train on. */
export class DataError extends FedanchorError<DataErrorCode> {}
