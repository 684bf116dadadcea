import { fork } from 'node:child_process';
import type { ChildOutcome, ChildWork } from './child-work.ts';

/** The argument behind which a child finds its work. */
export const CHILD_FLAG = '--child';

/** What came of a child that did not say so itself. */
export interface ChildLoss {
  /** What tells it from an outcome. */
  readonly kind: 'lost';
  /** How it ended. */
  readonly reason: string;
}

/**
 * Has this same program do work in a process of its own: a native library or a driver that takes its process down takes no
 * more than that, and memory is that of one model.
 *
 * @param work - what to do
 * @param limitMs - after which it is ended
 */
export function runChild(work: ChildWork, limitMs: number): Promise<ChildOutcome | ChildLoss> {
  return new Promise((resolve) => {
    const child = fork(process.argv[1] as string, [CHILD_FLAG, JSON.stringify(work)]);
    let outcome: ChildOutcome | ChildLoss | undefined;
    const timer = setTimeout(() => {
      outcome ??= { kind: 'lost', reason: `not done after ${limitMs / 1_000} s` };
      child.kill('SIGKILL');
    }, limitMs);
    child.on('message', (message) => {
      outcome ??= message as ChildOutcome;
    });
    child.on('error', (error) => {
      outcome ??= { kind: 'lost', reason: error.message };
    });
    child.on('exit', (code, signal) => {
      clearTimeout(timer);
      resolve(outcome ?? { kind: 'lost', reason: `it ended without an answer (${signal ?? `exit code ${code}`})` });
    });
  });
}
