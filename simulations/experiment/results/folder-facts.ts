import type { Experiment } from '../experiment.ts';

/** What is kept of an experiment beside its results. */
export interface FolderFacts {
  /** The experiment. */
  readonly experiment: Experiment;
  /** SHA-256 of the data that it is made on. */
  readonly dataHash: string;
  /** What makes the runs: the program's version and a hash of what decides results. */
  readonly program: string;
  /** Name of the file that it was read from. */
  readonly file: string;
}
