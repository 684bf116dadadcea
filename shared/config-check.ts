import { parse, TomlError } from 'smol-toml';
import { z } from 'zod';
import { didYouMean } from './aggregation/nearest-name.ts';
import { FedanchorError } from './errors.ts';

/** Thrown when a configuration file cannot be read or does not say what it must. */
export class ConfigError extends FedanchorError<
  'config/unreadable' | 'config/syntax' | 'config/invalid' | 'config/missing' | 'config/exists'
> {}

/**
 * What the text of a configuration file says: TOML, or JSON by the file's name.
 *
 * @param file - the file, for messages
 * @throws ConfigError `config/syntax`, naming line and column where they are known
 */
export function parseConfig(file: string, text: string): unknown {
  try {
    return file.endsWith('.json') ? JSON.parse(text) : parse(text);
  } catch (cause) {
    if (cause instanceof TomlError) {
      const [first] = cause.message.split('\n');
      throw new ConfigError('config/syntax', `${file}, line ${cause.line}, column ${cause.column}: ${first}`, { file });
    }
    throw new ConfigError('config/syntax', `${file}: ${(cause as Error).message}`, { file });
  }
}

/**
 * Holds what a configuration file says to a schema.
 *
 * @param file - the file, for messages
 * @param value - what it says, parsed
 * @param schema - what it must say; fills in defaults
 * @returns what the schema makes of it
 * @throws ConfigError `config/invalid`, naming the field and, for a name that is not known, the nearest that is
 */
export function checkConfig<Schema extends z.ZodType>(file: string, value: unknown, schema: Schema): z.infer<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  // A name that is not known is often why another one is missing.
  const { issues } = parsed.error;
  const issue = (issues.find(({ code }) => code === 'unrecognized_keys') ?? issues[0]) as z.core.$ZodIssue;
  const { field, message } = explain(issue, schema);
  throw new ConfigError('config/invalid', `${file}, field "${field}": ${message}`, { file, field });
}

/** One thing that is wrong with what a configuration says. */
export interface ConfigFinding {
  /** The field, as a path such as `rewards.pricePerRound`. */
  readonly field: string;
  /** What is wrong with it, and for a name that is not known the nearest that is. */
  readonly message: string;
}

/** All that is wrong with what a configuration says, in the order in which a schema finds it. */
export function configFindings(value: unknown, schema: z.ZodType): readonly ConfigFinding[] {
  const parsed = schema.safeParse(value);
  if (parsed.success) return [];
  return parsed.error.issues.flatMap((issue) =>
    // One issue may name several fields that are not known: each is told of.
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => explain({ ...issue, keys: [key] }, schema))
      : [explain(issue, schema)],
  );
}

function explain(issue: z.core.$ZodIssue, schema: z.ZodType): { readonly field: string; readonly message: string } {
  const path = issue.path.map(String);
  if (issue.code !== 'unrecognized_keys') {
    const isMissing = issue.message.endsWith('received undefined');
    const message = isMissing ? 'it is missing: give it a value' : issue.message;
    return { field: path.join('.') || 'the whole', message };
  }
  const [name = ''] = issue.keys;
  const known = keysAt(schema, path);
  const hint = didYouMean(name, known) || ` known here: ${known.join(', ')}`;
  return { field: [...path, name].join('.'), message: `there is no such field;${hint}` };
}

/** Names that a schema knows at a path. */
function keysAt(schema: z.ZodType, path: readonly string[]): string[] {
  let inner: z.ZodType = schema;
  while (inner instanceof z.ZodOptional || inner instanceof z.ZodDefault || inner instanceof z.ZodPrefault) {
    inner = inner.unwrap() as z.ZodType;
  }
  const [first, ...rest] = path;
  // A path names the position in a list, which all its members have in common.
  if (inner instanceof z.ZodArray) return keysAt(inner.element as z.ZodType, rest);
  if (!(inner instanceof z.ZodObject)) return [];
  if (first === undefined) return Object.keys(inner.shape);
  const next = inner.shape[first] as z.ZodType | undefined;
  return next === undefined ? [] : keysAt(next, rest);
}
