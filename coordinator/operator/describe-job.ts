import type { Hex } from '../../shared/bytes.ts';
import type { JobDetail, JobSummary } from '../../shared/protocol/messages.ts';
import type { HostedJob } from '../job-register.ts';
import type { JobChronicle } from './job-chronicle.ts';

/** A job that is open, as a list shows it. */
export function summaryOf(job: HostedJob): JobSummary {
  const { terms, anchor, vault, runner, storage } = job;
  const { state } = runner;
  const { rounds, present, paused, stopping } = state.progress;
  const wanted = stopping ? `stopping: ${stopping.reason}` : paused ? paused.reason : null;
  return {
    job: terms.job,
    name: terms.manifest.name,
    anchor,
    vault: vault ?? null,
    phase: state.phase,
    paused: paused !== undefined,
    round: rounds,
    rounds: terms.manifest.rounds,
    present: present.length,
    expected: terms.manifest.participation.expected,
    reason: state.phase === 'failed' ? state.reason : (storageReason(storage) ?? courtReason(job) ?? wanted),
  };
}

/** Why a job takes no updates now, though it would: its storage cannot be written. */
function storageReason(storage: HostedJob['storage']): string | undefined {
  return storage?.status.state === 'unavailable' ? `storage cannot be written: ${storage.status.reason}` : undefined;
}

/** What its court keeps a job from, or asks of it. */
function courtReason({ runner, disputes }: HostedJob): string | undefined {
  const { unbonded } = runner.state.progress;
  if (unbonded) return `the bond is ${unbonded.held}, ${unbonded.needed} are needed: "fedanchor stake bond add"`;
  const trouble = disputes?.open.find((dispute) => dispute.trouble !== undefined);
  if (trouble) return `dispute ${trouble.id} over round ${trouble.round} cannot be answered: ${trouble.trouble}`;
  const [first] = disputes?.open ?? [];
  return first && `round ${first.round} is disputed: it is being answered`;
}

/** A job that is open, in full. */
export function detailOf(job: HostedJob, chronicle: JobChronicle, now: number): JobDetail {
  const { state } = job.runner;
  const { progress } = state;
  return {
    ...summaryOf(job),
    modelRoot: progress.modelRoot,
    attempt: progress.attempt,
    remainingMs: state.phase === 'collecting' ? Math.max(0, state.deadlineAt - now) : null,
    history: [...chronicle.rounds],
    participants: participantsOf(job, chronicle).map((address) => ({
      address,
      present: progress.present.includes(address),
      banned: progress.banned?.[address] ?? null,
      answer: state.phase === 'collecting' ? (state.answers[address]?.verdict ?? null) : null,
      ...(chronicle.answers.get(address) ?? { accepted: 0, refused: 0, declined: 0, answerMs: null }),
    })),
  };
}

/** Everyone who is admitted by name, is there, was there or is banned; ascending. */
function participantsOf({ terms, runner }: HostedJob, { answers }: JobChronicle): Hex[] {
  const { admission } = terms.manifest.participation;
  const { present, banned = {} } = runner.state.progress;
  const named = admission === 'open' ? [] : (admission as Hex[]);
  return [...new Set([...named, ...present, ...answers.keys(), ...(Object.keys(banned) as Hex[])])].sort();
}
