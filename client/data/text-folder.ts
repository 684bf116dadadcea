import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { encodeText } from './alphabet.ts';
import { DataError } from './data-error.ts';
import {
  compareCodeUnits,
  type DirectoryReader,
  type FoundFile,
  findFiles,
  readDirectory,
} from './directory-reader.ts';

/**
 * Which files of a folder are a client's text.
 *
 * `documentation`: Markdown and type declarations (`.md`, `.d.ts`), largest file first, at most 32,768 symbols of one
 * file and 131,072 of one folder. `any`: every file that is UTF-8 text, in code-unit order of the paths, at most
 * 4,194,304 symbols of one folder.
 */
export type TextKind = 'documentation' | 'any';

/** A text file that counts towards a corpus. */
export interface TextFile {
  /** Path below its folder, with `/` between its parts. */
  readonly path: string;
  /** SHA-256 of the file's bytes, in hexadecimal without prefix. */
  readonly sha256: string;
  /** The symbols used, cut at the kind's limits. */
  readonly symbols: Uint8Array;
}

interface Limits {
  readonly wanted: (name: string) => boolean;
  readonly order: (a: FoundFile, b: FoundFile) => number;
  readonly fileSymbols: number;
  readonly folderSymbols: number;
}

const LIMITS: Readonly<Record<TextKind, Limits>> = {
  documentation: {
    wanted: (name) => name.endsWith('.md') || name.endsWith('.d.ts'),
    // The largest files say most; the many small ones of a package are often a licence header and little else.
    order: (a, b) => b.bytes - a.bytes || compareCodeUnits(a.path, b.path),
    fileSymbols: 32_768,
    folderSymbols: 131_072,
  },
  any: {
    wanted: () => true,
    order: (a, b) => compareCodeUnits(a.path, b.path),
    fileSymbols: 4_194_304,
    folderSymbols: 4_194_304,
  },
};

/**
 * Reads the text of a folder. A file whose bytes equal those of an earlier one is left out: packages often ship the
 * same declarations several times, and a copy would carry held-out text into the training part.
 *
 * @param folder - an existing folder
 * @param kind - which files count
 * @param reader - lists one folder
 * @throws DataError `data/folder-missing`
 */
export async function readTextFolder(
  folder: string,
  kind: TextKind,
  reader: DirectoryReader = readDirectory,
): Promise<TextFile[]> {
  const limits = LIMITS[kind];
  const candidates = await findTextFiles(folder, kind, reader);
  const files: TextFile[] = [];
  const seen = new Set<string>();
  let left = limits.folderSymbols;
  for (const { path } of candidates.sort(limits.order)) {
    if (left === 0) break;
    const bytes = await readFile(join(folder, path));
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const text = decodeUtf8(bytes);
    if (text === undefined || seen.has(sha256)) continue;
    seen.add(sha256);
    const symbols = encodeText(text).slice(0, Math.min(limits.fileSymbols, left));
    if (symbols.length === 0) continue;
    left -= symbols.length;
    files.push({ path, sha256, symbols });
  }
  return files;
}

/**
 * Finds the files of a folder that may count as text, in code-unit order, without reading them.
 *
 * @param folder - an existing folder
 * @param kind - which files count
 * @param reader - lists one folder
 * @throws DataError `data/folder-missing`
 */
export async function findTextFiles(
  folder: string,
  kind: TextKind,
  reader: DirectoryReader = readDirectory,
): Promise<FoundFile[]> {
  try {
    return await findFiles(folder, LIMITS[kind].wanted, reader);
  } catch (cause) {
    throw new DataError('data/folder-missing', `cannot read the folder ${folder}: check its path`, { folder }, cause);
  }
}

function decodeUtf8(bytes: Uint8Array): string | undefined {
  if (bytes.includes(0)) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
