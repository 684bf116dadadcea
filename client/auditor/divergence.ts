import type { Hex } from '../../shared/bytes.ts';
import { FedanchorError } from '../../shared/errors.ts';

/** The first thing found that is not as it must be. */
export interface Divergence {
  /** What: a member of the record, such as `modelRoot`, or a thing in words, such as `update of 0x…`. */
  readonly what: string;
  /** What it must be. */
  readonly expected: string;
  /** What was found in its place. */
  readonly found: string;
  /** Id of the blob at fault, where it is one. */
  readonly blob?: Hex;
}

/** Carries a divergence up to the verdict it belongs to. Never leaves this folder. */
export class DivergenceFound extends FedanchorError<'audit/divergence'> {
  /** What was found. */
  readonly divergence: Divergence;

  /** @param divergence - what was found */
  constructor(divergence: Divergence) {
    const { what, expected, found } = divergence;
    super('audit/divergence', `${what}: expected ${expected}, found ${found}`, { ...divergence });
    this.divergence = divergence;
  }
}

/** {@link DivergenceFound} for a blob that is not there, which may have a reason. */
export class BlobMissing extends DivergenceFound {}

/**
 * Holds a value to what it must be.
 *
 * @throws DivergenceFound
 */
export function mustEqual(
  what: string,
  expected: string | number | bigint,
  found: string | number | bigint,
  blob?: Hex,
): void {
  if (expected !== found) must(false, what, String(expected), String(found), blob);
}

/**
 * Holds a condition.
 *
 * @throws DivergenceFound
 */
export function must(holds: boolean, what: string, expected: string, found: string, blob?: Hex): void {
  if (!holds)
    throw new DivergenceFound(blob === undefined ? { what, expected, found } : { what, expected, found, blob });
}

/**
 * Runs a step whose coded errors mean that what it was given is not what it must be.
 *
 * @throws DivergenceFound
 */
export function mustSucceed<T>(what: string, expected: string, blob: Hex | undefined, step: () => T): T {
  try {
    return step();
  } catch (error) {
    if (error instanceof DivergenceFound || !(error instanceof FedanchorError)) throw error;
    const found = error.message;
    throw new DivergenceFound(blob === undefined ? { what, expected, found } : { what, expected, found, blob });
  }
}

/** {@link mustSucceed} for a step that takes time. */
export async function mustComplete<T>(
  what: string,
  expected: string,
  blob: Hex | undefined,
  step: () => Promise<T>,
): Promise<T> {
  try {
    return await step();
  } catch (error) {
    return mustSucceed<T>(what, expected, blob, () => {
      throw error;
    });
  }
}

/** Awaits a check and returns what it found, or undefined if all was well. Other errors pass. */
export async function divergenceOf(check: () => Promise<void>): Promise<Divergence | undefined> {
  try {
    await check();
    return undefined;
  } catch (error) {
    return divergenceIn(error);
  }
}

/** {@link divergenceOf} for a check that needs no waiting. */
export function divergenceFrom(check: () => void): Divergence | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    return divergenceIn(error);
  }
}

function divergenceIn(error: unknown): Divergence {
  if (error instanceof DivergenceFound) return error.divergence;
  throw error;
}
