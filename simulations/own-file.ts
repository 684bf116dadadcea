import { pathToFileURL } from 'node:url';
import type { Parameter } from '../shared/aggregation/rule.ts';

/** What every definition in a file of one's own may leave out, filled in. */
export interface OwnDescription {
  /** Name. */
  readonly name: string;
  /** Other names. */
  readonly aliases: readonly string[];
  /** What it does. */
  readonly summary: string;
  /** Where it is described. */
  readonly source: string;
  /** What it takes. */
  readonly parameters: readonly Parameter[];
}

/** Whether a name is the path of a file that defines something of the experiment's own. */
export function isOwnFile(name: string): boolean {
  return /^(\.{1,2})?\//.test(name);
}

/**
 * Imports a file of one's own.
 *
 * @param path - the file, absolute
 * @param refuse - the error for a file that cannot be loaded, and what that was due to
 * @returns its default export
 */
export async function importOwn(path: string, refuse: (what: string, cause: unknown) => Error): Promise<unknown> {
  try {
    const loaded: { readonly default?: unknown } = await import(pathToFileURL(path).href);
    return loaded.default;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    const remedy =
      code === 'ERR_UNKNOWN_FILE_EXTENSION' && path.endsWith('.ts')
        ? 'this Node.js does not read TypeScript: use 22.18 or later, or write the file as .mjs'
        : `${error instanceof Error ? error.message : String(error)}: give the path of a module that can be imported`;
    throw refuse(`cannot be loaded: ${remedy}`, error);
  }
}

/**
 * What a file's default export says of itself. Only a name is asked for; the file stands for the source where none is given.
 *
 * @param exported - the default export
 * @param path - the file
 * @param refuse - the error for what is missing or wrong
 * @returns the export as an object, and its description
 */
export function describeOwn(
  exported: unknown,
  path: string,
  refuse: (what: string) => Error,
): { readonly own: Readonly<Record<string, unknown>>; readonly description: OwnDescription } {
  if (typeof exported !== 'object' || exported === null) throw refuse('has no object as its default export');
  const own = exported as Readonly<Record<string, unknown>>;
  const { name, aliases = [], summary = '', source = path, parameters = [] } = own;
  if (typeof name !== 'string' || !/^[\w.-]+$/.test(name)) {
    throw refuse('has no "name" of letters, digits, dots, dashes and underscores');
  }
  if (!isTextList(aliases)) throw refuse('has "aliases" that are no list of texts');
  if (typeof summary !== 'string') throw refuse('has a "summary" that is no text');
  if (typeof source !== 'string') throw refuse('has a "source" that is no text');
  if (!Array.isArray(parameters)) throw refuse('has "parameters" that are no list');
  return {
    own,
    description: { name, aliases, summary, source, parameters: parameters.map((one) => parameterOf(one, refuse)) },
  };
}

function parameterOf(given: unknown, refuse: (what: string) => Error): Parameter {
  const {
    name,
    meaning = '',
    choices = [],
    minimum,
    maximum,
    real,
    ...rest
  } = (given ?? {}) as Record<string, unknown>;
  const value = rest['default'];
  if (typeof name !== 'string' || name === '') throw refuse('has a parameter without a "name"');
  if (typeof value !== 'string' && typeof value !== 'number')
    throw refuse(`has no "default" for its parameter "${name}"`);
  if (typeof meaning !== 'string') throw refuse(`has a "meaning" that is no text for its parameter "${name}"`);
  if (!isTextList(choices)) throw refuse(`has "choices" that are no list of texts for its parameter "${name}"`);
  for (const bound of [minimum, maximum]) {
    if (bound !== undefined && typeof bound !== 'number') throw refuse(`has a bound that is no number for "${name}"`);
  }
  const kinds = ['positive', 'non-negative', 'signed'];
  if (real !== undefined && !kinds.includes(real as string)) {
    throw refuse(`has a "real" other than ${kinds.join(', ')} for its parameter "${name}"`);
  }
  if (choices.length === 0 && minimum === undefined && real === undefined) {
    throw refuse(`does not say what its parameter "${name}" takes: "choices", "minimum" (an integer) or "real"`);
  }
  return {
    name,
    meaning,
    default: value,
    choices,
    ...(minimum === undefined ? {} : { minimum: minimum as number }),
    ...(maximum === undefined ? {} : { maximum: maximum as number }),
    ...(real === undefined ? {} : { real: real as 'signed' }),
  };
}

function isTextList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string');
}
