import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Hex } from '../../shared/bytes.ts';
import { FedanchorError } from '../../shared/errors.ts';
import { writeDurably } from '../blobs/files.ts';

/** Thrown when there is no running coordinator to speak to. */
export class EndpointError extends FedanchorError<'operator/not-running'> {}

/** Name of the audit log in a coordinator's folder. */
export const AUDIT_FILE = 'audit.jsonl';

const FILE = 'endpoint.json';

const schema = z.object({
  url: z.string(),
  coordinator: z.custom<Hex>((value) => typeof value === 'string' && /^0x[0-9a-f]{40}$/.test(value)),
  chainId: z.string().regex(/^[0-9]+$/),
  pid: z.number().int(),
});

/** How to reach a running coordinator: what it writes into its folder for its operator's commands. */
export type CoordinatorEndpoint = Readonly<z.infer<typeof schema>>;

/**
 * Writes down where a coordinator listens.
 *
 * @returns takes the file away again
 */
export async function writeEndpoint(folder: string, endpoint: CoordinatorEndpoint): Promise<() => Promise<void>> {
  await writeDurably(join(folder, FILE), Buffer.from(JSON.stringify(endpoint)));
  return () => rm(join(folder, FILE), { force: true });
}

/**
 * Reads where the coordinator of a folder listens.
 *
 * @throws EndpointError `operator/not-running`
 */
export async function readEndpoint(folder: string): Promise<CoordinatorEndpoint> {
  try {
    return schema.parse(JSON.parse(await readFile(join(folder, FILE), 'utf8')));
  } catch (cause) {
    throw new EndpointError(
      'operator/not-running',
      `no coordinator is running in ${folder}: start it with "fedanchor coordinator run --dir ${folder}", or name another --dir`,
      { folder },
      cause,
    );
  }
}
