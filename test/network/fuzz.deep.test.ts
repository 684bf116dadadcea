import { describe, it } from 'vitest';
import { fuzzControlPlane, fuzzHttp } from './fuzz.ts';

/** Another seed attacks otherwise. */
const seed = Number(process.env['FEDANCHOR_FUZZ_SEED'] ?? 20_261_121);

describe(`a coordinator under anything, for long (FEDANCHOR_FUZZ_SEED=${seed})`, () => {
  it('on every message of the control plane', () => fuzzControlPlane({ numRuns: 1_500, seed }));
  it('on every HTTP route', () => fuzzHttp({ numRuns: 3_000, seed }));
});
