import { appendFileSync } from 'node:fs';

// Compiled into the program under test, where it is reached at every boundary between two effects.

/** One place where a fault may strike: the n-th time that a point is reached. */
interface Armed {
  readonly point: string;
  readonly n: number;
}

const crash = armedBy('FEDANCHOR_CRASH_AT');
const hold = armedBy('FEDANCHOR_HOLD_AT');
const trace = process.env['FEDANCHOR_TRACE'];
const reached = new Map<string, number>();

function armedBy(variable: string): Armed | undefined {
  const [point, n = '1'] = (process.env[variable] ?? '').split('#');
  return point ? { point, n: Number(n) } : undefined;
}

/** Whether this very moment is the one that is armed for a crash; for faults that have work to do before they strike. */
export function isDoomed(point: string): boolean {
  const n = (reached.get(point) ?? 0) + 1;
  reached.set(point, n);
  if (trace !== undefined) appendFileSync(trace, `${point}\n`);
  return crash?.point === point && crash.n === n;
}

/** Ends this process as `kill -9` does: nothing is flushed, closed or told. */
export function die(): never {
  process.kill(process.pid, 'SIGKILL');
  for (;;);
}

/** A boundary between two effects: here the process may be killed, or held until its parent says that it may go on. */
export function reach(point: string): Promise<void> | undefined {
  if (isDoomed(point)) die();
  if (hold?.point !== point || hold.n !== reached.get(point)) return undefined;
  // Only who listens already may say so: a signal that nobody listens for ends the process.
  const released = new Promise<void>((resolve) => process.once('SIGUSR2', () => resolve()));
  process.stdout.write('held\n');
  return released;
}

/** An effect with the boundaries on both its sides. */
export async function around<T>(point: string, effect: () => Promise<T>): Promise<T> {
  await reach(`${point} | before`);
  const result = await effect();
  await reach(`${point} | after`);
  return result;
}
