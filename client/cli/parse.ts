import { InvalidArgumentError } from 'commander';
import type { Hex } from '../../shared/bytes.ts';

/** Reads an address: `0x` and 40 hexadecimal digits. Throws what commander shows with the option's name. */
export function parseAddress(text: string): Hex {
  if (/^0x[0-9a-fA-F]{40}$/.test(text)) return text.toLowerCase() as Hex;
  throw new InvalidArgumentError('expected an address: 0x and 40 hexadecimal digits');
}

/** Reads a seed: a whole number of 0 or more. Throws what commander shows with the option's name. */
export function parseSeed(text: string): number {
  const seed = Number(text);
  if (/^[0-9]+$/.test(text) && Number.isSafeInteger(seed)) return seed;
  throw new InvalidArgumentError('expected a whole number of 0 or more');
}

/** Reads a count: a whole number of 1 or more. Throws what commander shows with the option's name. */
export function parseCount(text: string): number {
  const count = Number(text);
  if (/^[1-9][0-9]*$/.test(text) && Number.isSafeInteger(count)) return count;
  throw new InvalidArgumentError('expected a whole number of 1 or more');
}

/** Reads a number above 0. Throws what commander shows with the option's name. */
export function parseNumber(text: string): number {
  const number = Number(text);
  if (/^[0-9.]+(e-?[0-9]+)?$/.test(text) && Number.isFinite(number) && number > 0) return number;
  throw new InvalidArgumentError('expected a number above 0');
}

const TIMEOUTS: readonly string[] = ['hello', 'train', 'evaluate', 'cancel'];

/** Reads limits in seconds such as `train=3600,cancel=10`. Throws what commander shows with the option's name. */
export function parseTimeouts(text: string): Record<string, number> {
  const limits = text.split(',').map((part): [string, number] => {
    const [name = '', value = ''] = part.split('=');
    const seconds = Number(value);
    if (TIMEOUTS.includes(name) && value !== '' && seconds > 0 && seconds <= 2_000_000) return [name, seconds];
    throw new InvalidArgumentError(`expected some of ${TIMEOUTS.map((each) => `${each}=SECONDS`).join(',')}`);
  });
  return Object.fromEntries(limits);
}
