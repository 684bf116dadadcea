import { Worker } from 'node:worker_threads';
import { EngineError } from '../../aggregation/engine-error.ts';
import type { Walk, WalkAnswer, WalkFailure, WalkPart, WalkRequest } from './walk.ts';

/** Threads that take part in walks. */
export interface Threads {
  /**
   * Has threads do their parts of a walk. Walks are done in the order they are asked for.
   *
   * @param most - threads that take part, at most
   * @throws EngineError `engine/unreadable-row`, `engine/thread-failed`, `engine/closed`
   */
  run(walk: Walk, most?: number): Promise<WalkPart[]>;
  /** Ends the threads; walks under way are rejected with `engine/closed`. */
  close(): Promise<void>;
}

interface Thread {
  readonly worker: Worker;
  readonly waiting: Map<number, Waiting>;
}

interface Waiting {
  readonly resolve: (part: WalkPart) => void;
  readonly reject: (error: EngineError) => void;
}

/**
 * Creates threads, which start with the first walk and keep the process alive only while they have one.
 *
 * @param kernels - compiled kernels
 */
export function createThreads(count: number, kernels: WebAssembly.Module): Threads {
  const threads = new Map<number, Thread>();
  let requests = 0;
  let closed = false;

  const start = (position: number): Thread => {
    const name = import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js';
    const worker = new Worker(new URL(name, import.meta.url), { workerData: kernels });
    const thread: Thread = { worker, waiting: new Map() };
    worker.on('message', (answer: WalkAnswer) => settle(thread, answer));
    worker.on('error', (error) => abandon(thread, threadFailed(error)));
    worker.on('exit', () => {
      if (threads.get(position) === thread) threads.delete(position);
      abandon(thread, closed ? engineClosed() : threadFailed());
    });
    threads.set(position, thread);
    return thread;
  };

  const ask = (position: number, walk: Walk): Promise<WalkPart> => {
    const thread = threads.get(position) ?? start(position);
    const id = requests++;
    return new Promise((resolve, reject) => {
      thread.worker.postMessage({ id, thread: position, walk } satisfies WalkRequest);
      thread.worker.ref();
      thread.waiting.set(id, { resolve, reject });
    });
  };

  return {
    run: async (walk, most = count) => {
      if (closed) throw engineClosed();
      const parts = Array.from({ length: Math.min(count, most) }, (_, position) => ask(position, walk));
      // All are waited for, so that no thread still works in memory that the caller goes on to use.
      const done = await Promise.allSettled(parts);
      return done.map((one) => {
        if (one.status === 'rejected') throw one.reason;
        return one.value;
      });
    },
    close: async () => {
      closed = true;
      await Promise.all([...threads.values()].map(({ worker }) => worker.terminate()));
    },
  };
}

function settle({ worker, waiting }: Thread, answer: WalkAnswer): void {
  const { resolve, reject } = waiting.get(answer.id) as Waiting;
  waiting.delete(answer.id);
  if (waiting.size === 0) worker.unref();
  if ('part' in answer) resolve(answer.part);
  else reject(failed(answer.failure));
}

function abandon({ waiting }: Thread, error: EngineError): void {
  for (const { reject } of waiting.values()) reject(error);
  waiting.clear();
}

function failed({ row, message }: WalkFailure): EngineError {
  if (row === undefined) return threadFailed(new Error(message));
  return new EngineError('engine/unreadable-row', `update ${row} cannot be read from its file: ${message}`, { row });
}

function threadFailed(cause?: unknown): EngineError {
  const sentence = 'a thread of the aggregation engine failed before it had answered: start the aggregation again';
  return new EngineError('engine/thread-failed', sentence, {}, cause);
}

function engineClosed(): EngineError {
  return new EngineError('engine/closed', 'the aggregation engine was closed: create another one');
}
