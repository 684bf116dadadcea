import { z } from 'zod';
import type { Experiment, ExperimentRun } from '../experiment.ts';
import { ExperimentError } from '../experiment-error.ts';
import { runId } from '../run-id.ts';
import type { RunSpec } from '../run-spec.ts';

/** How often a run may be given back before it counts as one that nobody makes. */
export const MOST_ATTEMPTS = 1000;
/** How often a run may lose the worker that makes it: what ends every worker would end them all. */
export const MOST_LOSSES = 2;

/** A run as it waits in the queue. */
export interface RunJob {
  /** The run's id. */
  readonly id: string;
  /** What is to be run. */
  readonly spec: RunSpec;
  /** Who may make it: `programIdentity`. */
  readonly program: string;
  /** SHA-256 of the data that it must be made on. */
  readonly dataHash: string;
  /** SHA-256 of the own files that it names, by path. */
  readonly ownFiles: Readonly<Record<string, string>>;
}

/** What is told of a run that a worker has. */
export type RunJobProgress =
  | { readonly round: number }
  | { readonly refused: { readonly code: string; readonly message: string; readonly by: string } };

const schema = z.object({
  id: z.string(),
  spec: z.looseObject({ data: z.looseObject({ name: z.string() }) }),
  program: z.string(),
  dataHash: z.string(),
  ownFiles: z.record(z.string(), z.string()),
});

/** A run of an experiment as it is put into the queue. */
export function runJob({ id, spec }: ExperimentRun, experiment: Experiment, program: string, dataHash: string): RunJob {
  return { id, spec, program, dataHash, ownFiles: experiment.ownFiles };
}

/**
 * Reads a run from the queue.
 *
 * @throws ExperimentError `experiment/refused` if it is none, or if its id is not that of its specification
 */
export function readRunJob(data: unknown): RunJob {
  const parsed = schema.safeParse(data);
  const job = parsed.data as unknown as RunJob | undefined;
  if (job !== undefined && runId(job.spec) === job.id) return job;
  throw new ExperimentError(
    'experiment/refused',
    'what waits in the queue is no run: name a queue of its own with --queue',
  );
}
