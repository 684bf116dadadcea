import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { canonicalJson, type Json } from '../../../shared/codec.ts';
import type { RunSpec } from '../../../simulations/experiment/run-spec.ts';
import { closeLab, run, SMALL } from './lab.ts';

afterAll(closeLab);

const bytesOf = (result: object): string => canonicalJson(result as Json);

/** Settings that are worth being tried together. */
const settings: fc.Arbitrary<Partial<RunSpec>> = fc.record({
  seed: fc.nat(2 ** 32 - 1),
  sampled: fc.constantFrom(null, 6),
  knowledge: fc.constantFrom('omniscient' as const, 'own' as const),
  attack: fc.constantFrom(
    null,
    { name: 'SignFlipping', params: {} },
    { name: 'ALIE', params: { tau: 1.5 } },
    { name: 'Gaussian', params: {} },
    { name: 'LabelFlipping', params: {} },
    { name: 'InflatedSamples', params: {} },
  ),
  rule: fc.constantFrom(
    { pre: [], rule: 'Median', f: 2, params: {} },
    { pre: ['NNM'], rule: 'MultiKrum', f: 1, params: {} },
    { pre: [], rule: 'Average', f: 0, params: {} },
  ),
  training: fc.constantFrom(SMALL.training, {
    ...SMALL.training,
    ...{ mode: 'local' as const, learningRate: 0.1, epochs: 1, momentum: 0, momentumWeight: 1, proximal: 0.1 },
  }),
});

describe('runOne', () => {
  it('gives the same bytes with one thread, with two, and with the scalar reference', { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(settings, async (some) => {
        const spec = { ...SMALL, ...some, rounds: 3 };
        const one = bytesOf(await run(spec, 1));
        expect(bytesOf(await run(spec, 2))).toBe(one);
        expect(bytesOf(await run(spec, 0))).toBe(one);
        expect(JSON.parse(one).outcome).toBe('finished');
      }),
      { numRuns: 4 },
    );
  });

  it('gives another model for another seed, attack or batch', async () => {
    const hash = async (some: Partial<RunSpec>): Promise<string> => (await run({ ...SMALL, ...some })).modelHash;
    const training = { ...SMALL.training, batch: 7 };
    const hashes = [await hash({}), await hash({ seed: 2 }), await hash({ attack: null }), await hash({ training })];
    expect(new Set(hashes).size).toBe(4);
  });

  it('tells the curve, what clients earned and who weighed what', async () => {
    const rounds: number[] = [];
    const rule = { pre: [], rule: 'MultiKrum', f: 2, params: {} };
    const hooks = { onRound: (round: number, of: number) => rounds.push(round * 100 + of) };
    const result = await run({ ...SMALL, rule, byzantine: 2, honest: 6 }, 1, hooks);
    expect(rounds).toEqual([106, 206, 306, 406, 506, 606]);
    expect(result.curve.map(({ round }) => round)).toEqual([0, 3, 6]);
    expect(result.curve[0]?.trainLoss).toBeNull();
    expect(result.curve.at(-1)?.trainLoss).toBeGreaterThan(0);
    expect(result.finalAccuracy).toBe(result.curve.at(-1)?.accuracy);
    // 4 classes: 4 times 10 weights and biases, in 64 coordinates each; 8 clients, 6 rounds.
    expect(result.curve.at(-1)).toMatchObject({ bytesUp: 8 * 6 * 128 * 2, bytesDown: 8 * 6 * 128 * 4, seconds: null });
    const { honest, byzantine } = result.kinds;
    expect(honest).toMatchObject({ clients: 6, updates: 36, activeRounds: 6 });
    expect(byzantine).toMatchObject({ clients: 2, updates: 12 });
    expect((honest.weight as number) + (byzantine.weight as number)).toBeCloseTo(6, 12);
    const paid = result.earnedByClient.map(BigInt).reduce((sum, one) => sum + one, 0n);
    expect(paid).toBe(60n * 10n ** 18n);
    expect(BigInt(honest.earned) + BigInt(byzantine.earned)).toBe(paid);
    expect(result.byzantineWeight).toHaveLength(3);
    expect(result.left).toEqual([]);
  });

  it('moves the model by what its rule lets through: sign flipping turns a plain mean, not a median', async () => {
    const strong = { name: 'InnerProductManipulation', params: { tau: 8 } };
    const spec = { ...SMALL, attack: strong, rounds: 30, evaluateEvery: 30 };
    const mean = await run({ ...spec, rule: { pre: [], rule: 'Average', f: 0, params: {} } });
    const median = await run(spec);
    const calm = await run({ ...spec, attack: null });
    expect(mean.curve.at(-1)?.loss).toBeGreaterThan(calm.curve[0]?.loss as number);
    expect(median.curve.at(-1)?.loss).toBeLessThan(calm.curve[0]?.loss as number);
    expect(Number(mean.kinds.byzantine.weight)).toBeCloseTo((30 * 2) / 7, 5);
  });

  it('counts samples up to the cap: what is inflated weighs no more than the largest honest share', async () => {
    const rule = { pre: [], rule: 'Average', f: 0, params: {} };
    const training = { ...SMALL.training, mode: 'local' as const, learningRate: 0.1, steps: 1 };
    const inflated = { ...SMALL, rule, training, attack: { name: 'InflatedSamples', params: { factor: 1000 } } };
    const capped = await run(inflated);
    const trusted = await run({ ...inflated, sampleCap: 10 ** 6 });
    expect(capped.kinds.byzantine.weight as number).toBeLessThan((6 * 2.2) / 7);
    expect(trusted.kinds.byzantine.weight as number).toBeGreaterThan(5.9);
  });

  it('ends as diverged where numbers run away, with what there was until then', async () => {
    const training = { ...SMALL.training, mode: 'local' as const, learningRate: 1e30, steps: 3 };
    const result = await run({
      ...SMALL,
      training,
      attack: null,
      rule: { pre: [], rule: 'Average', f: 0, params: {} },
    });
    expect(result.outcome).toBe('diverged');
    expect(result.reason?.code).toBe('simulation/diverged');
    expect(result.curve).toHaveLength(1);
    expect(bytesOf(result)).not.toContain('null,null');
  });

  it.each([
    ['rule/too-many-faulty', { rule: { pre: [], rule: 'Krum', f: 3, params: {} } }],
    ['attack/unknown', { attack: { name: 'NoSuchAttack', params: {} } }],
    ['simulation/bad-rule-file', { rule: { pre: [], rule: './no-such-rule.mjs', f: 0, params: {} } }],
    ['simulation/bad-training', { training: { ...SMALL.training, mode: 'local' as const } }],
    ['simulation/rule-not-committable', { commit: true, rule: { pre: [], rule: './mine.mjs', f: 0, params: {} } }],
  ])('ends as failed with %s', async (code, some) => {
    const result = await run({ ...SMALL, ...some });
    expect(result).toMatchObject({ outcome: 'failed', reason: { code } });
  });

  it('rejects when it is aborted, and leaves nothing behind', async () => {
    const controller = new AbortController();
    const hooks = { signal: controller.signal, onRound: (round: number) => round === 2 && controller.abort() };
    await expect(run(SMALL, 1, hooks as never)).rejects.toThrow(expect.objectContaining({ name: 'AbortError' }));
  });

  it('keeps on disk what clients remember and has no room in memory: the same bytes, and nothing left', async () => {
    const spec = { ...SMALL, honest: 30, byzantine: 4, sampled: 7, rounds: 20, knowledge: 'own' as const };
    const roomy = await run(spec);
    expect(bytesOf(await run(spec, 1, {}, tmpdir(), 0))).toBe(bytesOf(roomy));
    expect(roomy.left).toEqual([]);
    const forgetful = { ...spec, training: { ...spec.training, momentum: 0 } };
    expect((await run(forgetful)).modelHash).not.toBe(roomy.modelHash);
  });

  it('takes a rule from a file, and refuses one that is none', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'own-rule-'));
    try {
      const middle = `export default { name: 'Middle', sees: 'values', denominator: () => 1,
        reduce: (values, n) => values.subarray(0, n).sort()[Math.floor(n / 2)] };`;
      writeFileSync(join(folder, 'middle.mjs'), middle);
      writeFileSync(join(folder, 'lame.mjs'), `export default { name: 'Lame', sees: 'values', denominator: () => 1 };`);
      const with7 = { ...SMALL, rule: { pre: [], rule: './middle.mjs', f: 2, params: {} } };
      const own = await run(with7, 1, {}, folder);
      expect(own.outcome).toBe('finished');
      // The median of seven is their fourth: the same model as by the kernel.
      expect(own.modelHash).toBe((await run(SMALL)).modelHash);
      const lame = await run({ ...with7, rule: { ...with7.rule, rule: './lame.mjs' } }, 1, {}, folder);
      expect(lame.reason?.code).toBe('simulation/bad-rule-file');
      expect(lame.reason?.message).toContain('"reduce"');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
