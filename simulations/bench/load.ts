import { BenchError } from './bench-error.ts';
import { type LoadPhase, loadReport } from './load-report.ts';
import type { LoadOptions } from './options.ts';
import type { BenchReport, Progress } from './report.ts';
import { inFolder, onStage, type Stage } from './stage.ts';
import type { CoordinatorUsage } from './workers/coordinator-worker.ts';
import type { CrowdStart, CrowdTimes } from './workers/crowd-worker.ts';
import { startWorker, type WorkerProcess } from './workers/worker-process.ts';

/** A phase that takes longer than this has given out. */
const PHASE_LIMIT_MS = 600_000;

/** The embedded chain's. */
const CHAIN_ID = '31337';

/**
 * Connects many clients at once, each with sockets, a key and a session of its own, and has them all live through one
 * round. The coordinator is a process of its own on an embedded chain; its event loop and memory are watched from inside.
 */
export function benchLoad(entry: string, options: LoadOptions, progress: Progress): Promise<BenchReport> {
  const { clients, sample, parameters } = options;
  const quorum = sample ?? clients;
  const job = { parameters, rounds: 1, rule: 'Average', f: 0, expected: clients, quorum };
  return inFolder((folder) =>
    onStage(entry, { ...job, ...(sample !== undefined && { sample }) }, folder, async (stage) => {
      await using crowds = startCrowds(entry, options.processes);
      return await underLoad(stage, crowds.workers, options, progress);
    }),
  );
}

async function underLoad(
  { job, worker, url }: Stage,
  workers: readonly WorkerProcess[],
  options: LoadOptions,
  progress: Progress,
): Promise<BenchReport> {
  const { terms } = job.job;
  const idle = await worker.call<CoordinatorUsage>('usage');

  /** Measures one phase from outside and from inside; one that does not end is told with what the coordinator says. */
  const phase = async <T>(name: string, work: () => Promise<T>): Promise<LoadPhase & { readonly answer: T }> => {
    progress(name);
    const startedAt = performance.now();
    const limit = AbortSignal.timeout(PHASE_LIMIT_MS);
    const given = new Promise<never>((_, reject) => {
      limit.addEventListener('abort', () => reject(new Error(`not done within ${PHASE_LIMIT_MS / 1000} s`)));
    });
    try {
      const answer = await Promise.race([work(), given]);
      const wallMs = performance.now() - startedAt;
      return { name, wallMs, usage: await worker.call<CoordinatorUsage>('usage'), answer };
    } catch (cause) {
      const { complaints } = await worker.call<CoordinatorUsage>('usage');
      const said = complaints.length > 0 ? complaints.join('; ') : 'the coordinator logged no complaint';
      throw new BenchError('bench/not-answered', `${name}: ${(cause as Error).message}; ${said}`, {}, cause);
    }
  };

  const share = Math.ceil(options.clients / workers.length);
  const storm = await phase(`connecting ${options.clients} clients at once`, () =>
    Promise.all(
      workers.map((crowd, index) => {
        const first = index * share;
        const start: CrowdStart = {
          ...{
            url,
            job: terms.job,
            coordinator: job.coordinator.address,
            chainId: CHAIN_ID,
            anchor: job.domain.anchor,
          },
          ...{ dimension: terms.layout.dimension, parameters: terms.layout.parameters },
          ...{ first, count: Math.max(0, Math.min(share, options.clients - first)), holdsOpener: index === 0 },
        };
        return crowd.call('connect', start);
      }),
    ),
  );
  const round = await phase('a whole round', () =>
    Promise.all(workers.map((crowd) => crowd.call<CrowdTimes>('round'))),
  );
  return loadReport(options, idle, [storm, round], round.answer);
}

function startCrowds(entry: string, processes: number): AsyncDisposable & { readonly workers: WorkerProcess[] } {
  const workers = Array.from({ length: processes }, () => startWorker(entry, 'crowd'));
  return {
    workers,
    [Symbol.asyncDispose]: async () => {
      await Promise.all(workers.map((worker) => worker[Symbol.asyncDispose]()));
    },
  };
}
