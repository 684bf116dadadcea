import type { EnergySource } from './energy-source.ts';

/** What a busy core is taken to draw where nobody says otherwise, in watts: a server's package over its cores. */
export const DEFAULT_WATTS_PER_CORE = 8;

/**
 * Estimates what this process uses: the time it kept cores busy, times what a core draws.
 *
 * @param wattsPerCore - what a busy core draws
 * @param cpuTimeUs - microseconds of core time so far; default the process's
 */
export function estimateByCpuTime(wattsPerCore: number, cpuTimeUs: () => number = processTimeUs): EnergySource {
  let lastUs = cpuTimeUs();
  return {
    ...{ name: 'cpu-time', part: 'cpu', isMeasured: false },
    async take() {
      const nowUs = cpuTimeUs();
      const usedUs = nowUs - lastUs;
      lastUs = nowUs;
      return (usedUs / 1e6) * wattsPerCore;
    },
    close: () => undefined,
  };
}

function processTimeUs(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}
