import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { ProcessTrainer } from '../../../../client/trainers/process/process-trainer.ts';
import type { Json } from '../../../../shared/codec.ts';
import type { NamedTensor } from '../../../../shared/safetensors.ts';
import type { Lab } from './lab.ts';

/** Where the helper and the examples are. */
export const EXAMPLES = fileURLToPath(new URL('../../../../client/examples/python', import.meta.url));

/** The environment of Python programs: no compiled files beside the sources. */
export const PYTHON_ENVIRONMENT = { ...process.env, PYTHONDONTWRITEBYTECODE: '1' };

/** An interpreter of this machine that can import a module; the distribution's own may have what another lacks. */
export function pythonWith(module: string): string | undefined {
  return ['python3', '/usr/bin/python3'].find((each) => spawnSync(each, ['-c', `import ${module}`]).status === 0);
}

/** Starts an example as a trainer. */
export function startPython(
  lab: Lab,
  interpreter: string,
  program: string,
  tensors: readonly NamedTensor[],
  task: Json,
  data: readonly string[],
): Promise<ProcessTrainer> {
  return lab.start([], {
    command: `${interpreter} ${program}`,
    cwd: EXAMPLES,
    environment: PYTHON_ENVIRONMENT,
    environmentNames: ['PYTHONDONTWRITEBYTECODE'],
    tensors: tensors.map(({ name, shape }) => ({ name, shape })),
    task,
    data,
    usefulMs: 120_000,
  });
}

/** Trains some rounds alone: what each of them adds is added. */
export async function trainRounds(
  trainer: ProcessTrainer,
  first: readonly Float32Array[],
  rounds: number,
): Promise<readonly Float32Array[]> {
  let weights = first;
  for (let round = 1; round <= rounds; round++) {
    const { update } = await trainer.train({ weights, seed: round, round });
    weights = weights.map((tensor, index) => tensor.map((value, at) => value + (update[index]?.[at] ?? 0)));
  }
  return weights;
}
