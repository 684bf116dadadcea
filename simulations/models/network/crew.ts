import { Worker } from 'node:worker_threads';
import { learnerKernels } from '../kernels/learner-kernels.ts';
import { LearnerError } from '../learner-error.ts';
import type { ModelPlan } from '../model-plan.ts';
import { createNetwork } from './network.ts';
import { type Places, takePlaces } from './places.ts';
import type { Room } from './room.ts';
import { runShare, type UnitResult, type Work } from './share.ts';

/** What a thread starts with. */
export interface ThreadData {
  /** The model. */
  readonly plan: ModelPlan;
  /** Where the thread keeps what stands between layers. */
  readonly places: Places;
  /** The memory that all threads share. */
  readonly memory: WebAssembly.Memory;
  /** The kernels' code. */
  readonly module: WebAssembly.Module;
}

/** What a thread is asked. */
export interface ThreadRequest {
  /** Names it, for the answer. */
  readonly id: number;
  /** What is to be done. */
  readonly work: Work;
  /** Counts the units that were taken. */
  readonly next: Int32Array;
}

/** What a thread answers. */
type ThreadAnswer =
  | { readonly id: number; readonly done: readonly UnitResult[] }
  | { readonly id: number; readonly failure: string };

/** Threads that work together; the caller's is one of them. */
export interface Crew {
  /**
   * Has work done.
   *
   * @param most - threads that take part, at most, the caller's included
   * @returns what became of each unit, in order
   * @throws LearnerError `learner/thread-failed`, `learner/closed`
   */
  run(work: Work, most: number): Promise<UnitResult[]>;
  /** Ends the threads. */
  close(): Promise<void>;
}

interface Helper {
  readonly worker: Worker;
  readonly waiting: Map<number, { resolve: (done: readonly UnitResult[]) => void; reject: (error: Error) => void }>;
}

/**
 * Creates a crew. Threads beside the caller's start when they are first needed, and keep the process alive only while they
 * have work.
 */
export function createCrew(plan: ModelPlan, room: Room): Crew {
  const module = learnerKernels();
  const own = createNetwork(plan, takePlaces(plan, room), room.memory, module);
  const helpers: Helper[] = [];
  let requests = 0;
  let closed = false;

  const start = (): Helper => {
    const name = import.meta.url.endsWith('.ts') ? './thread.ts' : './thread.js';
    const places = takePlaces(plan, room);
    const data: ThreadData = { plan, places, memory: room.memory, module };
    const worker = new Worker(new URL(name, import.meta.url), { workerData: data });
    const helper: Helper = { worker, waiting: new Map() };
    const abandon = (error: LearnerError): void => {
      for (const { reject } of helper.waiting.values()) reject(error);
      helper.waiting.clear();
    };
    worker.on('message', (answer: ThreadAnswer) => {
      const asked = helper.waiting.get(answer.id);
      helper.waiting.delete(answer.id);
      if (helper.waiting.size === 0) worker.unref();
      if ('done' in answer) asked?.resolve(answer.done);
      else asked?.reject(threadFailed(new Error(answer.failure)));
    });
    worker.on('error', (error) => abandon(threadFailed(error)));
    worker.on('exit', () => {
      const at = helpers.indexOf(helper);
      if (at >= 0) helpers.splice(at, 1);
      abandon(closed ? learnerClosed() : threadFailed());
    });
    worker.unref();
    helpers.push(helper);
    return helper;
  };

  const ask = ({ worker, waiting }: Helper, work: Work, next: Int32Array): Promise<readonly UnitResult[]> =>
    new Promise((resolve, reject) => {
      const id = requests++;
      worker.postMessage({ id, work, next } satisfies ThreadRequest);
      worker.ref();
      waiting.set(id, { resolve, reject });
    });

  return {
    run: async (work, most) => {
      if (closed) throw learnerClosed();
      const next = new Int32Array(new SharedArrayBuffer(4));
      const wanted = Math.min(most, work.units.length) - 1;
      while (helpers.length < wanted) start();
      const asked = helpers.slice(0, Math.max(0, wanted)).map((helper) => ask(helper, work, next));
      let mine: UnitResult[] = [];
      try {
        mine = runShare(own, work, next);
      } finally {
        // All are waited for, so that no thread still works in memory that the caller goes on to use.
        await Promise.allSettled(asked);
      }
      const results = [...mine, ...(await Promise.all(asked)).flat()];
      return results.sort((a, b) => a.unit - b.unit);
    },
    close: async () => {
      closed = true;
      await Promise.all(helpers.map(({ worker }) => worker.terminate()));
    },
  };
}

function threadFailed(cause?: unknown): LearnerError {
  const sentence = 'a thread of the learner failed before it had answered: start the run again';
  return new LearnerError('learner/thread-failed', sentence, {}, cause);
}

function learnerClosed(): LearnerError {
  return new LearnerError('learner/closed', 'the learner was closed: open another one');
}
