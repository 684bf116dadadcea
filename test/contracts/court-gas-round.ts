import { keccak_256 } from '@noble/hashes/sha3.js';
import { concatBytes, fromHex, type Hex, toHex, word, ZERO_HASH } from '../../shared/bytes.ts';
import { leafHash, nodeHash, TREE, type TreeKind } from '../../shared/commitments/merkle-tree.ts';
import type { RoundRecord } from '../../shared/commitments/record.ts';
import { roundDiv } from '../../shared/fixed-point/round-div.ts';
import { NO_LEAF } from '../../shared/openings/leaf.ts';
import { hash, JOB, roundRecord } from './harness.ts';

const BLOCK = 64;
const PLACE = 7;
const INDEX = 5;
const UPDATE_BITS = 12;
/** Aggregate units to model units: 24 binary places less 12 and the aggregate's further 8. */
const STEP = 2 ** 4;
const BEFORE = 12_345;

/** A round of a job of very many coordinates, of whose trees only the path to one leaf exists. */
export interface GiantRound {
  /** Blocks in a vector. */
  readonly blocks: number;
  /** Hashes and roots that the job must have. */
  readonly job: { readonly fixedPlanHash: Hex; readonly tensorTableRoot: Hex; readonly genesisModelRoot: Hex };
  readonly record: RoundRecord;
  readonly plan: readonly Hex[];
  /** The coordinate whose block exists. */
  readonly coordinate: number;
  /** `CoordinateJudge.Answer`. */
  readonly answer: object;
}

/** A round under the trimmed mean, honest at its one block. */
export function giantRound(n: number, f: number, depth: number): GiantRound {
  const rows = Array.from(
    { length: n * BLOCK },
    (_, index) => (Number(`0x${hash(`row ${index}`).slice(2, 10)}`) % 8001) - 4000,
  );
  const matrix = new Uint8Array(Int16Array.from(rows).buffer);
  const values = Array.from({ length: n }, (_, row) => rows[row * BLOCK + PLACE] as number).sort((a, b) => a - b);
  const sum = values.slice(f, n - f).reduce((total, value) => total + value, 0);
  const mean = roundDiv(256 * sum, n - 2 * f);
  const leaves = {
    matrix: opening(TREE.matrix, matrix, depth, 'matrix'),
    aggregate: opening(TREE.aggregate, vector('aggregate', mean), depth, 'aggregate'),
    parentModel: opening(TREE.model, vector('parent', BEFORE), depth, 'parent'),
    model: opening(TREE.model, vector('model', BEFORE + STEP * mean), depth, 'model'),
  };
  const tensor = { nameHash: hash('all'), offset: 0, size: BLOCK * 2 ** depth, fractionBits: 24, preScaleBits: 0 };
  const tensorLeaf = concatBytes(fromHex(tensor.nameHash), ...[0, tensor.size, 24, 0].map(word));
  const plan = [
    hash('TrMean'),
    hash('[]'),
    hash('{}'),
    number(f),
    number(1000),
    hash('FedAvg'),
    number(65_536),
    hash('seeds'),
  ];
  const job = {
    fixedPlanHash: toHex(keccak_256(concatBytes(...plan.map((each) => fromHex(each))))),
    tensorTableRoot: toHex(leafHash(TREE.tensors, tensorLeaf)),
    genesisModelRoot: leaves.parentModel.root,
  };
  const record = roundRecord(1, {
    ...{ job: JOB.job, participants: n, updateBits: UPDATE_BITS, serverStateRoot: ZERO_HASH },
    ...{ fixedPlanHash: job.fixedPlanHash, tensorTableRoot: job.tensorTableRoot },
    ...{ matrixRoot: leaves.matrix.root, aggregateRoot: leaves.aggregate.root },
    ...{ parentModelRoot: leaves.parentModel.root, modelRoot: leaves.model.root },
  });
  const answer = {
    ...{ matrix: leaves.matrix.leaf, aggregate: leaves.aggregate.leaf },
    ...{ parentModel: leaves.parentModel.leaf, model: leaves.model.leaf, parentState: NO_LEAF, state: NO_LEAF },
    ...{ tensor, tensorIndex: 0, tensorProof: [], weights: [] },
  };
  return { blocks: 2 ** depth, job, record, plan, coordinate: INDEX * BLOCK + PLACE, answer };
}

/** A block of full int32, but at the place in question. */
function vector(salt: string, value: number): Uint8Array {
  const data = concatBytes(...Array.from({ length: 8 }, (_, index) => fromHex(hash(`${salt} ${index}`))));
  new DataView(data.buffer, data.byteOffset).setInt32(PLACE * 4, value, true);
  return data;
}

function opening(kind: TreeKind, data: Uint8Array, depth: number, salt: string) {
  const proof = Array.from({ length: depth }, (_, level) => hash(`${salt} sibling ${level}`));
  let node = leafHash(kind, data);
  proof.forEach((sibling, level) => {
    const other = fromHex(sibling);
    const [left, right] = (INDEX >> level) % 2 === 0 ? [node, other] : [other, node];
    node = nodeHash(kind, level + 1, left, right);
  });
  return { leaf: { data: toHex(data), proof }, root: toHex(node) };
}

const number = (value: number): Hex => toHex(word(value));
