import { readdir, readFile } from 'node:fs/promises';
import { MARK_VARIABLE } from './child-environment.ts';

/** Passes over the processes of a machine: one that forks while it is looked at is found by the next. */
const MOST_PASSES = 8;

/**
 * Sends a signal to all processes of a group; there may be none left.
 *
 * @param group - the id of the process that leads it
 */
export function signalGroup(group: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-group, signal);
  } catch {
    // It is gone.
  }
}

/**
 * Kills all processes that carry a mark in their environment, those aside that have left the group of the process that
 * was given it. Linux alone tells of another process's environment; elsewhere this does nothing. A process that has
 * rewritten its environment is not found.
 *
 * @param mark - a value of the environment variable that marks
 */
export async function killMarked(mark: string): Promise<void> {
  for (let pass = 0; pass < MOST_PASSES; pass++) {
    const found = await findMarked(mark);
    if (found.length === 0) return;
    for (const pid of found) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It is gone.
      }
    }
  }
}

/** The processes that carry a mark in their environment, or one that begins with it and a slash: on Linux, else none. */
export async function findMarked(mark: string): Promise<number[]> {
  if (mark === '' || process.platform !== 'linux') return [];
  const found: number[] = [];
  for (const name of await readdir('/proc').catch(() => [])) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    // Those of others cannot be read, those that have just ended are empty.
    const environment = await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '');
    const entry = `${MARK_VARIABLE}=${mark}`;
    if (environment.split('\0').some((each) => each === entry || each.startsWith(`${entry}/`))) found.push(pid);
  }
  return found;
}

/** When a process began, in words that no later process of the same number repeats; empty if there is none. */
export async function startOf(pid: number): Promise<string> {
  if (!Number.isSafeInteger(pid) || pid <= 0) return '';
  if (process.platform === 'linux') {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
    const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '');
    // Field 22 of proc(5), counted behind the name, which may hold anything.
    const ticks = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
    return ticks === undefined ? '' : `${boot.trim()}/${ticks}`;
  }
  try {
    process.kill(pid, 0);
    return 'running';
  } catch {
    return '';
  }
}
