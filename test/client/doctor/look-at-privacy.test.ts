import { describe, expect, it } from 'vitest';
import type { Finding } from '../../../client/doctor/finding.ts';
import { lookAtPrivacy } from '../../../client/doctor/look-at-privacy.ts';
import { openWard } from '../../../client/doctor/ward.ts';
import { noiseWithin } from '../../../client/privacy/accountant.ts';
import { createPrivacyLedger } from '../../../client/privacy/privacy-ledger.ts';
import type { PrivacyOptions } from '../../../client/privacy/privacy-options.ts';
import { makeFolder } from '../data/temporary-folder.ts';
import { createToyJob } from '../toy-job.ts';

const { job, manifest } = createToyJob().terms;
const privacy = { clip: 0.1, noise: noiseWithin(8, 1e-5, 2), epsilon: 8, delta: 1e-5 };

async function look(options: PrivacyOptions | undefined, state?: string): Promise<readonly Finding[]> {
  const ward = openWard();
  await lookAtPrivacy(ward, { privacy: options, state: state ?? (await makeFolder({})) }, job, manifest);
  return ward.findings;
}

describe('lookAtPrivacy', () => {
  it('finds a budget that lasts, and nothing where none is asked for', async () => {
    expect(await look(privacy)).toMatchObject([
      { verdict: 'good', message: expect.stringContaining('2 updates are left') },
    ]);
    expect(await look(undefined)).toEqual([]);
  });

  it('finds a budget that will not last, and one that is used up', async () => {
    const state = await makeFolder({});
    const ledger = createPrivacyLedger(state);
    const expense = { job, round: 1, attempt: 0, rho: 2 / privacy.noise ** 2 };
    await ledger.spend(expense, 100);
    expect(await look(privacy, state)).toMatchObject([
      { verdict: 'warning', message: expect.stringContaining('1 updates are left, and the job has 2 rounds') },
    ]);
    await ledger.spend(expense, 100);
    expect(await look(privacy, state)).toMatchObject([
      { verdict: 'bad', code: 'privacy/budget-spent', remedy: expect.stringContaining('docs/privacy.md') },
    ]);
  });

  it('finds noise that does not fit the first round', async () => {
    expect(await look({ ...privacy, clip: 10 })).toMatchObject([
      { verdict: 'warning', code: 'privacy/scale-too-fine' },
    ]);
  });
});
