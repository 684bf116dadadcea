import type { UpdateRows } from '../../shared/aggregation/engine.ts';
import type { Hex } from '../../shared/bytes.ts';
import { TREE, type TreeKind } from '../../shared/commitments/merkle-tree.ts';
import { genesisHead } from '../../shared/commitments/record.ts';
import { serverStateWords } from '../../shared/fixed-point/server-state.ts';
import type { RoundPosition, RoundView, UpdateBlocks, VectorName } from '../../shared/openings/round-view.ts';
import type { JobTerms } from '../../shared/round/job-terms.ts';

import type { AuditFacts } from '../auditor/audit-origin.ts';
import type { BlobSource } from '../auditor/blob-source.ts';
import type { AnchoredRound } from '../auditor/chain-position.ts';
import { divergenceOf } from '../auditor/divergence.ts';
import { fetchVector } from '../auditor/fetch-blob.ts';
import type { AuditedRound } from '../auditor/round-auditor.ts';

/**
 * Where a round stands in the chain.
 *
 * @param records - the job's records, in order
 * @param round - from 1 to their number
 */
export function positionOf(
  facts: AuditFacts,
  terms: JobTerms,
  records: readonly AnchoredRound[],
  round: number,
): RoundPosition {
  const headAfter = (each: number): Hex =>
    each === 0 ? genesisHead(facts) : (records[each - 1] as AnchoredRound).head;
  const { record } = records[round - 1] as AnchoredRound;
  const before = records[round - 2]?.record;
  const parent = before === undefined ? null : { record: before, parentHead: headAfter(round - 2) };
  return { terms, record, parentHead: headAfter(round - 1), parent };
}

/** Opens updates for reading by blocks, wherever they are. */
export type OpenUpdates = (rows: UpdateRows) => UpdateBlocks & { close(): Promise<void> };

/** A view that must be closed, for it may read from files. */
export interface PublishedRound {
  /** The round as it was published. */
  readonly view: RoundView;
  /** Gives files back. */
  close(): Promise<void>;
}

/**
 * An audited round as the court's library reads it: what was published, each vector only if it has its root on the chain.
 *
 * @returns undefined where there is no document, or what the round started from is not known
 */
export async function publishedRound(
  position: RoundPosition,
  { finding, start }: AuditedRound,
  blobs: BlobSource,
  openUpdates: OpenUpdates,
): Promise<PublishedRound | undefined> {
  const { document, recomputed } = finding;
  if (document === undefined || start === undefined) return undefined;
  const { terms, record } = position;
  const rows = recomputed?.admitted.rows;
  const updates = rows === undefined ? null : openUpdates(rows);

  const read = async (what: string, kind: TreeKind, root: Hex, words: number): Promise<Int32Array | null> => {
    let vector: Int32Array | null = null;
    await divergenceOf(async () => {
      vector = await fetchVector(blobs, what, kind, root, words);
    });
    return vector;
  };
  const { dimension } = terms.layout;
  const stateWords = serverStateWords(terms.layout, terms.manifest.aggregation.serverStep);
  const readers: Readonly<Record<VectorName, () => Promise<Int32Array | null>>> = {
    parentModel: async () => start.model,
    parentState: async () => start.serverState,
    model: () => read('published model', TREE.model, record.modelRoot, dimension),
    aggregate: () => read('published aggregate', TREE.aggregate, record.aggregateRoot, dimension),
    state: async () =>
      stateWords === 0 ? null : read('published server state', TREE.serverState, record.serverStateRoot, stateWords),
  };
  const known = new Map<VectorName, Promise<Int32Array | null>>();
  const view: RoundView = {
    ...position,
    document,
    parentRewards: start.rewards,
    updates,
    vector: (name) => {
      const found = known.get(name) ?? readers[name]();
      known.set(name, found);
      return found;
    },
  };
  return { view, close: async () => updates?.close() };
}
