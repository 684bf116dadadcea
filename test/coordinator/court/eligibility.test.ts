import { expect, it } from 'vitest';
import { createEligibility } from '../../../coordinator/court/eligibility.ts';
import type { Hex } from '../../../shared/bytes.ts';
import { WALLETS } from '../fixture.ts';

const [A, B] = WALLETS.map(({ address }) => address) as [Hex, Hex];

function open() {
  const chain = { staked: [A] as Hex[], asked: 0, isAway: false };
  let nowMs = 1000;
  const readStaked = async () => {
    chain.asked++;
    if (chain.isAway) throw new Error('the chain is away');
    return chain.staked;
  };
  return {
    chain,
    eligibility: createEligibility(readStaked, () => nowMs),
    pass: (ms: number) => {
      nowMs += ms;
    },
  };
}

it('asks the chain once for a crowd, and not again for those on the list while it is fresh', async () => {
  const { chain, eligibility, pass } = open();
  const answers = await Promise.all([A, B, A, B].map((one) => eligibility.isStaked(one)));
  expect(answers).toEqual([true, false, true, false]);
  expect(chain.asked).toBe(1);
  pass(14_999);
  expect(await eligibility.isStaked(A)).toBe(true);
  expect(chain.asked).toBe(1);
});

it('asks again at once for whoever has just staked, and in time for whoever has left', async () => {
  const { chain, eligibility, pass } = open();
  expect(await eligibility.isStaked(B)).toBe(false);
  chain.staked = [B];
  pass(1000);
  expect(await eligibility.isStaked(B)).toBe(true);
  chain.staked = [];
  expect(await eligibility.isStaked(B)).toBe(true);
  pass(15_000);
  expect(await eligibility.isStaked(B)).toBe(false);
});

it('goes by what it knew last while the chain is away, and admits nobody before it knew anything', async () => {
  const { chain, eligibility, pass } = open();
  chain.isAway = true;
  await expect(eligibility.isStaked(A)).rejects.toThrow('the chain is away');
  chain.isAway = false;
  expect(await eligibility.isStaked(A)).toBe(true);
  chain.isAway = true;
  pass(100_000);
  expect(await eligibility.isStaked(A)).toBe(true);
  expect(await eligibility.isStaked(B)).toBe(false);
});
