import { FedanchorError } from '../../shared/errors.ts';

/** Thrown when a text is no amount of tokens. */
export class MoneyError extends FedanchorError<'money/not-an-amount'> {}

/** Decimal places of the token that simulations reckon in. */
const TOKEN_DECIMALS = 18;

/** One whole token, in its smallest unit. */
const WHOLE = 10n ** BigInt(TOKEN_DECIMALS);

/** Parts in which {@link quotient} counts: 10^12, so that a quotient has twelve exact places. */
const PARTS = 1_000_000_000_000n;

/**
 * Whole tokens as the token's smallest units; further places than it has are refused, never rounded.
 *
 * @param tokens - such as `100`, `'0.5'` or `1e-7`; not negative
 * @throws MoneyError `money/not-an-amount`
 */
export function unitsOf(tokens: string | number): bigint {
  const text = typeof tokens === 'number' && Math.abs(tokens) < 1e-6 ? tokens.toFixed(TOKEN_DECIMALS) : String(tokens);
  const match = /^([0-9]+)(?:\.([0-9]+))?$/.exec(text);
  const places = match?.[2]?.replace(/0+$/, '') ?? '';
  if (match === null || places.length > TOKEN_DECIMALS) {
    throw new MoneyError('money/not-an-amount', `${text} is no amount of tokens: write digits, such as 100 or 0.5`, {
      tokens,
    });
  }
  return BigInt(match[1] as string) * WHOLE + BigInt(places.padEnd(TOKEN_DECIMALS, '0'));
}

/** An amount in whole tokens, for tables and plots: twelve exact places. */
export function tokensOf(units: bigint): number {
  return quotient(units, WHOLE) as number;
}

/** `a / b` to twelve places, cut towards zero; null where `b` is 0. */
export function quotient(a: bigint, b: bigint): number | null {
  if (b === 0n) return null;
  const whole = a / b;
  return Number(whole) + Number(((a - whole * b) * PARTS) / b) / Number(PARTS);
}

/** The sum of some amounts. */
export function total(amounts: readonly bigint[]): bigint {
  return amounts.reduce((sum, amount) => sum + amount, 0n);
}
