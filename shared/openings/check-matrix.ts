import { fromHex, toHex } from '../bytes.ts';
import { type MerkleTree, PADDING, paddingAt, TREE, verifyLeaf } from '../commitments/merkle-tree.ts';
import { int16Vector } from '../commitments/vector-trees.ts';
import { BLOCK, MAX_UPDATE } from '../fixed-point/constants.ts';
import { type Check, challenge, type Diagnosis, type Examination, type RevealedBlock } from './diagnosis.ts';
import { matrixData, matrixTreeOf } from './leaf.ts';
import { allRows, stretches, type UpdateBlocks } from './round-view.ts';
import { recomputesCoordinates, recomputesNumbers } from './settled.ts';

/** Holds updates to their range, their padding to zero, and each to the largest magnitude that was signed for it. */
export const checkUpdateValues: Check = async ({ view, n, known }) => {
  const { updates, document, terms } = view;
  if (updates === null || !known.contributions || !recomputesNumbers(n)) return undefined;
  const isPadding = paddingOf(terms.layout);
  const coordinates = recomputesCoordinates(terms.manifest.aggregation.rule, n);
  for await (const { first, rows } of stretches(updates, allRows(updates), 0, updates.blocks)) {
    for (const [row, values] of rows.entries()) {
      const most = document.contributions[row]?.largestMagnitude ?? 0;
      for (let at = 0; at < values.length; at++) {
        const magnitude = Math.abs(values[at] as number);
        if (magnitude === 0 || (magnitude <= most && magnitude <= MAX_UPDATE && !isPadding(first, at))) continue;
        const coordinate = first * BLOCK + at;
        if (magnitude > most) {
          const block = Math.floor(coordinate / BLOCK);
          return challenge({ kind: 'link', row, block }, `coordinate ${coordinate} of update ${row} is above ${most}`);
        }
        const what = `coordinate ${coordinate} of update ${row} may not be ${values[at]}`;
        return coordinates ? challenge({ kind: 'coordinate', coordinate }, what) : { verdict: 'off-chain', what };
      }
    }
  }
  return undefined;
};

type Layout = Examination['view']['terms']['layout'];

/** Whether a coordinate is padding; blocks without any are told from a table. */
function paddingOf({ slots, dimension }: Layout): (firstBlock: number, at: number) => boolean {
  const inUse = new Uint8Array(dimension / BLOCK).fill(BLOCK);
  for (const { offset, size, paddedSize } of slots) {
    if (size < paddedSize) inUse[(offset + paddedSize) / BLOCK - 1] = size - (paddedSize - BLOCK);
  }
  return (first, at) => at % BLOCK >= (inUse[first + Math.floor(at / BLOCK)] as number);
}

/**
 * Holds the committed matrix to the updates. Nobody publishes the matrix, so where its root is wrong the place of the lie
 * is searched for: every answer shows one block with its path, and the path has the hashes of what lies beside it. Each
 * probe at least halves what is left, and the last cannot be answered.
 */
export const checkMatrix: Check = async (examination) => {
  const { view, evidence, n } = examination;
  const { updates, record } = view;
  if (updates === null || !recomputesNumbers(n)) return undefined;
  if (evidence.recomputed?.record.matrixRoot === record.matrixRoot) return undefined;
  const tree = await matrixTreeOf(updates);
  if (toHex(tree.root) === record.matrixRoot) return undefined;
  const seen = (evidence.revealed ?? []).filter((block) => isOf(record.matrixRoot, block));
  return (await wrongRow(updates, seen)) ?? probe(tree, updates.blocks, seen) ?? (await firstProbe(examination));
};

function isOf(matrixRoot: string, revealed: RevealedBlock): boolean {
  const proof = revealed.proof.map((sibling) => fromHex(sibling, 32));
  return (
    revealed.matrixRoot === matrixRoot &&
    verifyLeaf(TREE.matrix, fromHex(revealed.matrixRoot, 32), revealed.block, revealed.data, proof)
  );
}

/** A row in what was shown that is not the participant's. */
async function wrongRow(updates: UpdateBlocks, seen: readonly RevealedBlock[]): Promise<Diagnosis | undefined> {
  for (const { block, data } of seen) {
    const shown = int16Vector(data);
    const right = int16Vector(await matrixData(updates, block));
    const at = right.findIndex((value, index) => value !== shown[index]);
    if (at < 0) continue;
    const row = Math.floor(at / BLOCK);
    return challenge({ kind: 'link', row, block }, `block ${block} of row ${row} in the matrix is not what was signed`);
  }
  return undefined;
}

/** The smallest part beside what was shown whose hash is wrong. */
function probe(tree: MerkleTree, blocks: number, seen: readonly RevealedBlock[]): Diagnosis | undefined {
  let best: { readonly height: number; readonly block: number } | undefined;
  for (const { block, proof } of seen) {
    for (const [height, hash] of proof.entries()) {
      const place = Math.floor(block / 2 ** height) ^ 1;
      const own = tree.level(height)[place] ?? (height === 0 ? PADDING : paddingAt(TREE.matrix, height));
      if (toHex(own) !== hash && (best === undefined || height < best.height)) {
        best = { height, block: place * 2 ** height };
      }
    }
  }
  if (best === undefined) return undefined;
  const { block } = best;
  const what = `the matrix is wrong within the ${2 ** best.height} blocks from ${block}`;
  if (block >= blocks) return challenge({ kind: 'coordinate', coordinate: block * BLOCK }, what);
  return challenge({ kind: 'link', row: 0, block }, what);
}

/** Where a lie in the matrix has most likely moved the aggregate. */
async function firstProbe({ view, evidence }: Examination): Promise<Diagnosis> {
  const aggregate = await view.vector('aggregate');
  const expected = evidence.recomputed?.aggregate;
  const at = aggregate === null ? -1 : (expected?.findIndex((value, index) => value !== aggregate[index]) ?? -1);
  const block = Math.max(0, Math.floor(at / BLOCK));
  return challenge({ kind: 'link', row: 0, block }, 'the matrix is not that of the updates');
}
