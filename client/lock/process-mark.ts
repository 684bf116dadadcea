import { readFile } from 'node:fs/promises';

/** Tells one process from all others, also from a later one with the same number. */
export interface ProcessMark {
  /** Its number. */
  readonly pid: number;
  /** When it was started, in whatever unit the system counts; empty where the system does not tell. */
  readonly startedAt: string;
}

/** The mark of this process. */
export async function processMark(): Promise<ProcessMark> {
  return { pid: process.pid, startedAt: await startOf(process.pid) };
}

/** Whether the very process that was marked runs now. */
export async function isRunning({ pid, startedAt }: ProcessMark): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // It runs, and belongs to somebody else.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  return startedAt === (await startOf(pid));
}

/** Field 22 of `/proc/PID/stat` (proc(5)): ticks from boot to the process's start. Only Linux has it. */
async function startOf(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // The name before it is in brackets and may hold anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[19] ?? '';
}
