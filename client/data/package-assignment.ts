import { join } from 'node:path';
import { DataError } from './data-error.ts';
import { compareCodeUnits, type DirectoryReader, readDirectory } from './directory-reader.ts';
import { findTextFiles, readTextFolder } from './text-folder.ts';

/** The text that one client owns. */
export interface ClientText {
  /** Names of the packages, scopes or folders, in the order dealt. */
  readonly names: readonly string[];
  /** Their folders, in the same order. */
  readonly folders: readonly string[];
}

/** A package, or a whole scope such as `@types`, with its documentation's size. */
export interface TextPackage {
  /** The folder's name under `node_modules`. */
  readonly name: string;
  /** Bytes of documentation below it. */
  readonly bytes: number;
}

/** Packages that a client gets where enough are installed. */
export const PACKAGES_PER_CLIENT = 3;

/** Symbols of documentation that make a package worth dealing. */
const MIN_PACKAGE_SYMBOLS = 32_768;

/**
 * Deals packages to clients as evenly as their sizes allow: sorted by size, largest first (ties by code unit of the
 * name), they go round by round to client 0, 1, ... and back again. What is left over goes to nobody.
 *
 * @param packages - candidates in any order
 * @param clients - how many clients, at least 1
 * @returns one list of names per client; at most PACKAGES_PER_CLIENT each, all of one length
 * @throws DataError `data/too-few-packages`, `data/bad-option`
 */
export function dealPackages(packages: readonly TextPackage[], clients: number): string[][] {
  if (!Number.isSafeInteger(clients) || clients < 1) {
    throw new DataError('data/bad-option', `clients must be a whole number of at least 1, not ${clients}`, { clients });
  }
  const rounds = Math.min(PACKAGES_PER_CLIENT, Math.floor(packages.length / clients));
  if (rounds === 0) {
    throw new DataError(
      'data/too-few-packages',
      `only ${packages.length} installed packages carry enough documentation for ${clients} clients: ask for fewer clients, or give folders of text with --data`,
      { packages: packages.length, clients },
    );
  }
  const dealt: string[][] = Array.from({ length: clients }, () => []);
  const ranked = [...packages].sort((a, b) => b.bytes - a.bytes || compareCodeUnits(a.name, b.name));
  ranked.slice(0, rounds * clients).forEach((candidate, rank) => {
    const turn = rank % clients;
    const client = Math.floor(rank / clients) % 2 === 0 ? turn : clients - 1 - turn;
    dealt[client]?.push(candidate.name);
  });
  return dealt;
}

/**
 * Assigns the documentation of installed packages to clients, so that no two clients share a package. A scope counts as
 * one package: its members resemble each other. The outcome depends on what is installed, not on the order in which the
 * file system lists it.
 *
 * @param nodeModulesFolder - a `node_modules` folder
 * @param clients - how many clients, at least 1
 * @param reader - lists one folder
 * @returns one entry per client, in client order
 * @throws DataError `data/folder-missing`, `data/too-few-packages`, `data/bad-option`
 */
export async function assignPackages(
  nodeModulesFolder: string,
  clients: number,
  reader: DirectoryReader = readDirectory,
): Promise<ClientText[]> {
  const candidates = await rankPackages(nodeModulesFolder, reader);
  const worthDealing: TextPackage[] = [];
  for (const candidate of candidates) {
    if (worthDealing.length >= clients * PACKAGES_PER_CLIENT) break;
    const files = await readTextFolder(join(nodeModulesFolder, candidate.name), 'documentation', reader);
    if (files.reduce((sum, file) => sum + file.symbols.length, 0) >= MIN_PACKAGE_SYMBOLS) worthDealing.push(candidate);
  }
  return dealPackages(worthDealing, clients).map((names) => ({
    names,
    folders: names.map((name) => join(nodeModulesFolder, name)),
  }));
}

async function rankPackages(nodeModulesFolder: string, reader: DirectoryReader): Promise<TextPackage[]> {
  const entries = await reader(nodeModulesFolder).catch((cause: unknown) => {
    throw new DataError(
      'data/folder-missing',
      `cannot read the folder ${nodeModulesFolder}: install the packages first`,
      { folder: nodeModulesFolder },
      cause,
    );
  });
  const packages = await Promise.all(
    entries
      .filter(({ name, kind }) => kind === 'folder' && !name.startsWith('.'))
      .map(async ({ name }) => {
        const files = await findTextFiles(join(nodeModulesFolder, name), 'documentation', reader);
        return { name, bytes: files.reduce((sum, file) => sum + file.bytes, 0) };
      }),
  );
  return packages
    .filter(({ bytes }) => bytes >= MIN_PACKAGE_SYMBOLS)
    .sort((a, b) => b.bytes - a.bytes || compareCodeUnits(a.name, b.name));
}
