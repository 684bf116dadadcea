import { FedanchorError } from '../../shared/errors.ts';
import type { JobSummary } from '../../shared/protocol/messages.ts';

/** Thrown when a job cannot be told from what was asked for. */
export class FindJobError extends FedanchorError<'usage/no-such-job' | 'usage/ambiguous-job'> {}

/** What a job is known by. */
export type JobNames = Pick<JobSummary, 'job' | 'anchor' | 'name'>;

/**
 * Finds a job by its identifier, the beginning of it (four digits or more), its anchor's address or its name.
 *
 * @throws FindJobError `usage/no-such-job`, `usage/ambiguous-job`
 */
export function findAmong<T extends JobNames>(jobs: readonly T[], asked: string): T {
  const text = asked.toLowerCase();
  const exact = jobs.filter(({ job, anchor, name }) => job === text || anchor === text || name === asked);
  const near = jobs.filter(
    ({ job }) => /^(0x)?[0-9a-f]{4,}$/.test(text) && job.slice(2).startsWith(text.replace(/^0x/, '')),
  );
  const [found, second] = exact.length > 0 ? exact : near;
  if (found === undefined) {
    const known = jobs.map(({ job, name }) => `${job.slice(0, 12)} "${name}"`).join(', ') || 'none';
    throw new FindJobError('usage/no-such-job', `there is no job "${asked}": the coordinator has ${known}`);
  }
  if (second === undefined) return found;
  throw new FindJobError('usage/ambiguous-job', `several jobs are called "${asked}": give the identifier`);
}
