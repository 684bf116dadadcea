import { createHash } from 'node:crypto';
import { canonicalJson, type Json } from '../../shared/codec.ts';
import type { RunSpec } from './run-spec.ts';

/** Hexadecimal digits of a run's id. */
const ID_DIGITS = 16;

/** SHA-256 of a value's canonical JSON, hexadecimal: the same for equal values, whatever the order of their members. */
export function hashOf(value: unknown): string {
  return createHash('sha256')
    .update(canonicalJson(value as Json))
    .digest('hex');
}

/** A run's id: the first 16 hexadecimal digits of its specification's hash. */
export function runId(spec: RunSpec): string {
  return hashOf(spec).slice(0, ID_DIGITS);
}
