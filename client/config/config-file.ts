import { readFile } from 'node:fs/promises';
import type { z } from 'zod';
import { ConfigError, checkConfig, parseConfig } from '../../shared/config-check.ts';

/**
 * Reads a TOML file, or a JSON file by its name, and holds it to a schema.
 *
 * @param file - the file
 * @param schema - what it must say; fills in defaults
 * @returns what the schema makes of it
 * @throws ConfigError `config/unreadable`, `config/syntax`, `config/invalid`, naming the file, the field and, for a name
 *   that is not known, the nearest that is
 */
export async function readConfigFile<Schema extends z.ZodType>(file: string, schema: Schema): Promise<z.infer<Schema>> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    throw new ConfigError('config/unreadable', `${file} cannot be read: check the path`, { file }, cause);
  }
  return checkConfig(file, parseConfig(file, text), schema);
}
