import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { EnergySource } from './energy-source.ts';

/** Where Linux shows its power caps (Documentation/power/powercap/powercap.rst of the kernel). */
const POWERCAP = '/sys/class/powercap';

interface Zone {
  readonly file: string;
  /** The counter begins again at 0 after this many microjoules. */
  readonly rangeUj: bigint;
  lastUj: bigint;
}

/**
 * Opens the running average power limit counters of a machine's processor packages: what all programs on it use, in
 * microjoules. Sub-zones (cores, memory) are part of their package on most machines and are not counted again; nor is
 * `psys`, which holds the packages.
 *
 * A counter that has begun again is seen by its falling; one that has done so twice between two calls counts once, so it is
 * to be asked more often than it takes to (an hour at 70 W for a range of 262 kJ).
 *
 * @param root - the folder of the zones
 * @returns undefined where there are none, or they may not be read: since CVE-2020-8694 only by root, unless allowed
 */
export async function openRapl(root: string = POWERCAP): Promise<EnergySource | undefined> {
  const zones: Zone[] = [];
  // A package is `intel-rapl:0`, also on processors of AMD; `intel-rapl-mmio:0` is the same one by another way.
  const names = (await readdir(root).catch((): string[] => [])).filter((name) => /^intel-rapl:\d+$/.test(name));
  for (const name of names.toSorted()) {
    const folder = join(root, name);
    try {
      if (!(await text(folder, 'name')).startsWith('package')) continue;
      const file = join(folder, 'energy_uj');
      const rangeUj = BigInt(await text(folder, 'max_energy_range_uj'));
      zones.push({ file, rangeUj, lastUj: await counter(file) });
    } catch {
      // A zone that cannot be read leaves a sum that is too small: better none than a wrong one.
      return undefined;
    }
  }
  if (zones.length === 0) return undefined;
  return {
    ...{ name: 'rapl', part: 'cpu', isMeasured: true },
    async take() {
      let sumUj = 0n;
      for (const zone of zones) {
        const nowUj = await counter(zone.file);
        sumUj += nowUj >= zone.lastUj ? nowUj - zone.lastUj : nowUj + zone.rangeUj - zone.lastUj;
        zone.lastUj = nowUj;
      }
      return Number(sumUj) / 1e6;
    },
    close: () => undefined,
  };
}

async function text(folder: string, name: string): Promise<string> {
  return (await readFile(join(folder, name), 'utf8')).trim();
}

async function counter(file: string): Promise<bigint> {
  return BigInt((await readFile(file, 'utf8')).trim());
}
