import { join } from 'node:path';
import { z } from 'zod';
import type { Hex } from '../../shared/bytes.ts';
import { createFolder, readIfPresent, replaceFile } from '../journal/durable-files.ts';

/** A round that was audited with all before it, and held. */
export interface HeldRound {
  /** The round. */
  readonly round: number;
  /** Head of the chain after it, 26 bytes: it stands for every record up to it. */
  readonly head: Hex;
}

/** Remembers what was audited, so that a restart need not recompute a job from its first round. */
export interface AuditMemory {
  /** What is remembered, in order of rounds. */
  load(): Promise<readonly HeldRound[]>;
  /** Remembers a round; those from it on that were remembered before are forgotten. */
  add(held: HeldRound): Promise<void>;
}

const heldSchema = z.array(
  z.strictObject({
    round: z.number().int().min(1),
    head: z.custom<Hex>((value) => typeof value === 'string' && /^0x[0-9a-f]{52}$/.test(value)),
  }),
);

/** A rewind goes back no further than what is not final; beyond, a restart recomputes. */
const ROUNDS_KEPT = 256;

/** Remembers as long as the process lives. */
export function createMemoryAuditMemory(): AuditMemory {
  let kept: readonly HeldRound[] = [];
  return {
    load: async () => kept,
    add: async (held) => {
      kept = following(kept, held);
    },
  };
}

/**
 * Remembers in a file, which only this machine's auditor writes. One that is damaged counts for nothing: what it said is
 * recomputed.
 *
 * @param folder - created if it is missing
 * @param anchor - the job's RoundAnchor: another job in the same folder has another file
 */
export function createFileAuditMemory(folder: string, anchor: Hex): AuditMemory {
  const path = join(folder, `audited-${anchor.slice(2)}.json`);
  let kept: readonly HeldRound[] | undefined;
  const load = async (): Promise<readonly HeldRound[]> => {
    if (kept !== undefined) return kept;
    const bytes = await readIfPresent(path);
    const parsed = heldSchema.safeParse(bytes && jsonOf(new TextDecoder().decode(bytes)));
    kept = parsed.success ? parsed.data : [];
    return kept;
  };
  return {
    load,
    add: async (held) => {
      kept = following(await load(), held);
      await createFolder(folder);
      await replaceFile(path, new TextEncoder().encode(JSON.stringify(kept)));
    },
  };
}

function following(kept: readonly HeldRound[], held: HeldRound): readonly HeldRound[] {
  return [...kept.filter(({ round }) => round < held.round), held].slice(-ROUNDS_KEPT);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
