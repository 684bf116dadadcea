import { ExperimentError } from './experiment-error.ts';

/** What the operating system says where nothing more can be written. */
const DISK_FAULTS: ReadonlySet<unknown> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG', 'EROFS', 'EIO']);

/** Errors within one another that are looked through. */
const DEEPEST = 10;

/** Whether an error, or one underneath it, says that nothing can be written: a fault of the machine, not of a run. */
export function isDiskFault(error: unknown): boolean {
  let inner = error;
  for (let depth = 0; depth < DEEPEST && inner instanceof Error; depth += 1) {
    if (DISK_FAULTS.has((inner as NodeJS.ErrnoException).code)) return true;
    inner = inner.cause;
  }
  return false;
}

/**
 * Does what writes, and says of a full disk what is to be done about it.
 *
 * @throws ExperimentError `experiment/cannot-write`
 */
export async function writing<Done>(write: () => Promise<Done>): Promise<Done> {
  try {
    return await write();
  } catch (error) {
    if (!isDiskFault(error)) throw error;
    const sentence = `the results cannot be written: ${(error as Error).message}: make room, then go on with --resume`;
    throw new ExperimentError('experiment/cannot-write', sentence, {}, error);
  }
}
