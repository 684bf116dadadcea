import { recoverAddress } from '../../../contracts/wallet.ts';
import type { SigningDomain } from '../../../shared/commitments/typed-data.ts';
import type { Evidence } from '../../../shared/openings/diagnosis.ts';
import { createRounds, type JobChoices, type LabRound } from '../../contracts/court/court-lab.ts';
import { wallet } from '../../contracts/harness.ts';

const DOMAIN: SigningDomain = { chainId: 31337n, anchor: `0x${'a0'.repeat(20)}` };

/** Rounds of a job that is on no chain. */
export function roundsOf(choices: JobChoices): ReturnType<typeof createRounds> {
  const signers = Array.from({ length: choices.participants ?? 5 }, (_, each) => wallet(`participant ${each}`));
  signers.sort((a, b) => (a.address < b.address ? -1 : 1));
  return createRounds(choices, signers, () => DOMAIN, wallet('coordinator'));
}

/** What somebody who recomputed the round has to go by. */
export function evidenceOf(round: LabRound, changes: Partial<Evidence> = {}): Evidence {
  return {
    recomputed: round.outcome,
    recover: recoverAddress,
    isEligible: async () => true,
    domain: DOMAIN,
    ...changes,
  };
}
