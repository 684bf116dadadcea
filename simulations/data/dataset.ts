import type { Hex } from '../../shared/bytes.ts';

/** Labelled examples in memory. */
export interface Examples {
  /** `count * features` values, one example after the other. */
  readonly inputs: Float32Array;
  /** One class an example, 0 <= label < classes. */
  readonly labels: Int32Array;
  /** Examples. */
  readonly count: number;
  /** Which natural group (writer, folder, site) each example is of, where the data has such groups. */
  readonly groups?: Int32Array;
}

/** What an experiment trains and tests on. */
export interface Dataset {
  /** Name, as in the experiment. */
  readonly name: string;
  /** Shape of one example, such as `[28, 28, 1]`. */
  readonly shape: readonly number[];
  /** Values of one example. */
  readonly features: number;
  /** Classes. */
  readonly classes: number;
  /** Trained on, cut among the clients. */
  readonly train: Examples;
  /** Tested on. */
  readonly test: Examples;
  /** Names of the natural groups, by index; absent where there are none. */
  readonly groupNames?: readonly string[];
  /** SHA-256 over the content: the same examples in the same order give the same hash. */
  readonly contentHash: Hex;
}
