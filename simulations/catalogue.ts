import { resolve } from 'node:path';
import { didYouMean } from '../shared/aggregation/nearest-name.ts';
import { completeParams } from '../shared/aggregation/parameters.ts';
import type { Parameter, Params } from '../shared/aggregation/rule.ts';
import { RuleError } from '../shared/aggregation/rule-error.ts';
import { importOwn, isOwnFile } from './own-file.ts';

/** What can be asked for by name, with parameters. */
export interface CatalogueEntry {
  /** Canonical name. */
  readonly name: string;
  /** Other names; letter case never matters. */
  readonly aliases: readonly string[];
  /** What it takes. */
  readonly parameters: readonly Parameter[];
}

/** What can be wrong with what is asked for. */
export type CatalogueFault = 'unknown' | 'unknown-parameter' | 'bad-parameter' | 'bad-file';

/** Things of one kind that experiments name: attacks, partitions. */
export interface Catalogue<Entry extends CatalogueEntry> {
  /** What one of them is called, such as `attack`. */
  readonly kind: string;
  /** All of them. */
  readonly entries: readonly Entry[];
  /** The room's own error for a fault. */
  readonly error: (
    fault: CatalogueFault,
    message: string,
    data: Readonly<Record<string, unknown>>,
    cause?: unknown,
  ) => Error;
  /**
   * What a file's default export says, as an entry.
   *
   * @throws the room's own error when something of it is missing
   */
  readonly fromFile: (exported: unknown, path: string) => Entry;
}

/** An entry and all of its parameters. */
export interface Chosen<Entry> {
  /** What was asked for. */
  readonly entry: Entry;
  /** Its parameters, complete. */
  readonly params: Params;
}

/**
 * Reads `NAME`, `NAME:name=value,name=value`, or `NAME:value` for the first parameter alone.
 *
 * @throws the catalogue's error: unknown, unknown-parameter, bad-parameter
 */
export function parseChoice<Entry extends CatalogueEntry>(catalogue: Catalogue<Entry>, text: string): Chosen<Entry> {
  const colon = text.indexOf(':');
  const entry = findEntry(catalogue, (colon < 0 ? text : text.slice(0, colon)).trim());
  const given = new Map<string, string>();
  const settings = colon < 0 ? [] : text.slice(colon + 1).split(',');
  for (const setting of settings) {
    const parts = setting.split('=').map((part) => part.trim());
    const first = parts.length === 1 && settings.length === 1 ? entry.parameters[0]?.name : undefined;
    const [name, value, more] = first === undefined ? parts : [first, ...parts];
    if (!name || !value || more !== undefined || given.has(name)) {
      const sentence = `"${setting}" in "${text}" is not a setting: write each once, as name=value, with commas between`;
      throw catalogue.error('bad-parameter', sentence, { [catalogue.kind]: entry.name, parameter: name, value });
    }
    given.set(name, value);
  }
  return { entry, params: completeEntry(catalogue, entry, Object.fromEntries(given)) };
}

/**
 * Finds an entry by name, or in the file whose default export it is, and completes its parameters.
 *
 * @param named - the name, or a path that begins with `./`, `../` or `/`
 * @param baseFolder - what a path is relative to
 * @throws the catalogue's error: unknown, unknown-parameter, bad-parameter, bad-file
 */
export async function resolveChoice<Entry extends CatalogueEntry>(
  catalogue: Catalogue<Entry>,
  named: { readonly name: string; readonly params: Params },
  baseFolder: string,
): Promise<Chosen<Entry>> {
  const entry = isOwnFile(named.name)
    ? await loadEntry(catalogue, resolve(baseFolder, named.name))
    : findEntry(catalogue, named.name);
  return { entry, params: completeEntry(catalogue, entry, named.params) };
}

async function loadEntry<Entry extends CatalogueEntry>(catalogue: Catalogue<Entry>, path: string): Promise<Entry> {
  const exported = await importOwn(path, (what, cause) =>
    catalogue.error('bad-file', `the ${catalogue.kind} file ${path} ${what}`, { path }, cause),
  );
  return catalogue.fromFile(exported, path);
}

function findEntry<Entry extends CatalogueEntry>({ kind, entries, error }: Catalogue<Entry>, name: string): Entry {
  const names = (one: Entry): string[] => [one.name, ...one.aliases];
  const found = entries.find((one) => names(one).some((known) => known.toLowerCase() === name.toLowerCase()));
  if (found !== undefined) return found;
  const known = entries.map((one) => one.name);
  const hint = didYouMean(name, entries.flatMap(names));
  const sentence = `there is no ${kind} named "${name}":${hint} choose one of ${known.join(', ')}`;
  throw error('unknown', sentence, { [kind]: name, known });
}

function completeEntry<Entry extends CatalogueEntry>(catalogue: Catalogue<Entry>, entry: Entry, given: Params): Params {
  try {
    return completeParams(entry.name, entry.parameters, given);
  } catch (error) {
    if (!(error instanceof RuleError)) throw error;
    const fault = error.code === 'rule/unknown-parameter' ? 'unknown-parameter' : 'bad-parameter';
    const { rule, ...data } = error.data;
    throw catalogue.error(fault, error.message, { [catalogue.kind]: rule, ...data });
  }
}
