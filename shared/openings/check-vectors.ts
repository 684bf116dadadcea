import { sumWeighted } from '../aggregation/aggregate-integers.ts';
import type { RuleSpec } from '../aggregation/registry.ts';
import { ZERO_HASH } from '../bytes.ts';
import { BLOCK } from '../fixed-point/constants.ts';
import { serverStep } from '../fixed-point/server-step.ts';
import { firstEntry } from './check-numbers.ts';
import { type Check, challenge, type Diagnosis, type Examination } from './diagnosis.ts';
import { gramSums } from './gram-moves.ts';
import { allRows, stretches } from './round-view.ts';
import { isWeighted, recomputesCoordinates, recomputesNumbers } from './settled.ts';

/** Holds the aggregate to the updates: by the rule, or by the weights in the record, right or wrong. */
export const checkAggregate: Check = async (examination) => {
  const { view, evidence, n } = examination;
  const aggregate = await view.vector('aggregate');
  const right = await rightAggregate(examination);
  if (aggregate === null) {
    const isWrong =
      evidence.recomputed !== null && evidence.recomputed.record.aggregateRoot !== view.record.aggregateRoot;
    return isWrong ? { verdict: 'withheld', what: "the aggregate behind the record's root" } : undefined;
  }
  if (right === undefined) return undefined;
  return firstCoordinate(examination, aggregate, right, 'aggregate', recomputesCoordinates(ruleOf(examination), n));
};

/** The aggregate as the chain would recompute it, undefined where that cannot be told. */
async function rightAggregate(examination: Examination): Promise<Int32Array | undefined> {
  const { view, evidence, known, weights } = examination;
  const { recomputed } = evidence;
  if (recomputed === null) return undefined;
  const { updates } = view;
  if (!isWeighted(ruleOf(examination)) || recomputed.record.weightsRoot === view.record.weightsRoot) {
    return recomputed.aggregate;
  }
  if (!known.weights || updates === null) return undefined;
  const right = new Int32Array(view.terms.layout.dimension);
  for await (const { first, count, rows } of stretches(updates, allRows(updates), 0, updates.blocks)) {
    right.set(sumWeighted(rows, count * BLOCK, weights), first * BLOCK);
  }
  return right;
}

/** Holds the inner products with the aggregate to the aggregate that is committed to. */
export const checkProducts: Check = async ({ view, evidence, n, known, expected }) => {
  if (!known.gram || expected === null || evidence.recomputed === null || !recomputesNumbers(n)) return undefined;
  const counts = (row: number, column: number): boolean => row === n || column === n;
  if (evidence.recomputed.record.aggregateRoot === view.record.aggregateRoot) {
    return firstEntry(view.document.gram, expected.gram, counts);
  }
  if (view.updates === null || (await view.vector('aggregate')) === null) return undefined;
  const last: bigint[] = [];
  for (let row = 0; row <= n; row++) {
    const parts = await gramSums(view, { row, column: n }, { first: 0, span: view.updates.blocks });
    last.push(parts.reduce((sum, part) => sum + part, 0n));
  }
  const right = last.map((product, row) => (row === n ? last : [...Array<undefined>(n), product]));
  return firstEntry(view.document.gram, right, counts);
};

/** Holds model and server state to the committed aggregate and what was before. */
export const checkStep: Check = async (examination) => {
  const { view, evidence, n } = examination;
  const { terms, record } = view;
  const { serverStep: step } = terms.manifest.aggregation;
  const settled = recomputesCoordinates(ruleOf(examination), n) && (step.name === 'FedAvg' || step.name === 'FedAvgM');
  if (step.name === 'FedAvg' && record.serverStateRoot !== ZERO_HASH) {
    const what = 'a step that keeps no state commits to one';
    return settled ? challenge({ kind: 'coordinate', coordinate: 0 }, what) : { verdict: 'off-chain', what };
  }
  const aggregate = await view.vector('aggregate');
  const parentModel = await view.vector('parentModel');
  const parentState = await view.vector('parentState');
  const keepsState = step.name !== 'FedAvg';
  if (aggregate === null || parentModel === null || (keepsState && record.round > 1 && parentState === null)) {
    return undefined;
  }
  const isRecomputed = evidence.recomputed?.record.aggregateRoot === record.aggregateRoot;
  const right =
    isRecomputed && evidence.recomputed !== null
      ? { model: evidence.recomputed.model, state: evidence.recomputed.serverState }
      : serverStep(terms.layout, { model: parentModel, state: parentState }, aggregate, record.updateBits, step);
  for (const [name, vector] of [
    ['model', right.model],
    ['state', right.state],
  ] as const) {
    if (vector === null) continue;
    const published = await view.vector(name);
    if (published === null) return { verdict: 'withheld', what: `the ${name} behind the record's root` };
    const found = firstCoordinate(examination, published, vector, name, settled);
    if (found !== undefined) return found;
  }
  return undefined;
};

function firstCoordinate(
  { view }: Examination,
  published: Int32Array,
  right: Int32Array,
  name: string,
  settled: boolean,
): Diagnosis | undefined {
  const at = right.findIndex((value, index) => value !== published[index]);
  if (at < 0) return undefined;
  const what = `coordinate ${at} of the ${name} is ${published[at]}, not ${right[at]}`;
  if (!settled) return { verdict: 'off-chain', what };
  return challenge({ kind: 'coordinate', coordinate: at % view.terms.layout.dimension }, what);
}

function ruleOf({ view }: Examination): RuleSpec {
  return view.terms.manifest.aggregation.rule;
}
