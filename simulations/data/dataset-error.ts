import { FedanchorError } from '../../shared/errors.ts';

/** Thrown when an experiment's data cannot be had as it names them. What is wrong inside of files is a `DataError`. */
export class DatasetError extends FedanchorError<
  'dataset/bad-option' | 'dataset/folder-missing' | 'dataset/too-few-examples' | 'dataset/wrong-hash'
> {}
