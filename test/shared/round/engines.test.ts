import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AggregationEngine } from '../../../shared/aggregation/engine.ts';
import { createScalarEngine } from '../../../shared/aggregation/scalar-engine.ts';
import { type Hex, toHex } from '../../../shared/bytes.ts';
import { TREE } from '../../../shared/commitments/merkle-tree.ts';
import { blockRoot, updateTree, vectorBytes } from '../../../shared/commitments/vector-trees.ts';
import { largestMagnitude } from '../../../shared/fixed-point/update.ts';
import { jobTerms } from '../../../shared/round/job-terms.ts';
import { inMemory, transition } from '../../../shared/round/transition.ts';
import { createEngine } from '../../../shared/runtime/engine/create-engine.ts';
import { exampleManifest } from './example-manifest.ts';
import { SERVER_STEPS } from './server-steps.ts';

const rules: [rule: string, pre: string[], f: number][] = [
  ['Average', [], 0],
  ['Median', [], 2],
  ['TrMean', [], 2],
  ['Meamed', [], 2],
  ['Krum', [], 2],
  ['MultiKrum', [], 2],
  ['GeometricMedian', [], 2],
  ['CenteredClipping', [], 2],
  ['Bulyan', [], 1],
  ['TrMean', ['NNM'], 2],
  ['Median', ['Bucketing'], 1],
  ['MultiKrum', ['Clipping', 'NNM'], 2],
];

let engine: AggregationEngine;
let folder: string;
beforeAll(async () => {
  engine = createEngine({ threads: 2 });
  folder = await mkdtemp(join(tmpdir(), 'fedanchor-engines-'));
});
afterAll(async () => {
  await engine.close();
  await rm(folder, { recursive: true, force: true });
});

const rowsOf = (n: number, dimension: number) =>
  fc.array(
    fc.array(fc.oneof(fc.integer({ min: -8191, max: 8191 }), fc.constantFrom(-8191, 0, 8191)), {
      minLength: dimension,
      maxLength: dimension,
    }),
    { minLength: n, maxLength: n },
  );

describe('the round function', () => {
  it.each(rules)('has the same record by any engine, wherever the updates are: %s behind %j', async (rule, pre, f) => {
    const n = 9;
    await fc.assert(
      fc.asyncProperty(rowsOf(n, 100), fc.constantFrom(...SERVER_STEPS), async (drawn, serverStep) => {
        const terms = jobTerms(
          exampleManifest({
            replace: {
              aggregation: { rule: { rule, pre, f, params: {} }, sampleCap: 1000, serverStep },
              rewards: { pricePerRound: '1000000', score: 'confirmation' },
            },
          }),
        );
        const { dimension, slots } = terms.layout;
        const admitted = drawn.map((values, index) => {
          const update = new Int16Array(dimension);
          update.set(values.slice(0, 90), 0);
          update.set(values.slice(90), slots[1]?.offset ?? 0);
          const participant: Hex = `0x${(index + 1).toString(16).padStart(2, '0').repeat(20)}`;
          return {
            update,
            contribution: {
              participant,
              updateRoot: toHex(updateTree(vectorBytes(update)).root),
              samples: 10 * (index + 1),
              largestMagnitude: largestMagnitude(update),
              datasetCommitment: `0x${'05'.repeat(32)}` as const,
              signature: `0x${'06'.repeat(65)}` as const,
            },
          };
        });
        const paths = await Promise.all(
          admitted.map(async ({ update }, index) => {
            const path = join(folder, String(index));
            await writeFile(path, vectorBytes(update));
            return path;
          }),
        );
        const model = new Int32Array(dimension);
        const parent = { model, modelRoot: blockRoot(TREE.model, model), serverState: null, rewards: [] };
        const seed = `0x${'77'.repeat(32)}` as const;
        const plan = { round: 1, attempt: 0, parentRoot: parent.modelRoot, updateBits: 12, seedIndex: 4, seed };
        const held = inMemory(admitted);
        const expected = await transition(terms, parent, plan, held, createScalarEngine());
        const filed = { ...held, rows: { place: 'files', paths, dimension } } as const;
        for (const updates of [held, filed]) {
          const found = await transition(terms, parent, plan, updates, engine);
          expect(found.record).toEqual(expected.record);
          expect(Buffer.compare(found.document, expected.document)).toBe(0);
        }
      }),
      { numRuns: 12 },
    );
  });
});
