import { randomInt } from 'node:crypto';
import { describe, it } from 'vitest';
import { fuzzControlPlane, fuzzHttp } from './fuzz.ts';

/** Repeats a run whose seed was reported. */
const seed = Number(process.env['FEDANCHOR_FUZZ_SEED'] ?? randomInt(2 ** 31));

describe(`a coordinator under anything, for long (FEDANCHOR_FUZZ_SEED=${seed})`, () => {
  it('on every message of the control plane', () => fuzzControlPlane({ numRuns: 10_000, seed }));
  it('on every HTTP route', () => fuzzHttp({ numRuns: 20_000, seed }));
});
