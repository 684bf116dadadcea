import { describe, expect, it } from 'vitest';
import { accountOf } from '../../../simulations/economics/account.ts';
import { verdictOf } from '../../../simulations/economics/crime.ts';
import type { ResultLine } from '../../../simulations/experiment/experiment.ts';
import { sampleExperiment } from '../report/sample-experiment.ts';

const TOKEN = 10n ** 18n;

/** Two honest clients that earned 60 and 40 tokens, one attacker that earned 25, in ten rounds. */
function tenRounds(): ResultLine {
  const line = sampleExperiment({ rules: ['Krum'], attacks: ['IPM'], f: [1], seeds: [0] }).lines[0] as ResultLine;
  const kind = (clients: number, earned: bigint) => ({
    ...{ clients, updates: clients * 10, weight: 1, activeRounds: 10, earned: String(earned * TOKEN) },
  });
  return {
    ...line,
    spec: {
      ...line.spec,
      rounds: 10,
      honest: 2,
      economics: { pot: '20', stake: '300', costPerClientRound: 0.5 },
    },
    result: {
      ...line.result,
      finalAccuracy: 0.6,
      curve: [{ ...(line.result.curve[0] as ResultLine['result']['curve'][0]), accuracy: 0.1 }],
      kinds: { honest: kind(2, 100n), byzantine: kind(1, 25n) },
      earnedByClient: [60n, 40n, 25n].map((tokens) => String(tokens * TOKEN)),
    },
  };
}

describe('the account of a run', () => {
  const { spec, result } = tenRounds();
  const account = accountOf(spec, result);

  it('has what each kind earned, spent and kept', () => {
    expect(account.offered).toBe(200n * TOKEN);
    expect(account.paid).toBe(125n * TOKEN);
    // 100 tokens, two clients, ten rounds; and half a token for each of their twenty updates.
    expect(account.honest).toEqual({
      ...{ clients: 2, earned: 100n * TOKEN, perClientRound: 5, cost: 10n * TOKEN, net: 90n * TOKEN },
    });
    expect(account.byzantine.perClientRound).toBe(2.5);
    expect(account.byzantine.net).toBe(20n * TOKEN);
    // 25 against a mean of 50.
    expect(account.relative).toBe(0.5);
  });

  it('has a stake that is at risk and not lost', () => {
    expect([account.stakeAtRisk, account.stakeLost]).toEqual([300n * TOKEN, 0n]);
  });

  it('has how concentrated it was, and what a point cost', () => {
    // 2 (25 + 2·40 + 3·60) / (3·125) - 4/3, by hand; 2 (40 + 2·60) / (2·100) - 3/2.
    expect(account.gini).toBeCloseTo(570 / 375 - 4 / 3, 11);
    expect(account.giniHonest).toBeCloseTo(0.1, 12);
    expect(account.nakamoto).toBe(2);
    // 125 tokens for 50 points.
    expect(account.costPerPoint).toBeCloseTo(2.5, 12);
  });

  it('has no ratio where there is nothing to divide by', () => {
    const nobody = { clients: 0, updates: 0, weight: 0, earned: '0', activeRounds: 0 };
    const alone = accountOf(
      { ...spec, byzantine: 0 },
      { ...result, kinds: { ...result.kinds, byzantine: nobody }, finalAccuracy: 0.1 },
    );
    expect([alone.relative, alone.costPerPoint, alone.byzantine.perClientRound]).toEqual([null, null, 0]);
  });
});

describe('whether crime pays', () => {
  const facts = { attackers: 3, rounds: 100, earnedByzantine: 2, earnedHonest: 5, accuracy: 0.6, calmAccuracy: 0.8 };

  it('sets what attackers forwent against what they broke', () => {
    const { forgone, damage, pricePerPoint } = verdictOf(facts);
    expect(forgone).toBe(900);
    expect(damage).toBeCloseTo(20, 12);
    expect(pricePerPoint).toBeCloseTo(45, 12);
  });

  it('has no price where the attack paid, did no damage, or there was no peace to compare with', () => {
    expect(verdictOf({ ...facts, earnedByzantine: 6 })).toMatchObject({ forgone: -300, pricePerPoint: null });
    expect(verdictOf({ ...facts, accuracy: 0.9 }).pricePerPoint).toBeNull();
    expect(verdictOf({ ...facts, calmAccuracy: null })).toMatchObject({ damage: null, pricePerPoint: null });
  });
});
