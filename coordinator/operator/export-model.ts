import type { Hex } from '../../shared/bytes.ts';
import { TREE } from '../../shared/commitments/merkle-tree.ts';
import { blockRoot, int32Vector } from '../../shared/commitments/vector-trees.ts';
import { FedanchorError } from '../../shared/errors.ts';
import { layoutOf } from '../../shared/fixed-point/layout.ts';
import { decodeModel } from '../../shared/fixed-point/model.ts';
import { decodeManifest, manifestHash } from '../../shared/round/manifest.ts';
import { encodeSafetensors } from '../../shared/safetensors.ts';
import type { OperatorClient } from './operator-client.ts';

/** Thrown when there is no such model, or what was served is not it. */
export class ExportError extends FedanchorError<'export/no-such-round' | 'export/damaged'> {}

/** A model on its way out. */
export interface ExportedModel {
  /** The job. */
  readonly job: Hex;
  /** The round that made it; 0 for the model before round 1. */
  readonly round: number;
  /** Its root, as it is on chain. */
  readonly modelRoot: Hex;
  /** The model as safetensors, float32. */
  readonly bytes: Uint8Array;
}

/**
 * Fetches a model of a job and holds it to its root.
 *
 * @param round - the round that made it; the latest if left out
 * @throws ExportError; what the client throws
 */
export async function exportModel(client: OperatorClient, job: Hex, round?: number): Promise<ExportedModel> {
  const manifestBytes = await client.blob(job, job);
  if (manifestHash(manifestBytes) !== job) throw damaged('manifest', job);
  const manifest = decodeManifest(manifestBytes);
  const { history } = (await client.request('operator.job', { job })).job;
  const wanted = round ?? history.at(-1)?.round ?? 0;
  const modelRoot =
    wanted === 0 ? manifest.initialModelRoot : history.find(({ round: each }) => each === wanted)?.modelRoot;
  if (modelRoot === undefined) {
    const message = `round ${wanted} has no model: the job has ${history.length} rounds so far`;
    throw new ExportError('export/no-such-round', message, { round: wanted });
  }
  const vector = int32Vector(await client.blob(job, modelRoot));
  if (blockRoot(TREE.model, vector) !== modelRoot) throw damaged('model', modelRoot);
  const layout = layoutOf(manifest.tensors);
  const tensors = decodeModel(layout, vector).map((values, index) => {
    const { name, shape } = layout.slots[index] as (typeof layout.slots)[number];
    return { name, shape, values };
  });
  const metadata = { job, modelRoot, round: String(wanted) };
  return { job, round: wanted, modelRoot, bytes: encodeSafetensors(tensors, metadata) };
}

function damaged(what: string, id: Hex): ExportError {
  return new ExportError(
    'export/damaged',
    `the ${what} that was served is not ${id}: the coordinator's disk is damaged`,
    {
      id,
    },
  );
}
