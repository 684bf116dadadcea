import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Hex } from '../../shared/bytes.ts';
import { decodeModel } from '../../shared/fixed-point/model.ts';
import { blobPath } from '../../shared/protocol/routes.ts';
import type { JobTerms } from '../../shared/round/job-terms.ts';
import { encodeSafetensors } from '../../shared/safetensors.ts';
import { DemoError } from './demo-error.ts';
import type { RunFolder } from './run-folder.ts';

/** Fetches a blob from a coordinator that serves it to anyone. */
export async function download(url: string, job: Hex, id: Hex): Promise<Uint8Array> {
  const response = await fetch(new URL(blobPath(job, id), url));
  if (!response.ok) throw new DemoError('demo/blob-missing', `the coordinator does not serve blob ${id}`);
  return new Uint8Array(await response.arrayBuffer());
}

/**
 * Writes the model as safetensors: into the run's folder if it is kept, else into the current one.
 *
 * @returns the file
 */
export async function exportModel(folder: RunFolder, terms: JobTerms, model: Int32Array, root: Hex): Promise<string> {
  const file = folder.kept ? folder.at('model.safetensors') : join(process.cwd(), 'model.safetensors');
  const tensors = decodeModel(terms.layout, model).map((values, index) => {
    const { name, shape } = terms.layout.slots[index] as (typeof terms.layout.slots)[number];
    return { name, shape, values };
  });
  await writeFile(file, encodeSafetensors(tensors, { job: terms.job, modelRoot: root }));
  return file;
}
