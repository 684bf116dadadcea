import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { updateTree } from '../../shared/commitments/vector-trees.ts';
import { median } from './statistics.ts';

/** What this machine can do at most, by itself and on one thread. */
export interface MachineLimits {
  /** Hashing an update's tree, in bytes a second: whoever verifies cannot be faster on one core. */
  readonly treeBytesPerSecond: number;
  /** Writing a file and syncing it, in bytes a second: whoever keeps durably cannot be faster on one disk. */
  readonly durableWriteBytesPerSecond: number;
}

const SIZE_BYTES = 32 * 2 ** 20;
const REPEATS = 5;

/**
 * Measures the limits: medians of a few repeats.
 *
 * @param folder - on the disk in question; what is written there is removed
 */
export async function measureLimits(folder: string): Promise<MachineLimits> {
  const bytes = new Uint8Array(SIZE_BYTES).map((_, at) => at * 31);
  const path = join(folder, 'limits');
  const hashMs: number[] = [];
  const writeMs: number[] = [];
  for (let repeat = 0; repeat < REPEATS; repeat++) {
    const hashedFrom = performance.now();
    updateTree(bytes);
    hashMs.push(performance.now() - hashedFrom);
    const writtenFrom = performance.now();
    const file = await open(path, 'w');
    await file.writeFile(bytes);
    await file.sync();
    await file.close();
    writeMs.push(performance.now() - writtenFrom);
  }
  await rm(path);
  const rate = (times: readonly number[]): number => (SIZE_BYTES / median(times)) * 1000;
  return { treeBytesPerSecond: rate(hashMs), durableWriteBytesPerSecond: rate(writeMs) };
}
