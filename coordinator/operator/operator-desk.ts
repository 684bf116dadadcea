import type { Hex } from '../../shared/bytes.ts';
import { FedanchorError } from '../../shared/errors.ts';
import type { AnswerOf, JobDetail, JobSummary, RequestOf } from '../../shared/protocol/messages.ts';
import type { HostedJob, JobRegister } from '../job-register.ts';
import type { OperatorAct } from '../round/operated.ts';
import type { Sessions } from '../sessions.ts';
import type { AuditLog } from './audit-log.ts';
import { detailOf, summaryOf } from './describe-job.ts';
import { createJobChronicle, type JobChronicle } from './job-chronicle.ts';

/** Thrown when what an operator asks for cannot be done. */
export class OperatorError extends FedanchorError<
  'operator/unknown-job' | 'operator/not-started' | 'operator/job-over' | 'operator/not-admitted'
> {}

/** Jobs in the coordinator's folder that are not open. */
export interface JobShelf {
  /** What is there and not open. */
  list(): Promise<JobSummary[]>;
  /**
   * Opens one of them.
   *
   * @throws OperatorError `operator/unknown-job`; what opening a job throws
   */
  open(job: Hex): Promise<HostedJob>;
}

/** What the desk works with. */
export interface OperatorDeskOptions {
  /** The jobs that are open. */
  readonly jobs: JobRegister;
  /** Sessions, to be ended where somebody is banned. */
  readonly sessions: Sessions;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Jobs that are not open; none if left out. */
  readonly shelf?: JobShelf;
  /** Where it is written down who did what; nowhere if left out. */
  readonly audit?: AuditLog;
}

/** What operators can see and do, whatever way they ask. */
export interface OperatorDesk {
  /** Every job, or those that are open. */
  jobs(which: RequestOf<'operator.jobs'>['which']): Promise<JobSummary[]>;
  /**
   * One open job in full.
   *
   * @throws OperatorError `operator/not-started`
   */
  job(job: Hex): JobDetail;
  /** Starts, pauses, resumes or stops a job. */
  act(
    operator: Hex,
    job: Hex,
    action: RequestOf<'operator.act'>['action'],
    reason: string,
  ): Promise<AnswerOf<'operator.act'>>;
  /** Bans a participant, or lets it in again. */
  judge(
    operator: Hex,
    job: Hex,
    participant: Hex,
    action: RequestOf<'operator.participant'>['action'],
    reason: string,
  ): Promise<AnswerOf<'operator.participant'>>;
  /** The chronicle of an open job. */
  chronicleOf(job: HostedJob): JobChronicle;
}

/** Creates the desk. Every act is in the audit log before it is done. */
export function createOperatorDesk({ jobs, sessions, now, shelf, audit }: OperatorDeskOptions): OperatorDesk {
  const chronicles = new Map<HostedJob, JobChronicle>();
  const chronicleOf = (job: HostedJob): JobChronicle => {
    const known = chronicles.get(job) ?? createJobChronicle(job);
    chronicles.set(job, known);
    return known;
  };
  jobs.onJob(chronicleOf);

  const openJob = (id: Hex): HostedJob => {
    const job = jobs.all.find(({ terms }) => terms.job === id);
    if (job) return job;
    throw new OperatorError('operator/not-started', `job ${id} is not running here: "job list" shows what is`, {
      job: id,
    });
  };
  const write = async (operator: Hex, action: string, job: Hex, details: Record<string, string>): Promise<void> => {
    await audit?.append({ at: now(), operator, action, job, details });
  };
  const operate = async (job: HostedJob, act: OperatorAct): Promise<boolean> => {
    const before = job.runner.history.length;
    await job.runner.operate(act);
    return job.runner.history.slice(before).some(({ type }) => type === act.type);
  };

  return {
    chronicleOf,
    jobs: async (which) => [...jobs.all.map(summaryOf), ...((which === 'all' && (await shelf?.list())) || [])],
    job: (id) => {
      const job = openJob(id);
      return detailOf(job, chronicleOf(job), now());
    },
    act: async (operator, id, action, reason) => {
      if (action === 'start') {
        const running = jobs.all.find(({ terms }) => terms.job === id);
        if (running) return { job: summaryOf(running), changed: false };
        await write(operator, 'job.start', id, { reason });
        const job = await shelf?.open(id);
        return { job: summaryOf(job ?? openJob(id)), changed: true };
      }
      const job = openJob(id);
      requireGoingOn(job);
      await write(operator, `job.${action}`, id, { reason });
      const type = ({ pause: 'jobPaused', resume: 'jobResumed', stop: 'jobStopped' } as const)[action];
      const changed = await operate(job, { type, by: operator, reason });
      return { job: summaryOf(job), changed };
    },
    judge: async (operator, id, participant, action, reason) => {
      const job = openJob(id);
      const { admission } = job.terms.manifest.participation;
      if (admission !== 'open' && !admission.includes(participant)) {
        throw new OperatorError(
          'operator/not-admitted',
          `${participant} is not admitted by the job's manifest, which cannot be changed: check the address`,
          { job: id, participant },
        );
      }
      requireGoingOn(job);
      await write(operator, `participant.${action}`, id, { participant, reason });
      const type = action === 'ban' ? 'participantBanned' : 'participantAllowed';
      const changed = await operate(job, { type, by: operator, participant, reason });
      if (action === 'ban') {
        sessions.endAllOf(participant, id);
        await job.uploads.discard(participant);
      }
      return { job: detailOf(job, chronicleOf(job), now()), changed };
    },
  };
}

function requireGoingOn({ terms: { job }, runner }: HostedJob): void {
  const { phase } = runner.state;
  if (phase !== 'closed' && phase !== 'failed') return;
  throw new OperatorError('operator/job-over', `job ${job} is ${phase}: it cannot be changed any more`, { job });
}
