import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { configFindings } from '../../shared/config-check.ts';
import { FedanchorError } from '../../shared/errors.ts';
import { DEFAULT_FRACTION_BITS } from '../../shared/fixed-point/constants.ts';
import { type Layout, layoutOf } from '../../shared/fixed-point/layout.ts';
import { decodeSafetensors, type NamedTensor } from '../../shared/safetensors.ts';
import { type JobFile, jobFileSchema } from '../config/job-draft.ts';
import { readConfigValue } from '../config/toml-file.ts';
import { checkBits, checkModel } from './check-model.ts';
import {
  checkBudget,
  checkCourtTerms,
  checkParticipation,
  checkRule,
  checkTimes,
  type Funding,
} from './check-terms.ts';
import { error, type Finding } from './finding.ts';
import type { TaskWorkbench } from './task-workbench.ts';

/** What a check of a job's file came to. */
export interface JobReport {
  /** Whether nothing keeps the job from being created and from working. */
  readonly isSound: boolean;
  /** Everything found, errors first. */
  readonly findings: readonly Finding[];
  /** What the job is, where its file could be read. */
  readonly facts: JobReportFacts | undefined;
}

/** What a job is in numbers. */
export interface JobReportFacts {
  /** Its name. */
  readonly name: string;
  /** Rounds. */
  readonly rounds: number;
  /** Parameters of its model; undefined where that could not be read. */
  readonly parameters: number | undefined;
  /** Bytes of one update. */
  readonly updateBytes: number | undefined;
  /** What all rounds may earn, in the token's smallest unit. */
  readonly mostRewards: bigint;
}

/**
 * Checks a job's file and the files that it names before anything is on chain: all of it, so that one look tells everything
 * that is wrong.
 *
 * @param file - the job in TOML or JSON, as `fedanchor job create` takes it
 * @param workbench - what clients know of tasks
 */
export async function checkJob(file: string, workbench: TaskWorkbench, funding: Funding = {}): Promise<JobReport> {
  const findings: Finding[] = [];
  const said = await attempt(findings, 'file/unreadable', '', () => readConfigValue(file));
  if (said === undefined) return reportOf(findings, undefined);
  const issues = configFindings(said, jobFileSchema);
  findings.push(...issues.map(({ field, message }) => error('file/invalid', field, message)));
  if (issues.length > 0) return reportOf(findings, undefined);
  const job = jobFileSchema.parse(said);
  const at = (path: string) => resolve(dirname(file), path);

  const model = await attempt(findings, 'model/unreadable', 'model', async () =>
    decodeSafetensors(await readBytes(at(job.model))),
  );
  const layout = model && (await attempt(findings, 'model/unreadable', 'model', async () => layoutOfModel(model)));
  const architecture = await readArchitecture(job, at, findings);
  const { kind, training, data } = job.task;
  // Without an architecture there is nothing to look at, and it was said why.
  const task = architecture === undefined ? undefined : await workbench.inspect({ kind, training, data, architecture });
  findings.push(...(task?.problems ?? []).map(({ field, message }) => error('task/invalid', field, message)));
  if (model) {
    findings.push(...checkModel(model, task?.tensors), ...checkBits(model, job.initialUpdateBits, task?.farthest));
  }
  findings.push(
    ...checkRule(job),
    ...checkParticipation(job),
    ...checkBudget(job, funding),
    ...checkCourtTerms(job, layout?.dimension),
    ...checkTimes(job),
  );
  return reportOf(findings, {
    ...{ name: job.name, rounds: job.rounds, parameters: layout?.parameters },
    updateBytes: layout && 2 * layout.dimension,
    mostRewards: BigInt(job.rewards.pricePerRound) * BigInt(job.rounds),
  });
}

function layoutOfModel(model: readonly NamedTensor[]): Layout {
  return layoutOf(
    model.map(({ name, shape }) => ({ name, shape, fractionBits: DEFAULT_FRACTION_BITS, preScaleBits: 0 })),
  );
}

async function readArchitecture(
  { task }: JobFile,
  at: (path: string) => string,
  findings: Finding[],
): Promise<unknown> {
  const { architecture, architectureFile } = task;
  if ((architectureFile === undefined) === (architecture === undefined)) {
    findings.push(error('file/invalid', 'task.architecture', 'give either architecture or architectureFile'));
    return architecture;
  }
  if (architectureFile === undefined) return architecture;
  return attempt(findings, 'task/invalid', 'task.architectureFile', async () => {
    const text = await readText(at(architectureFile));
    try {
      return JSON.parse(text) as unknown;
    } catch {
      findings.push(error('task/invalid', 'task.architectureFile', `${architectureFile} is not JSON`));
      return undefined;
    }
  });
}

/** Turns what is thrown on purpose, or by the file system, into a finding. */
async function attempt<T>(
  findings: Finding[],
  code: Finding['code'],
  field: string,
  work: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await work();
  } catch (cause) {
    const isOfFiles = typeof (cause as NodeJS.ErrnoException).syscall === 'string';
    if (!isOfFiles && !(cause instanceof FedanchorError)) throw cause;
    findings.push(error(code, field, (cause as Error).message));
    return undefined;
  }
}

function readText(file: string): Promise<string> {
  return readFile(file, 'utf8');
}

async function readBytes(file: string): Promise<Uint8Array> {
  return new Uint8Array(await readFile(file));
}

function reportOf(findings: readonly Finding[], facts: JobReportFacts | undefined): JobReport {
  const errors = findings.filter(({ severity }) => severity === 'error');
  const warnings = findings.filter(({ severity }) => severity === 'warning');
  return { isSound: errors.length === 0, findings: [...errors, ...warnings], facts };
}
