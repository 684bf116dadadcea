import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { EnergySource } from './energy-source.ts';

/** How NVIDIA's cards are asked, by the program that comes with their driver. */
export interface NvidiaOptions {
  /** The program; default `nvidia-smi`. */
  readonly command?: string;
  /** Which cards, as it numbers them; default all. */
  readonly device?: string | undefined;
  /** Pause between two samples, in milliseconds; default 1,000. */
  readonly sampleMs?: number;
  /** Longest wait for the first sample, in milliseconds; default 5,000. */
  readonly firstMs?: number;
  /** A clock in milliseconds that does not run backwards; default the process's. */
  readonly nowMs?: () => number;
}

/**
 * Samples the power that NVIDIA's cards draw (NVML's, through `nvidia-smi --query-gpu=power.draw`) and adds it up over time
 * by trapezoids: between two samples it is taken to change evenly.
 *
 * @returns undefined where there is no such program, or no card tells its power
 */
export async function openNvidia(options: NvidiaOptions = {}): Promise<EnergySource | undefined> {
  const { command = 'nvidia-smi', device, sampleMs = 1000, firstMs = 5000, nowMs = () => performance.now() } = options;
  const query = ['--query-gpu=index,power.draw', '--format=csv,noheader,nounits', `--loop-ms=${sampleMs}`];
  const child = spawn(command, [...query, ...(device === undefined ? [] : [`--id=${device}`])], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  child.unref();
  /** Each card's last sample. */
  const last = new Map<string, { readonly atMs: number; readonly watts: number }>();
  let joules = 0;
  let hasEnded = false;
  const advance = (card: string, watts: number): void => {
    const atMs = nowMs();
    const before = last.get(card);
    if (before) joules += ((before.watts + watts) / 2) * ((atMs - before.atMs) / 1000);
    last.set(card, { atMs, watts });
  };
  const first = new Promise<boolean>((resolve) => {
    const timer = setTimeout(() => resolve(false), firstMs);
    const end = (): void => {
      hasEnded = true;
      clearTimeout(timer);
      resolve(false);
    };
    child.once('error', end);
    child.once('exit', end);
    createInterface({ input: child.stdout }).on('line', (line) => {
      const [card = '', power = ''] = line.split(',').map((cell) => cell.trim());
      // A card that cannot tell says "[N/A]".
      if (!/^\d+(\.\d+)?$/.test(power)) return;
      advance(card, Number(power));
      clearTimeout(timer);
      resolve(true);
    });
  });
  if (!(await first)) {
    child.kill();
    return undefined;
  }
  return {
    ...{ name: 'nvidia-smi', part: 'gpu', isMeasured: true },
    async take() {
      if (hasEnded) throw new Error('nvidia-smi has ended');
      // Up to now, at the power that was seen last.
      for (const [card, { watts }] of last) advance(card, watts);
      const taken = joules;
      joules = 0;
      return taken;
    },
    close: () => {
      child.kill();
    },
  };
}
