import type { CellRuns } from './cells.ts';
import type { Spread } from './statistics.ts';

/** A share as percent, such as `82.5`. */
export function percent(share: number, places = 1): string {
  return fixed(100 * share, places);
}

/** A number with so many places, never `-0.0`. */
export function fixed(value: number, places: number): string {
  const text = value.toFixed(places);
  return Number(text) === 0 ? (0).toFixed(places) : text;
}

/** A number with three significant digits, without exponent. */
export function brief(value: number): string {
  if (value === 0) return '0';
  const size = Math.abs(value);
  const places = size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : size >= 0.1 ? 3 : 4;
  return fixed(value, places);
}

/** A spread of shares in percent, such as `82.5 ± 0.6`; without a deviation where there is one run. */
export function percentSpread({ mean, sd }: Spread): string | null {
  if (mean === null) return null;
  return sd === null ? percent(mean) : `${percent(mean)} ± ${percent(sd)}`;
}

/** Bytes in decimal units, such as `1.23 GB`. */
export function bytes(count: number): string {
  const steps: readonly (readonly [number, string])[] = [
    [1e12, 'TB'],
    [1e9, 'GB'],
    [1e6, 'MB'],
    [1e3, 'kB'],
  ];
  const step = steps.find(([size]) => count >= size);
  return step === undefined ? `${count} B` : `${brief(count / step[0])} ${step[1]}`;
}

/** Virtual seconds for people, such as `1 h 05 min`. */
export function duration(seconds: number): string {
  if (seconds < 100) return `${brief(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`;
}

/** What is to be said of runs that a cell's mean leaves out, such as `2 of 3, 1 diverged`; empty where it has them all. */
export function exceptions(cell: CellRuns): string {
  const missing = cell.planned - cell.runs.length;
  const told = [
    cell.diverged > 0 ? `${cell.diverged} diverged` : '',
    cell.failed > 0 ? `${cell.failed} failed` : '',
    missing > 0 ? `${missing} not run` : '',
  ].filter((part) => part !== '');
  return told.length === 0 ? '' : [`${cell.finished.length} of ${cell.planned}`, ...told].join(', ');
}

/** Some things in a sentence: `a, b and c`. */
export function listing(things: readonly (string | number)[]): string {
  const texts = things.map(String);
  const last = texts.pop() ?? '';
  return texts.length === 0 ? last : `${texts.join(', ')} and ${last}`;
}

/** A whole number and what it counts, such as `1 run` or `3 runs`. */
export function counted(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? '' : 's'}`;
}
