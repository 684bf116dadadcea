import { createRequire } from 'node:module';
import { dirname, join, sep } from 'node:path';
import { completeTrainingKernels } from '../kernels/complete-training-kernels.ts';
import { startRegistered } from './start-registered.ts';
import type { StartedBackend } from './started-backend.ts';

/**
 * Starts the WebAssembly backend, which has one thread in Node, and gives it the kernels that training needs.
 *
 * @param folder - where its `.wasm` files lie; default: in its package
 */
export async function startWasm(folder?: string): Promise<StartedBackend> {
  const { setWasmPaths } = await import('@tensorflow/tfjs-backend-wasm');
  setWasmPaths(join(folder ?? packageFolder(), sep));
  const before = {
    uncaughtException: process.listeners('uncaughtException'),
    unhandledRejection: process.listeners('unhandledRejection'),
  };
  await startRegistered('wasm');
  // The module's loader installs handlers that rethrow, which would defeat those of the process it runs in.
  for (const listener of process.listeners('uncaughtException')) {
    if (!before.uncaughtException.includes(listener)) process.removeListener('uncaughtException', listener);
  }
  for (const listener of process.listeners('unhandledRejection')) {
    if (!before.unhandledRejection.includes(listener)) process.removeListener('unhandledRejection', listener);
  }
  completeTrainingKernels('wasm');
  return { registeredAs: 'wasm' };
}

function packageFolder(): string {
  return dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm'));
}
