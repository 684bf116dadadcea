import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { concatBytes, equalBytes, type Hex } from '../../shared/bytes.ts';
import { sha256Digest } from '../../shared/commitments/hashing.ts';
import { createFolder, namesIn, readIfPresent, replaceFile } from '../journal/durable-files.ts';
import { type CarriedName, type Carry, CarryError, KEPT_ROUNDS } from './carry.ts';

const DIGEST_BYTES = 32;
const FILE = /^(momentum|residual)-round-([0-9]{1,8})\.carry$/;

/** Where a carry lies. */
export interface FileCarryOptions {
  /** Folder of the client's state. */
  readonly folder: string;
  /** The participant, lower case: participants who share a folder carry each their own. */
  readonly participant: Hex;
}

/**
 * Keeps what is carried in files beside the journal's: `<folder>/<participant>/<job>/<name>-round-R.carry`, SHA-256 of
 * the rest and then one little-endian float32 a parameter. A damaged one counts as none.
 */
export function createFileCarry({ folder, participant }: FileCarryOptions): Carry {
  const folderOf = (job: Hex): string => join(folder, participant, job);
  const fileOf = (job: Hex, name: CarriedName, round: number): string =>
    join(folderOf(job), `${name}-round-${round}.carry`);

  /** Rounds of which something of that name is kept, latest first. */
  const rounds = async (job: Hex, name: CarriedName): Promise<number[]> => {
    const names = await namesIn(folderOf(job));
    return names
      .map((file) => FILE.exec(file))
      .flatMap((match) => (match?.[1] === name ? [Number(match[2])] : []))
      .sort((a, b) => b - a);
  };

  return {
    before: (job, round, name) =>
      available(folder, async () => {
        const latest = (await rounds(job, name)).find((kept) => kept < round);
        if (latest === undefined) return { at: 'none', reason: `nothing is kept of rounds before ${round}` };
        const file = fileOf(job, name, latest);
        const bytes = (await readIfPresent(file)) ?? new Uint8Array();
        const content = bytes.slice(DIGEST_BYTES);
        const isWhole = content.length % 4 === 0 && equalBytes(bytes.subarray(0, DIGEST_BYTES), sha256Digest(content));
        if (!isWhole) return { at: 'none', reason: `${file} is damaged` };
        return { at: 'found', round: latest, values: new Float32Array(content.buffer) };
      }),
    keep: (job, round, name, values) =>
      available(folder, async () => {
        await createFolder(folderOf(job));
        const content = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
        await replaceFile(fileOf(job, name, round), concatBytes(sha256Digest(content), content));
        const kept = await rounds(job, name);
        const past = kept.filter((other) => other <= round);
        const dropped = [...kept.filter((other) => other > round), ...past.slice(KEPT_ROUNDS)];
        await Promise.all(dropped.map((other) => rm(fileOf(job, name, other), { force: true })));
      }),
  };
}

async function available<T>(folder: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw new CarryError(
      'carry/unavailable',
      `what is carried from round to round in ${folder} cannot be read or written (${(cause as Error).message}): check its disk and permissions`,
      { folder },
      cause,
    );
  }
}
