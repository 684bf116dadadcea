import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { BenchError } from '../bench-error.ts';
import type { WorkerReply, WorkerRequest } from './serve-parent.ts';

/** Who a process of a benchmark is. */
export type WorkerRole = 'coordinator' | 'bare' | 'crowd';

/** A process of a benchmark, asked for things over its IPC channel. */
export interface WorkerProcess {
  /**
   * Asks for one operation.
   *
   * @throws BenchError `bench/worker-failed` when it fails or the process ends
   */
  call<Answer>(operation: string, argument?: unknown): Promise<Answer>;
  /** Stops the process and waits for its end. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** How long a process may take to stop. */
const STOP_LIMIT_MS = 10_000;

/**
 * Starts a process of a benchmark.
 *
 * @param entry - the command line's own module
 * @param role - who it is
 */
export function startWorker(entry: string, role: WorkerRole): WorkerProcess {
  // Memory is read after a collection, or it would say more about the collector's mood than about what is held.
  const child = spawn(process.execPath, ['--expose-gc', entry, 'bench', 'worker', role], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const waiting = new Map<number, { resolve(answer: unknown): void; reject(error: Error): void }>();
  let asked = 0;
  child.on('message', ({ id, answer, failure }: WorkerReply) => {
    const caller = waiting.get(id);
    waiting.delete(id);
    if (failure === undefined) caller?.resolve(answer);
    else caller?.reject(new BenchError('bench/worker-failed', `the ${role} process: ${failure}`, { role }));
  });
  child.once('exit', (code, signal) => {
    const error = new BenchError('bench/worker-failed', `the ${role} process ended with ${signal ?? code}`, { role });
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
  });
  return {
    call: <Answer>(operation: string, argument?: unknown) =>
      new Promise<Answer>((resolve, reject) => {
        const id = ++asked;
        const request: WorkerRequest = { id, operation, argument };
        waiting.set(id, { resolve: resolve as (answer: unknown) => void, reject });
        child.send(request, (error) => {
          if (error === null || !waiting.delete(id)) return;
          reject(new BenchError('bench/worker-failed', `the ${role} process cannot be reached`, { role }, error));
        });
      }),
    [Symbol.asyncDispose]: () => stop(child),
  };
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const limit = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS);
  await ended;
  clearTimeout(limit);
}
