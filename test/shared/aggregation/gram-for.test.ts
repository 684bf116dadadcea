import { expect, test } from 'vitest';
import { gramFor } from '../../../shared/aggregation/gram-for.ts';
import { compilePipeline, planPipeline } from '../../../shared/aggregation/pipeline.ts';
import { quantizeWeights } from '../../../shared/aggregation/quantize-weights.ts';
import { parseRuleSpec } from '../../../shared/aggregation/registry.ts';
import { exactScalar } from '../../../shared/aggregation/scalar.ts';
import { createScalarEngine } from '../../../shared/aggregation/scalar-engine.ts';
import { createRng } from '../../../shared/rng.ts';

const engine = createScalarEngine();
const rng = createRng(1, 'test/gram-for');
const rows = Array.from({ length: 9 }, () => Int16Array.from({ length: 64 }, () => rng.below(2001) - 1000));
const where = { place: 'memory', rows } as const;

const planned = async (text: string, gram: readonly (readonly bigint[])[]) => {
  const pipeline = compilePipeline(parseRuleSpec(text), rows.length, true);
  const facts = { updateBits: 8, seed: 1 };
  const plan = planPipeline(
    pipeline,
    () => gram,
    rows.map(() => 1),
    exactScalar,
    facts,
  );
  return plan.kind === 'sum' ? quantizeWeights(plan) : plan;
};

test('a rule that measures from one update gets the weights that all inner products would give it', async () => {
  const all = await engine.gram(where);
  for (let idx = 0; idx < rows.length; idx += 1) {
    const text = `MoNNA:f=2,idx=${idx}`;
    const some = await gramFor(engine, compilePipeline(parseRuleSpec(text), rows.length, true), where);
    expect(some.flat().filter((value) => value === 0n)).toHaveLength(8 * 7);
    expect(await planned(text, some)).toEqual(await planned(text, all));
  }
});

test('other pipelines get what they look at', async () => {
  const all = await engine.gram(where);
  for (const [text, expected] of [
    ['Krum:f=2', all],
    ['NNM+MoNNA:f=2', all],
    ['NNM+Median:f=2', all],
    ['Median:f=2', []],
    ['Average', []],
  ] as const) {
    expect(await gramFor(engine, compilePipeline(parseRuleSpec(text), rows.length, true), where)).toEqual(expected);
  }
});
