import { type BackendName, type BackendPackages, selectBackend } from '../trainers/tfjs/backend.ts';
import { firstLine } from '../trainers/tfjs/backends/started-backend.ts';
import { TrainerError } from '../trainers/trainer-error.ts';
import { backendChecks } from './backend-checks.ts';
import { measureThroughput, type Throughput } from './measure-throughput.ts';
import { THROUGHPUT_MODELS } from './throughput-models.ts';

/** Work for a process of its own: one backend, and either the whole suite or one model. */
export interface ChildWork {
  /** On which backend. */
  readonly backend: BackendName;
  /** On which of its devices; default: its own choice. */
  readonly device?: string;
  /** What to do there. */
  readonly task:
    | { readonly kind: 'suite' /** 0: the suite is left out. */; readonly leakRounds: number }
    | { readonly kind: 'throughput'; readonly model: string; readonly seconds: number };
}

/** What came of it. */
export type ChildOutcome =
  | { readonly kind: 'unavailable'; readonly reason: string }
  | { readonly kind: 'suite'; readonly device: string; readonly checks: readonly CheckOutcome[] }
  | { readonly kind: 'throughput'; readonly throughput: Throughput };

/** One check's outcome. */
export interface CheckOutcome {
  /** What the backend must do. */
  readonly name: string;
  /** Whether it does. */
  readonly passed: boolean;
  /** What was measured, or what is wrong. */
  readonly detail: string;
}

/**
 * Does a child's work.
 *
 * @param work - what
 * @param packages - how packages are brought in
 * @param tell - told each check's outcome as it comes
 */
export async function doChildWork(
  { backend, device, task }: ChildWork,
  packages: Partial<BackendPackages>,
  tell: (check: CheckOutcome) => void,
): Promise<ChildOutcome> {
  const backendOptions = { packages, ...(device === undefined ? {} : { device }) };
  let computesOn: string;
  try {
    computesOn = (await selectBackend(backend, backendOptions)).device ?? '';
  } catch (cause) {
    const failures = cause instanceof TrainerError ? cause.data?.['failures'] : undefined;
    return { kind: 'unavailable', reason: Array.isArray(failures) ? failures.join('; ') : firstLine(cause) };
  }
  if (task.kind === 'throughput') {
    const model = THROUGHPUT_MODELS.find(({ name }) => name === task.model);
    if (model === undefined) return { kind: 'unavailable', reason: `there is no model "${task.model}"` };
    return { kind: 'throughput', throughput: await measureThroughput(backend, model, task.seconds, backendOptions) };
  }
  const checks: CheckOutcome[] = [];
  const { leakRounds } = task;
  for (const check of leakRounds === 0 ? [] : backendChecks({ backend, backendOptions, leakRounds })) {
    const outcome = await check.run().then(
      (detail) => ({ name: check.name, passed: true, detail }),
      (cause) => ({ name: check.name, passed: false, detail: firstLine(cause) }),
    );
    tell(outcome);
    checks.push(outcome);
  }
  return { kind: 'suite', device: computesOn, checks };
}
