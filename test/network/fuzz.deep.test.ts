import { describe, it } from 'vitest';
import { fuzzControlPlane, fuzzHttp } from './fuzz.ts';

describe('a coordinator under anything, for long', () => {
  it('on every message of the control plane', () => fuzzControlPlane({ numRuns: 1_500 }));
  it('on every HTTP route', () => fuzzHttp({ numRuns: 3_000 }));
});
