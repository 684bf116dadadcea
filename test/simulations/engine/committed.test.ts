import { afterAll, describe, expect, it } from 'vitest';
import { auditRoots } from '../../../client/auditor/audit-roots.ts';
import type { RoundStart } from '../../../client/auditor/round-start.ts';
import { createScalarEngine } from '../../../shared/aggregation/scalar-engine.ts';

import { TREE } from '../../../shared/commitments/merkle-tree.ts';
import type { RoundRecord } from '../../../shared/commitments/record.ts';
import { blockRoot, vectorBytes } from '../../../shared/commitments/vector-trees.ts';
import { decodeDocument } from '../../../shared/round/document.ts';
import { transition } from '../../../shared/round/transition.ts';
import type { RecordFacts } from '../../../simulations/engine/run-rounds.ts';
import type { RunSpec } from '../../../simulations/experiment/run-spec.ts';
import { closeLab, run, SMALL } from './lab.ts';

afterAll(closeLab);

type Kept = Omit<RecordFacts, 'rows'> & { readonly record: RoundRecord; readonly rows: readonly Int16Array[] };

async function committed(spec: RunSpec): Promise<{ readonly kept: readonly Kept[]; readonly head: string | null }> {
  const kept: Kept[] = [];
  const onRecord = (record: RoundRecord, facts: RecordFacts): number =>
    kept.push({ ...facts, record, rows: facts.rows.map((row) => row.slice()) });
  const { headHash } = await run({ ...spec, commit: true }, 1, { onRecord: (...given) => void onRecord(...given) });
  return { kept, head: headHash };
}

/** Follows records as an auditor does who has the updates, from what was before round 1. */
async function audit(kept: readonly Kept[], tamper: (one: Kept) => Kept = (one) => one): Promise<RoundStart> {
  const engine = createScalarEngine();
  const [first] = kept as readonly [Kept, ...Kept[]];
  const { terms } = first;
  let start: RoundStart | null = null;
  for (const given of kept) {
    const one = tamper(given);
    const document = decodeDocument(one.document);
    if (start === null) {
      // The model before round 1 follows from the first record: what it moved by is known.
      start = { model: modelBefore(one), serverState: null, rewards: [], updateBits: terms.manifest.initialUpdateBits };
      expect(blockRoot(TREE.model, start.model)).toBe(terms.manifest.initialModelRoot);
    }
    expect(one.record.updateBits).toBe(start.updateBits);
    const parent = { ...start, modelRoot: one.record.parentModelRoot };
    const admitted = { contributions: document.contributions, rows: { place: 'memory' as const, rows: one.rows } };
    const plan = { ...document.plan };
    const outcome = await transition(terms, parent, plan, admitted, engine);
    expect(outcome.record).toEqual(one.record);
    const blobs = { get: async () => vectorBytes(one.aggregate) };
    start = await auditRoots({ terms, blobs } as never, start, one.record, document);
    expect(start.model).toEqual(one.model);
  }
  return start as RoundStart;
}

/** FedAvg's step undone, for a rate of 2^-1 and 24 - (bits + 8 + 16) places to shift: exact for the small run. */
function modelBefore({ model, aggregate, terms, record }: Kept): Int32Array {
  const shift = 24 - (record.updateBits + 8 + 16);
  const { learningRate } = terms.manifest.aggregation.serverStep;
  return model.map((value, at) => {
    const product = (aggregate[at] as number) * learningRate;
    return value - (shift >= 0 ? product * 2 ** shift : Math.floor((2 * product + 2 ** -shift) / (2 * 2 ** -shift)));
  });
}

describe('rounds that are committed to', () => {
  it.each([
    ['Median', { pre: [], rule: 'Median', f: 2, params: {} }],
    ['NNM and Multi-Krum', { pre: ['NNM'], rule: 'MultiKrum', f: 1, params: {} }],
  ])('have the models of rounds that are not, and records that production recomputes: %s', async (_, rule) => {
    const spec = { ...SMALL, rule, rounds: 3 };
    const { kept, head } = await committed(spec);
    const { headHash, ...bare } = await run(spec);
    const { headHash: __, ...whole } = await run({ ...spec, commit: true });
    expect(whole).toEqual(bare);
    expect(headHash).toBeNull();
    expect(kept).toHaveLength(3);
    const end = await audit(kept);
    expect(end.rewards.reduce((sum, { cumulative }) => sum + cumulative, 0n)).toBe(30n * 10n ** 18n);
    expect(head).toMatch(/^0x[0-9a-f]{52}$/);
  });

  it('cannot be passed off with other updates, or with rows in another order', async () => {
    const { kept } = await committed({ ...SMALL, rounds: 2 });
    const shuffled = (one: Kept): Kept => ({ ...one, rows: [...one.rows].reverse() });
    await expect(audit(kept, shuffled)).rejects.toThrow();
    const touched = (one: Kept): Kept => {
      const rows = one.rows.map((row) => row.slice());
      (rows[0] as Int16Array)[3] = ((rows[0] as Int16Array)[3] as number) + 1;
      return { ...one, rows };
    };
    await expect(audit(kept, touched)).rejects.toThrow();
  });
});
