import { shorten } from '../mixing.ts';
import { type NumericParameter, numberParam } from '../parameters.ts';
import { realGram } from '../real-gram.ts';
import type { PreAggregator } from '../rule.ts';
import { refuseBeyond } from '../rule-error.ts';

const LIMIT: NumericParameter = {
  name: 'c',
  meaning: 'the longest an update may be, as a real length',
  default: 2,
  choices: [],
  real: 'positive',
};

/**
 * Static clipping: every update longer than c is shortened to it, `x_i min(1, c / |x_i|)`.
 *
 * Not robust by itself: it bounds what any one update can do. O(nd) for the norms. Over integers the factors are rounded
 * once, to as many binary places as leave every later sum exact. Updates are not overwritten.
 * Source: as in ByzFL, "Clipping".
 */
export const clipping: PreAggregator = {
  name: 'Clipping',
  aliases: ['norm-clipping'],
  summary: 'updates longer than c are shortened to it',
  bound: 'f < n',
  guarantee: 'recomputable by anyone',
  parameters: [LIMIT],
  validate: (n, f) => refuseBeyond('Clipping', n, f, n - 1),
  shape: (n) => ({ rows: n, denominator: null }),
  mix: (task) => {
    const c = numberParam(task.params, LIMIT);
    const factors = realGram(task).map((row, i) => {
      const norm = Math.sqrt(row[i] as number);
      return norm > c ? c / norm : 1;
    });
    return shorten(factors, task.grain);
  },
};
