import { z } from 'zod';
import type { SessionState } from '../session/state.ts';

const hex = (bytes: number) => z.string().regex(new RegExp(`^0x[0-9a-f]{${2 * bytes}}$`));

/** What a running client keeps in its state folder for whoever asks how it is doing. */
export const statusSchema = z.object({
  /** Address of the job's RoundAnchor. */
  anchor: hex(20),
  /** The job. */
  job: hex(32),
  /** Whose part it is. */
  participant: hex(20),
  /** Address of the coordinator. */
  coordinator: z.string(),
  /** The job's name, once the manifest is verified. */
  name: z.string().optional(),
  /** Rounds of the job, once the manifest is verified. */
  rounds: z.number().optional(),
  /** What it trains on, once that is chosen. */
  backend: z.string().optional(),
  /** The way to the coordinator: connecting, opening, open; stopped where the client has ended. */
  link: z.enum(['connecting', 'opening', 'open', 'stopped']),
  /** What is being done, as in the session's states. */
  activity: z.string(),
  /** The round that is worked on or was answered last. */
  round: z.number().optional(),
  /** Its attempt. */
  attempt: z.number().optional(),
  /** Share of the round's training that is done, 0 to 1. */
  progress: z.number().optional(),
  /** Latest loss of the training. */
  loss: z.number().optional(),
  /** The latest model on what is held out: right ones and all. */
  evaluation: z.object({ correct: z.number(), total: z.number() }).optional(),
  /** What training has used since the process began, in joules, and whether any of it was estimated. */
  energy: z.object({ joules: z.number(), estimated: z.boolean() }).optional(),
  /** How it ended, as a sentence. */
  outcome: z.string().optional(),
  /** When this was written, ISO 8601. */
  writtenAt: z.string(),
});

/** How a client is doing. */
export type ClientStatus = z.infer<typeof statusSchema>;

/** What of a status follows from the session's state. */
export function statusOfSession(state: SessionState): Pick<ClientStatus, 'link' | 'activity' | 'round' | 'attempt'> {
  if (state.at === 'stopped') return { link: 'stopped', activity: 'stopped' };
  const { link, activity, settled } = state;
  const at = 'plan' in activity ? activity.plan : settled;
  return {
    link: link.at,
    activity: activity.at,
    ...(at === null ? {} : { round: at.round, attempt: at.attempt }),
  };
}
