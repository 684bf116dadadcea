import type { Hex } from '../shared/bytes.ts';
import { FedanchorError } from '../shared/errors.ts';
import type { JobTerms } from '../shared/round/job-terms.ts';
import type { Attestations } from './attestations/attestations.ts';
import type { BlobStore } from './blobs/blob-store.ts';
import type { UploadStore } from './blobs/upload-store.ts';
import type { DisputeBoard } from './court/dispute-board.ts';
import type { Eligibility } from './court/eligibility.ts';
import type { JobRunner } from './runner.ts';
import type { Session } from './sessions.ts';
import type { StorageHealth } from './stores/storage-health.ts';

/** Thrown when a job is asked for that this coordinator does not run, or that is not the session's. */
export class WrongJobError extends FedanchorError<'request/unknown-job' | 'request/wrong-job'> {}

/** A job that a coordinator runs: everything the planes need to serve it, and nothing of any other job. */
export interface HostedJob {
  /** The job's terms. */
  readonly terms: JobTerms;
  /** The job's RoundAnchor. */
  readonly anchor: Hex;
  /** The job's RewardVault. */
  readonly vault?: Hex;
  /** Its loop. */
  readonly runner: JobRunner;
  /** Its stored blobs. */
  readonly blobs: BlobStore;
  /** Its updates on their way in. */
  readonly uploads: UploadStore;
  /** Where its participants' attestations go, where its rounds need any. */
  readonly attestations?: Pick<Attestations, 'take'>;
  /** The disputes over its rounds, where it has a court. */
  readonly disputes?: DisputeBoard;
  /** Who may take part by stake, where it has a court. */
  readonly eligibility?: Eligibility;
  /** The watch over its storage, where there is one. */
  readonly storage?: Pick<StorageHealth, 'status'>;
}

/** The jobs of one coordinator. */
export interface JobRegister {
  /** All of them, in the order they were added. */
  readonly all: readonly HostedJob[];
  /**
   * The job of this identifier.
   *
   * @throws WrongJobError `request/unknown-job`
   */
  find(job: Hex): HostedJob;
  /** Adds a job; it is served from now on. */
  add(job: HostedJob): void;
  /** Calls a listener for every job, those that are there already and those that come. */
  onJob(listener: (job: HostedJob) => void): void;
}

/** Creates an empty register. */
export function createJobRegister(): JobRegister {
  const jobs = new Map<Hex, HostedJob>();
  const listeners: ((job: HostedJob) => void)[] = [];
  return {
    get all() {
      return [...jobs.values()];
    },
    find: (id) => {
      const job = jobs.get(id);
      if (job) return job;
      throw new WrongJobError('request/unknown-job', `job ${id} is not run here: check the coordinator's address`, {
        job: id,
      });
    },
    add: (job) => {
      jobs.set(job.terms.job, job);
      for (const listener of listeners) listener(job);
    },
    onJob: (listener) => {
      listeners.push(listener);
      for (const job of jobs.values()) listener(job);
    },
  };
}

/** Whether an address may take part in a job, by the job's manifest and its operator. */
export function mayParticipate({ terms, runner }: HostedJob, address: Hex): boolean {
  if (runner.state.progress.banned?.[address] !== undefined) return false;
  const { admission } = terms.manifest.participation;
  return admission === 'open' || admission.includes(address);
}

/**
 * The job that a participant's session is for, which must be the one that is asked about.
 *
 * @throws WrongJobError `request/wrong-job`, `request/unknown-job`
 */
export function jobOfSession(jobs: JobRegister, session: Pick<Session, 'job'>, asked: Hex): HostedJob {
  if (session.job === asked) return jobs.find(asked);
  throw new WrongJobError('request/wrong-job', `the session is for job ${session.job}, not for ${asked}`);
}
