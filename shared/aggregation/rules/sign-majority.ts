import type { CoordinateRule } from '../rule.ts';
import { refuseBeyond } from '../rule-error.ts';

/**
 * Majority vote of signs: at each coordinate +1 where more values are above zero than below, -1 where fewer are, 0 on a
 * tie; zeros abstain.
 *
 * Its values are signs, not lengths: one update unit each way, whatever stands in front of it. The server step's learning
 * rate sets how far they lead. Requires 2f < n. Breakdown point 1/2; O(dn); ties cannot matter.
 * Source: Bernstein et al., "signSGD with majority vote is communication efficient and fault tolerant", ICLR 2019.
 */
export const signMajority: CoordinateRule = {
  name: 'SignMajority',
  aliases: ['sign-majority', 'majority-vote'],
  summary: 'majority of the signs of each coordinate, one update unit long',
  bound: '2f < n',
  family: 'coordinate',
  sees: 'values',
  yields: 'signs',
  guarantee: 'settled on chain',
  parameters: [],
  validate: (n, f) => refuseBeyond('SignMajority', n, f, Math.ceil(n / 2) - 1),
  denominator: () => 1,
  reduce: (values, n) => {
    let votes = 0;
    for (let i = 0; i < n; i += 1) votes += Math.sign(values[i] as number);
    return Math.sign(votes);
  },
};
