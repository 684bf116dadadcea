import { sha256 } from '@noble/hashes/sha2.js';
import { expect, it } from 'vitest';
import { aggregateIntegers } from '../../../shared/aggregation/aggregate-integers.ts';
import { parseRuleSpec } from '../../../shared/aggregation/registry.ts';
import { toHex, utf8 } from '../../../shared/bytes.ts';
import { createRng } from '../../../shared/rng.ts';
import { everyRule, iterativeRules, largestF } from './arbitraries.ts';

const pipelines = [[], ['NNM'], ['ARC'], ['Clipping', 'NNM'], ['Bucketing'], ['NNM', 'Bucketing', 'ARC']];

/** Weights and aggregates of every rule behind every one of these pipelines, as one text. */
function everything(): string {
  const lines: string[] = [];
  for (const n of [13, 31]) {
    const rng = createRng(n);
    const rows = Array.from({ length: n }, (_, i) =>
      Int16Array.from({ length: 70 }, (_value, at) => {
        const noise = rng.below(1201) - 600;
        return i % 5 === 4 ? 8191 - 3 * rng.below(2000) : noise + 40 * (at % 7);
      }),
    );
    const samples = rows.map((_, i) => 1 + i * i);
    for (const input of [...everyRule, ...iterativeRules]) {
      for (const pre of pipelines) {
        // SMEA searches every set, and Bucketing halves what a rule sees.
        const f = Math.min(2, largestF(input.rule, Math.ceil(n / 2)));
        const params = { ...input.params, ...(pre.includes('Bucketing') && { s: 2 }) };
        const spec = parseRuleSpec({ ...input, pre, f, params });
        const { aggregate, weights } = aggregateIntegers(rows, spec, samples, { updateBits: 9, seed: 77 });
        lines.push(JSON.stringify({ n, spec, weights, aggregate: [...aggregate] }));
      }
    }
  }
  return lines.join('\n');
}

it('every rule and pipeline has the bits it had when this was written, on every machine and version of Node', () => {
  expect(toHex(sha256(utf8(everything())))).toBe('0x93539abcad6c91628f458b89cb25a44629df15b2b01bcf59376361f81f4e2467');
});
