import { DEFAULT_WATTS_PER_CORE, estimateByCpuTime } from './cpu-time.ts';
import type { EnergySource } from './energy-source.ts';
import { type NvidiaOptions, openNvidia } from './nvidia.ts';
import { openRapl } from './rapl.ts';

/** Energy used over some time. */
export interface EnergyUsed {
  /** How much, in thousandths of a joule. */
  readonly millijoules: number;
  /** Over how much working time, in milliseconds. */
  readonly durationMs: number;
  /** Whether any of it was estimated, not measured. */
  readonly estimated: boolean;
}

/** Adds up what work has used, until it is asked. */
export interface EnergyMeter {
  /** What is measured and what estimated, such as `rapl` or `cpu-time (estimated)`. */
  readonly sources: readonly string[];
  /** Does some work and counts what is used meanwhile. */
  during<T>(work: () => Promise<T>): Promise<T>;
  /** What was used since the last call; undefined where no work was done. */
  take(): EnergyUsed | undefined;
  /** Ends what it has opened. */
  close(): void;
}

/** Where a meter looks. */
export interface EnergyMeterOptions {
  /** What a busy core draws, in watts, where the machine does not tell; default 8. */
  readonly wattsPerCore?: number;
  /** Where Linux shows its power caps; default the machine's. */
  readonly powercap?: string;
  /** How NVIDIA's cards are asked; false: they are not. */
  readonly nvidia?: NvidiaOptions | false;
  /** A clock in milliseconds that does not run backwards; default the process's. */
  readonly nowMs?: () => number;
}

/** So often counters are read, so that none begins again twice unseen. */
const READ_EVERY_MS = 60_000;

/**
 * Opens a meter on what the machine can tell: processor packages by RAPL, NVIDIA's cards by their driver. Where the
 * processor tells nothing, its part is estimated from the time this process keeps it busy. What others on the machine use
 * meanwhile is in what is measured, and not in what is estimated.
 */
export async function openEnergyMeter(options: EnergyMeterOptions = {}): Promise<EnergyMeter> {
  const { wattsPerCore = DEFAULT_WATTS_PER_CORE, nvidia = {}, nowMs = () => performance.now() } = options;
  const [rapl, cards] = await Promise.all([
    openRapl(options.powercap),
    nvidia === false ? undefined : openNvidia(nvidia),
  ]);
  const estimate = estimateByCpuTime(wattsPerCore);
  let cpu: EnergySource = rapl ?? estimate;
  let gpu: EnergySource | undefined = cards;
  let [joules, durationMs, isEstimated] = [0, 0, false];
  /** Works under way: overlapping ones are counted once. */
  let depth = 0;
  let sinceMs = 0;

  const read = async (isCounted: boolean): Promise<void> => {
    const estimated = await estimate.take();
    let [used, guessed] = [0, false];
    if (cpu === estimate) {
      [used, guessed] = [estimated, true];
    } else {
      try {
        used = await cpu.take();
      } catch {
        // A counter that can be read no more is replaced by what is left.
        cpu = estimate;
        [used, guessed] = [estimated, true];
      }
    }
    if (gpu) {
      try {
        used += await gpu.take();
      } catch {
        gpu = undefined;
        guessed = true;
      }
    }
    if (!isCounted) return;
    joules += used;
    isEstimated ||= guessed;
  };
  /** One reading at a time: each takes what the one before has left. */
  let reading = Promise.resolve();
  const readNext = (isCounted: boolean): Promise<void> => {
    reading = reading.then(() => read(isCounted));
    return reading;
  };
  const timer = setInterval(() => void readNext(depth > 0), READ_EVERY_MS);
  timer.unref();

  return {
    get sources() {
      return [cpu, ...(gpu ? [gpu] : [])].map(({ name, isMeasured }) => (isMeasured ? name : `${name} (estimated)`));
    },
    async during(work) {
      if (depth === 0) {
        // What was used before is none of this work's.
        await readNext(false);
        sinceMs = nowMs();
      }
      depth += 1;
      try {
        return await work();
      } finally {
        depth -= 1;
        if (depth === 0) {
          durationMs += nowMs() - sinceMs;
          await readNext(true);
        }
      }
    },
    take() {
      if (durationMs === 0 && joules === 0) return undefined;
      const used = {
        ...{ millijoules: Math.round(joules * 1000), durationMs: Math.round(durationMs), estimated: isEstimated },
      };
      [joules, durationMs, isEstimated] = [0, 0, false];
      return used;
    },
    close: () => {
      clearInterval(timer);
      cpu.close();
      gpu?.close();
    },
  };
}
