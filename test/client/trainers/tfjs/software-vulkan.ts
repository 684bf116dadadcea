import { existsSync } from 'node:fs';
import { selectBackend } from '../../../../client/trainers/tfjs/backend.ts';

/** Chromium's software Vulkan driver, SwiftShader, where Debian's package `chromium` puts it. */
const SWIFTSHADER = '/usr/lib/chromium/vk_swiftshader_icd.json';

/**
 * Finds something that WebGPU can compute on. Where the caller has named no driver, SwiftShader is preferred to a GPU, so that tests
 * mean the same everywhere.
 *
 * @returns why there is nothing, undefined when there is
 */
export async function findVulkan(): Promise<string | undefined> {
  const { VK_ICD_FILENAMES: named, VK_DRIVER_FILES: alsoNamed } = process.env;
  if (named === undefined && alsoNamed === undefined && existsSync(SWIFTSHADER)) {
    process.env['VK_ICD_FILENAMES'] = SWIFTSHADER;
  }
  try {
    await selectBackend('webgpu');
    return undefined;
  } catch (cause) {
    return cause instanceof Error ? cause.message : String(cause);
  }
}
