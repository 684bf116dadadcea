import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { encodeManifest, type Manifest, manifestHash } from '../../shared/round/manifest.ts';
import { DataError } from '../data/data-error.ts';
import { jobSalt } from '../data/dataset-commitment.ts';
import { claimFile, createFolder, readIfPresent } from '../journal/durable-files.ts';

const SECRET_BYTES = 32;
const SECRET_FILE = 'dataset-secret';

/**
 * The secret that hides a client's data behind its commitments: 32 random bytes, drawn once and kept in the state folder.
 * Who loses it can no longer show what was committed to; who publishes it lets guesses about the data be checked.
 *
 * @param folder - the client's state folder; created if missing
 * @throws DataError `data/unreadable` where the file is not what was written
 */
export async function datasetSecret(folder: string): Promise<Uint8Array> {
  const file = join(folder, SECRET_FILE);
  await createFolder(folder);
  const kept = await readIfPresent(file);
  if (!kept) await claimFile(file, randomBytes(SECRET_BYTES));
  const secret = kept ?? (await readIfPresent(file));
  if (secret?.length === SECRET_BYTES) return secret;
  throw new DataError(
    'data/unreadable',
    `${file} does not hold ${SECRET_BYTES} bytes: restore it, for without it nothing of the data can be shown that was committed to`,
    { file },
  );
}

/** The salt of a client's data in a job. */
export function saltFor(secret: Uint8Array, manifest: Manifest): Uint8Array {
  return jobSalt(secret, manifestHash(encodeManifest(manifest)));
}
