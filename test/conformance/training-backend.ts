import { describe, it } from 'vitest';
import { backendChecks } from '../../client/check-gpu/backend-checks.ts';
import type { BackendName } from '../../client/trainers/tfjs/backend.ts';

/** How much of the suite to run. */
export interface TrainingBackendOptions {
  /** Rounds after which nothing must be left over. */
  readonly leakRounds: number;
  /** Why the backend cannot be tested here; undefined when it can. */
  readonly missing?: string | undefined;
}

/** What every backend of the TensorFlow.js trainer must do. */
export function describeTrainingBackend(backend: BackendName, { leakRounds, missing }: TrainingBackendOptions): void {
  describe.skipIf(missing !== undefined)(`training backend: ${backend}`, () => {
    for (const check of backendChecks({ backend, leakRounds })) {
      it(check.name, async () => {
        await check.run();
      });
    }
  });
}
