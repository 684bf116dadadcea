import { basename, dirname, resolve } from 'node:path';
import type { Dataset } from '../data/dataset.ts';
import { openDataset } from '../data/open-dataset.ts';
import { writeReport } from '../report/write-report.ts';
import { writing } from './disk-fault.ts';
import type { Experiment, ExperimentRun } from './experiment.ts';
import { ExperimentError } from './experiment-error.ts';
import { filterRuns } from './filter.ts';
import { type ImpossibleRun, impossibleRuns } from './impossible.ts';
import { programIdentity } from './program-identity.ts';
import type { Progress } from './progress.ts';
import { readExperiment } from './read-experiment.ts';
import { openExperimentFolder } from './results/experiment-folder.ts';
import { runExperiment, type Tally } from './run-experiment.ts';
import type { Runner } from './runner.ts';

/** An experiment that was read and held against its data. */
export interface PreparedExperiment {
  /** All of it. */
  readonly experiment: Experiment;
  /** The runs that are wanted and possible. */
  readonly chosen: readonly ExperimentRun[];
  /** Runs that are wanted and cannot be made. */
  readonly impossible: readonly ImpossibleRun[];
  /** The data. */
  readonly dataset: Dataset;
  /** What paths are relative to. */
  readonly baseFolder: string;
}

/**
 * Reads an experiment, opens its data, and looks for what cannot be.
 *
 * @param only - which runs are wanted; all unless given
 * @throws ConfigError, ExperimentError, DatasetError, DataError for what is wrong with any of it
 */
export async function prepareExperiment(file: string, only?: string): Promise<PreparedExperiment> {
  const experiment = await readExperiment(file);
  const baseFolder = dirname(resolve(file));
  const wanted = only === undefined ? experiment.runs : filterRuns(experiment.runs, only);
  const dataset = await openDataset((wanted[0] as ExperimentRun).spec.data, baseFolder);
  const impossible = await impossibleRuns(wanted, dataset, baseFolder);
  const left = new Set(impossible.map(({ run }) => run.id));
  return { experiment, chosen: wanted.filter(({ id }) => !left.has(id)), impossible, dataset, baseFolder };
}

/** What makes the runs of a prepared experiment, and tells of it. */
export type OpenRunner = (
  remaining: readonly ExperimentRun[],
  scratch: string,
) => Promise<{ readonly runner: Runner; readonly progress: Progress }>;

/**
 * Makes the chosen runs of an experiment into a folder, and the report of all results that are there.
 *
 * @param file - the experiment's file
 * @param signal - ends it; what has a result keeps it
 * @throws ExperimentError if it cannot begin or go on; there is nothing that a later call with `resume` would make again but
 * the runs that were under way
 */
export async function simulate(
  file: string,
  { experiment, chosen, dataset }: PreparedExperiment,
  { folder: path, resume }: { readonly folder: string; readonly resume: boolean },
  open: OpenRunner,
  signal: AbortSignal,
): Promise<Tally> {
  if (chosen.length === 0) {
    throw new ExperimentError('experiment/nothing-to-run', 'no run of the experiment is possible: change it');
  }
  const facts = { experiment, dataHash: dataset.contentHash, program: programIdentity(), file: basename(file) };
  const folder = await openExperimentFolder(path, facts, resume);
  try {
    const tally = await runExperiment(path, experiment, chosen, (remaining) => open(remaining, folder.scratch), signal);
    await writing(() => writeReport(path, experiment, facts.file));
    return tally;
  } finally {
    await folder.close();
  }
}
