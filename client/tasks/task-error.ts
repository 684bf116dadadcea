import type { z } from 'zod';
import { FedanchorError } from '../../shared/errors.ts';

/** Thrown when a manifest's task cannot be worked on by this client. */
export class TaskError extends FedanchorError<'task/unknown-kind' | 'task/invalid' | 'task/tensor-mismatch'> {}

/**
 * Reads one part of a manifest's `task`.
 *
 * @param field - its name below `task`
 * @param schema - what it must be
 * @param value - what the manifest says
 * @throws TaskError `task/invalid`, naming the first field at fault
 */
export function parseTaskField<Schema extends z.ZodType>(
  field: string,
  schema: Schema,
  value: unknown,
): z.infer<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const path = ['task', field, ...(issue?.path ?? [])].join('.');
  throw new TaskError('task/invalid', `manifest field "${path}": ${issue?.message ?? 'is not valid'}`, { field: path });
}

/**
 * Makes sure that a manifest's task is of a kind.
 *
 * @param kind - what the manifest says
 * @param known - what is worked on
 * @throws TaskError `task/unknown-kind`
 */
export function requireKind(kind: string, known: string): void {
  if (kind === known) return;
  throw new TaskError(
    'task/unknown-kind',
    `the job's task is "${kind}", this client works on "${known}": use a client made for that task`,
    { kind },
  );
}
