import { writeFile } from 'node:fs/promises';
import type { Aggregated } from '../../shared/aggregation/aggregate.ts';
import { encodeSafetensors } from '../../shared/safetensors.ts';
import { AggregateFileError } from './aggregate-file-error.ts';
import { formatOf } from './read-updates.ts';

/**
 * Writes an aggregate to a file: `.json` as `{ output, weights, step }`, or `.safetensors` as a float32 tensor `output`,
 * with the step and rule among the metadata.
 *
 * @throws AggregateFileError `aggregate/unknown-format`, `aggregate/unwritable`
 */
export async function writeAggregate(path: string, { output, weights, step, spec }: Aggregated): Promise<void> {
  const content =
    formatOf('--output', path) === '.json'
      ? `${JSON.stringify({ output: [...output], weights, step })}\n`
      : encodeSafetensors([{ name: 'output', shape: [output.length], values: Float32Array.from(output) }], {
          rule: [...spec.pre, spec.rule].join('+'),
          f: String(spec.f),
          step: String(step),
        });
  try {
    await writeFile(path, content);
  } catch (cause) {
    const sentence = `--output ${path} cannot be written: ${(cause as Error).message}`;
    throw new AggregateFileError('aggregate/unwritable', sentence, { path }, cause);
  }
}
