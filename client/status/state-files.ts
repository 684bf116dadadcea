import { join } from 'node:path';
import type { Hex } from '../../shared/bytes.ts';

/** Where in a state folder a participant's process of one job leaves word of itself. */
export interface StateFiles {
  /** Names the process that takes part. */
  readonly lock: string;
  /** How it is doing. */
  readonly status: string;
}

/** The files of a participant in a job, beside its journal. */
export function stateFiles(state: string, participant: Hex, anchor: Hex): StateFiles {
  const stem = join(state, participant, anchor);
  return { lock: `${stem}.lock`, status: `${stem}.status.json` };
}
