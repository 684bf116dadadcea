import type { RunResult } from './run-result.ts';
import type { RunSpec } from './run-spec.ts';

/** Where a run stands in the grid: what tells it from the others, as people read it. */
export interface Cell {
  /** Pre-aggregators and rule with the parameters that were given, such as `NNM+GeometricMedian:nu=0.1`. */
  readonly rule: string;
  /** The attack with the parameters that were given, or `none`. */
  readonly attack: string;
  /** Faulty participants that the rule is to withstand; a rule that withstands none, as a plain mean, is run without. */
  readonly f: number;
  /** Clients, honest and Byzantine together. */
  readonly n: number;
  /** The partition with the parameters that were given. */
  readonly partition: string;
  /** The run's seed. */
  readonly seed: number;
}

/** One run of an experiment. */
export interface ExperimentRun {
  /** The first 16 hexadecimal digits of the SHA-256 of its specification in canonical JSON. */
  readonly id: string;
  /** Where it stands in the grid. */
  readonly cell: Cell;
  /** Everything about it. */
  readonly spec: RunSpec;
}

/** An experiment: a grid of runs, everything decided. */
export interface Experiment {
  /** Name: letters, digits, `-`, `_` and `.`. */
  readonly name: string;
  /** Seeds of each cell. */
  readonly seeds: readonly number[];
  /** All runs in grid order. */
  readonly runs: readonly ExperimentRun[];
  /** Of each own attack, rule and partition, by the path that the experiment names: the file's SHA-256. */
  readonly ownFiles: Readonly<Record<string, string>>;
  /** SHA-256 over the runs and own files: two experiments that agree on it have the same results. */
  readonly hash: string;
  /** Title of its report. */
  readonly title: string;
}

/** A line of `results.ndjson`: a run and what it gave. */
export interface ResultLine {
  /** The run's id. */
  readonly id: string;
  /** Where it stands in the grid. */
  readonly cell: Cell;
  /** What was run. */
  readonly spec: RunSpec;
  /** What it gave. */
  readonly result: RunResult;
}
