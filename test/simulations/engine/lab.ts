import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AggregationEngine } from '../../../shared/aggregation/engine.ts';
import { createScalarEngine } from '../../../shared/aggregation/scalar-engine.ts';
import { createEngine } from '../../../shared/runtime/engine/create-engine.ts';
import { openDataset } from '../../../simulations/data/open-dataset.ts';
import { runOne } from '../../../simulations/engine/run-one.ts';
import type { RunHooks } from '../../../simulations/engine/run-resources.ts';
import type { RunResult } from '../../../simulations/experiment/run-result.ts';
import type { RunSpec } from '../../../simulations/experiment/run-spec.ts';
import type { Learner } from '../../../simulations/models/learner.ts';
import { openLearner } from '../../../simulations/models/open-learner.ts';

/** A small run in which everything real takes part. */
export const SMALL: RunSpec = {
  data: { name: 'synthetic', alpha: 0, beta: 0, devices: 8, features: 10, classes: 4, most: 60 },
  model: { name: 'softmax' },
  partition: { name: 'iid', params: {} },
  honest: 5,
  byzantine: 2,
  sampled: null,
  attack: { name: 'SignFlipping', params: {} },
  knowledge: 'omniscient',
  rule: { pre: [], rule: 'Median', f: 2, params: {} },
  rounds: 6,
  training: {
    ...{ mode: 'gradient', learningRate: 1, batch: 8, steps: null, epochs: null },
    ...{ momentum: 0.9, momentumWeight: 0.1, weightDecay: 1e-4, proximal: 0 },
  },
  server: { name: 'FedAvg', learningRate: 2 ** 15 },
  network: null,
  evaluateEvery: 3,
  economics: { pot: '10', stake: '100', costPerClientRound: 0 },
  commit: false,
  seed: 1,
};

const engines = new Map<number, AggregationEngine>();
const learners = new Map<string, Promise<Learner>>();

/** Engines and learners are used again, as a worker of an experiment does; this ends them. */
export async function closeLab(): Promise<void> {
  for (const engine of engines.values()) await engine.close();
  for (const learner of learners.values()) await (await learner).close();
}

function engineOf(threads: number): AggregationEngine {
  const engine = engines.get(threads) ?? (threads === 0 ? createScalarEngine() : createEngine({ threads }));
  engines.set(threads, engine);
  return engine;
}

/** Runs a run from its specification alone, on so many threads; 0: with the scalar reference in place of the engine. */
export async function run(
  spec: RunSpec,
  threads = 1,
  hooks: RunHooks = {},
  baseFolder = tmpdir(),
  stateBytes?: number,
): Promise<RunResult & { readonly left: readonly string[] }> {
  const dataset = await openDataset(spec.data, baseFolder);
  const key = JSON.stringify([spec.data, spec.model, threads]);
  const learner = learners.get(key) ?? openLearner(spec.model, dataset, Math.max(1, threads));
  learners.set(key, learner);
  const folder = mkdtempSync(join(tmpdir(), 'simulated-run-'));
  try {
    const resources = { dataset, learner: await learner, engine: engineOf(threads), folder, baseFolder };
    const bounded = stateBytes === undefined ? resources : { ...resources, stateBytes };
    const result = await runOne(spec, bounded, hooks);
    return { ...result, left: readdirSync(folder) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
