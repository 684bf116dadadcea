import { expect, it } from 'vitest';
import { createPatientAnchor } from '../../../coordinator/court/patient-anchor.ts';
import { recordToJson } from '../../../shared/commitments/record.ts';
import { encodeDocument } from '../../../shared/round/document.ts';
import { roundRecord } from '../../contracts/harness.ts';
import { hash, WALLETS } from '../fixture.ts';

const DEPLOYED_AT_S = 1000;

/** Anchors a round of two participants, on a chain whose clock shows these times one after the other. */
async function anchorAt(joinedAtS: readonly number[], times: readonly number[]): Promise<number> {
  const record = roundRecord(1);
  const contributions = WALLETS.slice(0, joinedAtS.length).map(({ address: participant }) => ({
    ...{ participant, updateRoot: hash('u'), samples: 1, largestMagnitude: 1, datasetCommitment: hash('d') },
    signature: `0x${'aa'.repeat(65)}` as const,
  }));
  const document = encodeDocument({
    ...{ job: record.job, contributions, gram: [], weights: null, scores: [], rewards: [] },
    plan: { round: 1, attempt: 0, parentRoot: hash('p'), updateBits: 12, seedIndex: 1, seed: hash('s') },
  });
  let looks = 0;
  let anchoredAtS = 0;
  const timeNow = (): number => times[Math.min(looks, times.length - 1)] as number;
  const anchor = createPatientAnchor({
    anchor: async (given) => {
      expect(recordToJson(given)).toEqual(recordToJson(record));
      anchoredAtS = times[looks - 1] as number;
      return { transactionHash: hash('t'), blockNumber: 1, gasUsed: '1' };
    },
    stakes: {
      stakeOf: async (account) => {
        const at = WALLETS.findIndex(({ address }) => address === account);
        return { amount: 1n, joinedAtS: joinedAtS[at] as number, exitRequestedAtS: 0 };
      },
    },
    ledger: {
      chainTimeS: async () => {
        const timeS = timeNow();
        looks++;
        return timeS;
      },
    },
    facts: { deployedAtS: DEPLOYED_AT_S },
    blobs: { get: async () => document },
    now: () => 0,
    signal: new AbortController().signal,
  });
  await anchor(record);
  return anchoredAtS;
}

it('anchors at once where everyone joined before the tick that it is', async () => {
  expect(await anchorAt([1000, 1016], [1031, 1099])).toBe(1031);
});

it('waits for the first tick that began after the youngest of them joined', async () => {
  // Ticks begin at 1000, 1016 and 1032: at 1031 it is still the one that began before the second joined.
  expect(await anchorAt([1000, 1017], [1020, 1031, 1032, 1099])).toBe(1032);
});
