import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Hex } from '../../shared/bytes.ts';
import { AuditError } from './audit-error.ts';
import type { BlobSource } from './blob-source.ts';

/**
 * Reads blobs from a coordinator's folder, where `0xabcd…` lies at `ab/abcd…`.
 *
 * @param folder - such as `run/coordinator/blobs`
 */
export function createFolderBlobSource(folder: string): BlobSource {
  return {
    get: async (id, mostBytes) => {
      // Ids come from documents that may hold anything: none may name a path outside the folder.
      if (!/^0x[0-9a-f]{64}$/.test(id)) throw missing(id, folder);
      const path = join(folder, id.slice(2, 4), id.slice(2));
      try {
        const { size } = await stat(path);
        if (size <= mostBytes) return await readFile(path);
      } catch (cause) {
        if ((cause as NodeJS.ErrnoException).code === 'ENOENT') throw missing(id, folder);
        throw new AuditError('audit/blobs-unreachable', `${path} cannot be read: check who may`, { id, path }, cause);
      }
      throw tooLarge(id, mostBytes);
    },
  };
}

/** The error for a blob that is not there. */
export function missing(id: Hex, where: string): AuditError {
  return new AuditError('audit/blob-missing', `there is no blob ${id} in ${where}`, { id, where });
}

/** The error for a blob that is longer than what it should be can be. */
export function tooLarge(id: Hex, mostBytes: number): AuditError {
  return new AuditError('audit/blob-too-large', `blob ${id} is longer than the ${mostBytes} bytes it may have`, {
    id,
    mostBytes,
  });
}
