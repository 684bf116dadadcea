import type { Manifest } from '../../shared/round/manifest.ts';
import { PrivacyError } from '../privacy/privacy-error.ts';
import { createPrivacyGuard } from '../privacy/privacy-guard.ts';
import { createPrivacyLedger } from '../privacy/privacy-ledger.ts';
import { type PrivacyOptions, requireOwnData } from '../privacy/privacy-options.ts';
import { publishesData } from '../public-data/published-source.ts';
import { good, type Outcome, warning } from './finding.ts';
import type { Ward } from './ward.ts';

/** Looks at what is left of a privacy budget for a job, and whether the noise fits its updates. */
export async function lookAtPrivacy(
  ward: Ward,
  { privacy, state }: { readonly privacy: PrivacyOptions | undefined; readonly state: string },
  job: `0x${string}`,
  manifest: Manifest,
): Promise<void> {
  if (!privacy) return;
  await ward.look('privacy', 'choose another clip, noise or epsilon: docs/privacy.md', async () => {
    requireOwnData(privacy, publishesData(manifest));
    const guard = createPrivacyGuard({ privacy, ledger: createPrivacyLedger(state) });
    return [await checkBudget(guard, job, manifest)];
  });
}

async function checkBudget(
  guard: ReturnType<typeof createPrivacyGuard>,
  job: `0x${string}`,
  { initialUpdateBits, rounds }: Manifest,
): Promise<Outcome> {
  try {
    await guard.admit({ job, round: 1, attempt: 0, updateBits: initialUpdateBits });
  } catch (error) {
    if (!(error instanceof PrivacyError) || error.code !== 'privacy/scale-too-fine') throw error;
    // Later rounds have other scales: those of a job that is under way may fit.
    return { ...warning(`in the first round, ${error.message}`), code: error.code };
  }
  const { epsilon, budget, delta, updatesLeft } = await guard.spent();
  const told = `epsilon ${epsilon.toPrecision(3)} of ${budget} is spent at delta ${delta}; ${updatesLeft} updates are left`;
  return updatesLeft < rounds ? warning(`${told}, and the job has ${rounds} rounds`) : good(told);
}
