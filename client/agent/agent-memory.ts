import { join } from 'node:path';
import { z } from 'zod';
import { type Hex, utf8 } from '../../shared/bytes.ts';
import { createFolder, readIfPresent, replaceFile } from '../journal/durable-files.ts';
import { AgentError } from './agent-error.ts';

const memorySchema = z.strictObject({
  version: z.literal(1),
  jobs: z.record(
    z.string().regex(/^0x[0-9a-f]{40}$/),
    z.strictObject({
      /** Where its coordinator was when it was joined. */
      coordinatorUrl: z.string(),
      /** How it ended for this agent; absent while it has not. */
      outcome: z.string().optional(),
      /** Whether all that was earned is claimed and nothing is staked any more. */
      isSettled: z.boolean(),
    }),
  ),
});

/** What an agent remembers of a job that it has joined. */
export type RememberedJob = z.infer<typeof memorySchema>['jobs'][string];

/** What an agent remembers beside what the chain tells it: the jobs it has joined, by their RoundAnchors. */
export interface AgentMemory {
  /** Every job. */
  entries(): readonly (readonly [Hex, RememberedJob])[];
  /** One job. */
  get(anchor: Hex): RememberedJob | undefined;
  /** Writes one job down, durably. */
  set(anchor: Hex, job: RememberedJob): Promise<void>;
}

/**
 * Opens the memory in a folder.
 *
 * @throws AgentError `agent/bad-state`
 */
export async function openAgentMemory(folder: string): Promise<AgentMemory> {
  await createFolder(folder);
  const file = join(folder, 'agent.json');
  const bytes = await readIfPresent(file);
  const jobs = new Map<Hex, RememberedJob>(bytes === undefined ? [] : parse(file, bytes));
  return {
    entries: () => [...jobs],
    get: (anchor) => jobs.get(anchor),
    async set(anchor, job) {
      jobs.set(anchor, job);
      await replaceFile(file, utf8(`${JSON.stringify({ version: 1, jobs: Object.fromEntries(jobs) }, null, 2)}\n`));
    },
  };
}

function parse(file: string, bytes: Uint8Array): (readonly [Hex, RememberedJob])[] {
  try {
    const { jobs } = memorySchema.parse(JSON.parse(new TextDecoder().decode(bytes)));
    return Object.entries(jobs) as [Hex, RememberedJob][];
  } catch (cause) {
    const message = `${file} cannot be read: an agent that starts without it claims nothing for the jobs in it; repair it, or move it away`;
    throw new AgentError('agent/bad-state', message, { file }, cause);
  }
}
