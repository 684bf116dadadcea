import { FedanchorError } from '../../shared/errors.ts';
import type { Manifest } from '../../shared/round/manifest.ts';
import { estimateMemoryBytes } from './memory-estimate.ts';

/** Thrown when a job asks for more than this client is willing to give. */
export class WorkLimitError extends FedanchorError<'limits/too-much-work' | 'limits/too-much-memory'> {}

/** The most that a job may ask of this client in a round. The manifest is the publisher's word: this is the client's. */
export interface WorkLimits {
  /** Batches trained in a round, `task.training.steps`. */
  readonly steps: number;
  /** Passes over the data in a round, `task.training.epochs`. */
  readonly epochs: number;
  /** Examples in a batch, `task.training.batchSize`. */
  readonly batchSize: number;
  /** Bytes by {@link estimateMemoryBytes}. */
  readonly memoryBytes: number;
}

/** What a client gives that names no limits of its own; memory aside, which is its machine's. */
export const DEFAULT_WORK_LIMITS: Omit<WorkLimits, 'memoryBytes'> = { steps: 100_000, epochs: 1000, batchSize: 65_536 };

const FLAGS = { steps: '--max-steps', epochs: '--max-epochs', batchSize: '--max-batch-size' } as const;

/**
 * Refuses a job whose manifest asks for more than the client gives, before anything of it is trained or allocated.
 *
 * @throws WorkLimitError `limits/too-much-work`, `limits/too-much-memory`, naming the field and the option that allows it
 */
export function checkWork(manifest: Pick<Manifest, 'task' | 'tensors'>, limits: WorkLimits): void {
  const { training } = manifest.task;
  const asked: Readonly<Record<string, unknown>> =
    typeof training === 'object' && training !== null && !Array.isArray(training) ? training : {};
  for (const name of ['steps', 'epochs', 'batchSize'] as const) {
    const value = Object.hasOwn(asked, name) ? asked[name] : undefined;
    if (typeof value !== 'number' || value <= limits[name]) continue;
    throw new WorkLimitError(
      'limits/too-much-work',
      `manifest field "task.training.${name}" is ${value}, this client does at most ${limits[name]}: leave the job, or allow it by ${FLAGS[name]}`,
      { field: `task.training.${name}`, value, most: limits[name] },
    );
  }
  const needed = estimateMemoryBytes(manifest);
  if (needed <= limits.memoryBytes) return;
  throw new WorkLimitError(
    'limits/too-much-memory',
    `the job needs about ${inMebibytes(needed)} of memory, this client gives ${inMebibytes(limits.memoryBytes)}: leave the job, or allow more by --memory-limit`,
    { needed, most: limits.memoryBytes },
  );
}

function inMebibytes(bytes: number): string {
  return `${Math.ceil(bytes / 2 ** 20)} MiB`;
}
