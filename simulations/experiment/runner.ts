import type { ExperimentRun } from './experiment.ts';
import type { RunResult } from './run-result.ts';

/** What is told of a run on its way. */
export interface RunProgress {
  /** So many of its rounds are done; a run that is redone begins again. */
  onRound?(round: number): void;
}

/** Makes runs: threads of this process, or machines that take them from a queue. */
export interface Runner {
  /** Runs that can be made at the same time. */
  readonly capacity: number;
  /**
   * Makes a run.
   *
   * @returns what it gave: it may have diverged, or failed, by an error of its own or because who made it was lost twice
   * @throws ExperimentError `experiment/cannot-write` where the disk is full, `experiment/refused` if nobody may make it,
   * `experiment/interrupted` if the runner is closed: all leave the run to be made another time
   */
  run(run: ExperimentRun, progress?: RunProgress): Promise<RunResult>;
  /** Ends what is under way and gives back what is held. */
  close(): Promise<void>;
}
