import { ConfigError } from '../../shared/config-check.ts';

const UNITS: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
};

/**
 * Reads an amount of memory such as `4GiB`, `800 MB` or `1500000000`.
 *
 * @param text - a number and, unless it counts bytes, a unit
 * @param field - where it stands, for messages
 * @param file - the file it is from, if it is from one
 * @returns bytes
 * @throws ConfigError `config/invalid`
 */
export function parseBytes(text: string, field: string, file?: string): number {
  const [, digits, unit = 'B'] = /^([0-9]+(?:\.[0-9]+)?) ?([kKMG]?i?B)?$/.exec(text.trim()) ?? [];
  const scale = UNITS[unit];
  if (digits !== undefined && scale !== undefined) return Math.floor(Number(digits) * scale);
  const where = file === undefined ? '--memory-limit' : `${file}, field "${field}"`;
  throw new ConfigError('config/invalid', `${where}: "${text}" is no amount of memory: write one such as 4GiB`, {
    field,
  });
}
