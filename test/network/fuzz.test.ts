import { describe, it } from 'vitest';
import { fuzzControlPlane, fuzzHttp } from './fuzz.ts';

describe('a coordinator under anything', () => {
  it('on every message of the control plane is alive, correct and within memory afterwards', async () => {
    await fuzzControlPlane({ numRuns: 200 });
  }, 120_000);

  it('on every HTTP route is alive, correct and within memory afterwards', async () => {
    await fuzzHttp({ numRuns: 300 });
  }, 120_000);
});
