import { appendFile, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Hex } from '../../shared/bytes.ts';
import type { Log } from '../log.ts';
import type { Decision } from './decide.ts';

/** Says for each job what was decided and why, once for as long as it stays the same. */
export interface DecisionLog {
  /** Writes down a decision; `note` says what came of it. */
  say(anchor: Hex, decision: Decision, note?: string): Promise<void>;
}

/** So much is kept twice over: the file, and the one before it. */
const MOST_BYTES = 8 * 2 ** 20;

/**
 * Keeps decisions in `decisions.ndjson` of a folder: one JSON object a line, with the time.
 *
 * @param now - milliseconds since 1970
 */
export function createDecisionLog(folder: string, log: Log, now: () => number): DecisionLog {
  const file = join(folder, 'decisions.ndjson');
  const last = new Map<Hex, string>();
  return {
    async say(anchor, decision, note) {
      const reasons = 'reasons' in decision ? decision.reasons : [];
      const stake = decision.kind === 'join' ? { stake: String(decision.stake) } : {};
      const said = { decision: decision.kind, ...stake, ...(reasons.length > 0 && { reasons }), ...(note && { note }) };
      // What a reason counts may change with every block: the log tells when the reasons do.
      const key = JSON.stringify([decision.kind, reasons.map(({ code }) => code), note]);
      if (last.get(anchor) === key) return;
      last.set(anchor, key);
      log.info({ job: anchor, ...said }, note ?? sentence(decision));
      const line = `${JSON.stringify({ time: new Date(now()).toISOString(), job: anchor, ...said })}\n`;
      if ((await sizeOf(file)) + line.length > MOST_BYTES) await rename(file, `${file}.1`);
      await appendFile(file, line, { mode: 0o600 });
    },
  };
}

function sentence(decision: Decision): string {
  switch (decision.kind) {
    case 'inspect':
      return 'the job is worth a look at its manifest';
    case 'join':
      return 'the job is joined';
    case 'stay':
      return 'the job is worked on';
    case 'ignore':
      return 'the job is not taken';
    case 'wait':
      return 'the job is not taken now';
    case 'leave':
      return 'the job is left for now';
  }
}

async function sizeOf(file: string): Promise<number> {
  return (await stat(file).catch(() => undefined))?.size ?? 0;
}
