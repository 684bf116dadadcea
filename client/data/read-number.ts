import { DataError } from './data-error.ts';

const NUMBER = /^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/;

/**
 * Reads a number that must be finite in 32 bits.
 *
 * @param value - text or number; empty, null and undefined are missing
 * @param missing - what a missing one counts as; undefined where it is an error
 * @param where - tells where it stands, for the error
 * @throws DataError `data/bad-value`
 */
export function readNumber(value: unknown, missing: number | undefined, where: () => string): number {
  const isMissing = value === '' || value === null || value === undefined;
  if (isMissing && missing !== undefined) return missing;
  const number = typeof value === 'number' ? value : NUMBER.test(String(value)) ? Number(value) : Number.NaN;
  if (!isMissing && typeof value !== 'boolean' && Number.isFinite(Math.fround(number))) return number;
  const found = isMissing ? 'there is no value' : `${JSON.stringify(String(value).slice(0, 80))} is no finite number`;
  const remedy = isMissing ? 'fill it in, or have the manifest say what a missing one counts as' : 'correct it';
  throw new DataError('data/bad-value', `${where()}: ${found}; ${remedy}`, { where: where() });
}
