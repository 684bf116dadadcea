import { monitorEventLoopDelay } from 'node:perf_hooks';
import { createWallet } from '../../../contracts/wallet.ts';
import { type Coordinator, startCoordinator } from '../../../coordinator/coordinator.ts';
import { serveParent } from './serve-parent.ts';

/** What a measured coordinator is started with. */
export interface CoordinatorStart {
  /** Its folder. */
  readonly folder: string;
  /** Node of the chain. */
  readonly rpcUrl: string;
  /** Its private key: one made for this benchmark, worth nothing anywhere else. */
  readonly key: string;
}

/** What a coordinator has used since it was last asked. */
export interface CoordinatorUsage {
  /** Resident memory after a collection, in bytes. */
  readonly rssBytes: number;
  /** JavaScript heap in use after a collection, in bytes. */
  readonly heapBytes: number;
  /** Processor time since it was last asked, in milliseconds. */
  readonly cpuMs: number;
  /** How late timers fired since it was last asked: half of them no later than this, in milliseconds. */
  readonly loopDelayP50Ms: number;
  /** As `loopDelayP50Ms`, 99 of 100. */
  readonly loopDelayP99Ms: number;
  /** As `loopDelayP50Ms`, all. */
  readonly loopDelayMaxMs: number;
  /** Warnings and errors it logged since it was last asked, the first few. */
  readonly complaints: readonly string[];
}

/** How often the event loop is looked at. */
const RESOLUTION_MS = 10;
const MOST_COMPLAINTS = 5;

/** A real coordinator, by its front door, that can be asked what it has used. */
export async function runCoordinatorWorker(): Promise<void> {
  let coordinator: Coordinator | undefined;
  let complaints: string[] = [];
  let cpu = process.cpuUsage();
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  const complain = (fields: Readonly<Record<string, unknown>>, message: string): void => {
    if (complaints.length < MOST_COMPLAINTS) complaints.push(`${message} ${JSON.stringify(fields)}`.slice(0, 300));
  };
  await serveParent({
    start: async ({ folder, rpcUrl, key }: CoordinatorStart) => {
      coordinator = await startCoordinator({
        ...{ folder, rpcUrl, signer: createWallet(key), operators: [], host: '127.0.0.1', port: 0 },
        log: { info: () => {}, warn: complain, error: complain },
      });
      delay.enable();
      return coordinator.url;
    },
    usage: async (): Promise<CoordinatorUsage> => {
      // The histogram holds whole intervals between two looks, so an idle loop shows the resolution itself.
      const lateMs = (ns: number): number => Math.max(0, ns / 1e6 - RESOLUTION_MS);
      const { user, system } = process.cpuUsage(cpu);
      const [p50, p99, max] = [delay.percentile(50), delay.percentile(99), delay.max];
      globalThis.gc?.();
      const { rss, heapUsed } = process.memoryUsage();
      const usage = {
        ...{ rssBytes: rss, heapBytes: heapUsed, cpuMs: (user + system) / 1000, complaints },
        ...{ loopDelayP50Ms: lateMs(p50), loopDelayP99Ms: lateMs(p99), loopDelayMaxMs: lateMs(max) },
      };
      complaints = [];
      cpu = process.cpuUsage();
      delay.reset();
      return usage;
    },
  });
  await coordinator?.[Symbol.asyncDispose]();
}
