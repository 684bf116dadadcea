import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigError } from '../../shared/config-check.ts';
import { JOB_TEMPLATES, jobFileText, type TemplateName } from './job-templates.ts';
import type { TaskWorkbench } from './task-workbench.ts';

/** What was written. */
export interface NewJobFolder {
  /** The job's file. */
  readonly file: string;
  /** Every file. */
  readonly files: readonly string[];
  /** What to do with it next, for people. */
  readonly advice: string;
}

/**
 * Writes a folder with a job that can be created as it is: its file, each field explained, the architecture and the model
 * before round 1.
 *
 * @param folder - made if it is not there; nothing in it is replaced
 * @param seed - of the weights
 * @throws ConfigError `config/exists`
 */
export async function initJob(
  folder: string,
  template: TemplateName,
  { name, seed }: { readonly name: string; readonly seed: number },
  workbench: TaskWorkbench,
): Promise<NewJobFolder> {
  const { architecture, model, advice, ...rest } = JOB_TEMPLATES[template];
  await mkdir(folder, { recursive: true });
  const [file, modelFile] = [join(folder, 'job.toml'), join(folder, 'start.safetensors')];
  await writeNew(file, jobFileText(name, { architecture, model, advice, ...rest }));
  if (architecture === undefined) {
    await writeNew(modelFile, model ?? new Uint8Array());
    return { file, files: [file, modelFile], advice };
  }
  const architectureFile = join(folder, 'architecture.json');
  await writeNew(architectureFile, `${JSON.stringify(architecture, null, 2)}\n`);
  await workbench.drawModel({ architecture: architectureFile, seed, out: modelFile });
  return { file, files: [file, architectureFile, modelFile], advice };
}

async function writeNew(file: string, content: string | Uint8Array): Promise<void> {
  try {
    await writeFile(file, content, { flag: 'wx' });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause;
    throw new ConfigError('config/exists', `${file} is there already: edit it, or name another --out`, { file }, cause);
  }
}
