import { type BackendName, selectBackend } from '../../../../client/trainers/tfjs/backend.ts';
import { describeTrainingBackend } from '../../../conformance/training-backend.ts';
import { findVulkan } from './software-vulkan.ts';

/** Why a backend that is not installed by default cannot be tested here, undefined when it can. */
async function whyMissing(backend: BackendName): Promise<string | undefined> {
  const why =
    backend === 'webgpu'
      ? await findVulkan()
      : await selectBackend(backend).then(
          () => undefined,
          (cause: Error) => cause.message,
        );
  if (why !== undefined) console.warn(`${backend} is not tested: ${why}`);
  return why;
}

// One TensorFlow library in a process: where the GPU build is, the other one is not looked for.
for (const backend of ['webgpu', 'node-gpu', 'node'] as const) {
  describeTrainingBackend(backend, { leakRounds: 100, missing: await whyMissing(backend) });
}
describeTrainingBackend('cpu', { leakRounds: 100 });
describeTrainingBackend('wasm', { leakRounds: 100 });
