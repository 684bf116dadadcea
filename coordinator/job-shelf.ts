import { access, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Hex } from '../shared/bytes.ts';
import { FedanchorError } from '../shared/errors.ts';
import type { JobSummary } from '../shared/protocol/messages.ts';
import { writeDurably } from './blobs/files.ts';
import { type Host, hostJob, type OpenJob } from './host-job.ts';
import { openJobFolder } from './job-folder.ts';
import type { HostedJob, JobRegister } from './job-register.ts';
import { type JobShelf, OperatorError } from './operator/operator-desk.ts';

/** A job's folder holds this file until its operator starts it. */
const HELD = 'held';

/** Keeps a job from being opened until it is started. */
export async function holdJob(folder: string): Promise<void> {
  await writeDurably(join(folder, HELD), new Uint8Array());
}

/** The jobs in a coordinator's folder, and the way from there into its register. */
export interface CoordinatorShelf extends JobShelf {
  /** Opens every job that is not held; one that cannot be opened is logged and left alone. */
  openAll(): Promise<readonly FedanchorError[]>;
  /** Jobs that could not be opened. */
  readonly unavailable: ReadonlyMap<string, FedanchorError>;
  /** Waits for the loops of the jobs it opened, and closes their stores. */
  close(): Promise<void>;
}

/**
 * Creates the shelf of a coordinator's folder.
 *
 * @param folder - the coordinator's folder
 * @param host - what it lends to each job
 * @param jobs - the register that open jobs go to
 */
export function createJobShelf(folder: string, host: Host, jobs: JobRegister): CoordinatorShelf {
  const root = join(folder, 'jobs');
  const opened: OpenJob[] = [];
  const unavailable = new Map<string, FedanchorError>();
  let queue: Promise<unknown> = Promise.resolve();

  const open = async (path: string): Promise<HostedJob> => {
    const job = await hostJob(path, host);
    opened.push(job);
    jobs.add(job);
    host.log.info({ job: job.terms.job, anchor: job.anchor, phase: job.runner.state.phase }, 'job opened');
    return job;
  };
  const tryToOpen = async (path: string): Promise<void> => {
    try {
      await open(path);
      unavailable.delete(path);
    } catch (error) {
      if (!(error instanceof FedanchorError)) throw error;
      unavailable.set(path, error);
      host.log.error({ folder: path, code: error.code, error: error.message }, 'job cannot be opened');
    }
  };

  return {
    unavailable,
    openAll: async () => {
      for (const path of await jobFolders(root)) {
        if (!(await isHeld(path))) await tryToOpen(path);
      }
      return [...unavailable.values()];
    },
    list: async () => {
      const running = new Set(jobs.all.map(({ terms }) => terms.job.slice(2)));
      const others = (await jobFolders(root)).filter((path) => !running.has(idOf(path)));
      return (await Promise.all(others.map((path) => describe(path, unavailable.get(path))))).flat();
    },
    open: (job) => {
      const path = jobPath(folder, job);
      // Two requests at once must not open one job twice.
      const result = queue.then(async () => {
        const running = jobs.all.find(({ terms }) => terms.job === job);
        if (running) return running;
        const exists = await access(path).then(
          () => true,
          () => false,
        );
        if (!exists) {
          throw new OperatorError('operator/unknown-job', `there is no job ${job} here: "job list" shows what is`, {
            job,
          });
        }
        const hosted = await open(path);
        unavailable.delete(path);
        await rm(join(path, HELD), { force: true });
        return hosted;
      });
      queue = result.catch(() => {});
      return result;
    },
    close: async () => {
      for (const job of opened.reverse()) await job.close();
    },
  };
}

/** Where a coordinator keeps a job. */
export function jobPath(folder: string, job: Hex): string {
  return join(folder, 'jobs', job.slice(2));
}

/** The jobs in a coordinator's folder, whether one is running there or not, as far as their files tell. */
export async function readJobs(folder: string): Promise<JobSummary[]> {
  const paths = await jobFolders(join(folder, 'jobs'));
  return (await Promise.all(paths.map((path) => describe(path, undefined)))).flat();
}

/** Folders of jobs, in the order of their names. */
async function jobFolders(root: string): Promise<string[]> {
  await mkdir(root, { recursive: true });
  const entries = await readdir(root, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => join(root, name))
    .sort();
}

function isHeld(path: string): Promise<boolean> {
  return access(join(path, HELD)).then(
    () => true,
    () => false,
  );
}

function idOf(path: string): string {
  return path.slice(-64);
}

/** A job that is not open; nothing for a folder that is not a job's. */
async function describe(path: string, problem: FedanchorError | undefined): Promise<JobSummary[]> {
  if (!/^[0-9a-f]{64}$/.test(idOf(path))) return [];
  const job: Hex = `0x${idOf(path)}`;
  const nothing = { vault: null, paused: false, round: 0, present: 0 };
  try {
    const { terms, contracts } = await openJobFolder(path);
    const { name, rounds, participation } = terms.manifest;
    const { anchor, vault } = contracts;
    const phase = problem ? 'unavailable' : 'created';
    const reason = problem?.message ?? null;
    return [{ job, name, ...nothing, anchor, vault, phase, rounds, expected: participation.expected, reason }];
  } catch (error) {
    const reason = problem?.message ?? (error as Error).message;
    const anchor: Hex = `0x${'00'.repeat(20)}`;
    return [{ job, name: '', ...nothing, anchor, phase: 'unavailable', rounds: 0, expected: 0, reason }];
  }
}
