import { assignFolders } from '../../client/data/folder-assignment.ts';
import { openCorpus } from '../../client/data/text-corpus.ts';
import type { ExampleBatch } from '../../client/trainers/training-data.ts';
import type { DataSpecOf } from './data-spec.ts';
import type { Dataset, Examples } from './dataset.ts';
import { completeDataset, sharedFloats, spread } from './examples.ts';

/**
 * Opens text for predicting the next character, as clients do: every sub-folder is a natural group, and a tenth of each
 * one's text is tested on. Inputs are one-hot, `[context, 97]`.
 *
 * @param folder - of sub-folders of text
 * @throws DataError `data/folder-missing`, `data/no-client-folders`, `data/too-little-text`
 */
export async function openTextDataset(spec: DataSpecOf<'text'>, folder: string): Promise<Dataset> {
  const groupNames: string[] = [];
  const parts: { readonly train: ExampleBatch; readonly test: ExampleBatch }[] = [];
  let shape: readonly number[] = [];
  let classes = 0;
  for (const { names, folders } of await assignFolders(folder)) {
    const corpus = await openCorpus(folders, { contextLength: spec.context, heldOutSamples: spec.test });
    const positions = Uint32Array.from({ length: corpus.samples }, (_, at) => at);
    parts.push({
      train: corpus.examples(spread(positions, spec.train)),
      test: corpus.heldOut(0, corpus.heldOutSamples),
    });
    groupNames.push(names.join(' '));
    ({ inputShape: shape, classes } = corpus);
  }
  const train = join(parts.map((part) => part.train));
  const test = join(parts.map((part) => part.test));
  return completeDataset({ name: spec.name, shape, classes, train, test, groupNames });
}

/** One group after the other. */
function join(batches: readonly ExampleBatch[]): Examples {
  const count = batches.reduce((sum, { labels }) => sum + labels.length, 0);
  const inputs = sharedFloats(batches.reduce((sum, batch) => sum + batch.inputs.length, 0));
  const labels = new Int32Array(count);
  const groups = new Int32Array(count);
  let [row, value] = [0, 0];
  for (const [group, batch] of batches.entries()) {
    inputs.set(batch.inputs, value);
    labels.set(batch.labels, row);
    groups.fill(group, row, row + batch.labels.length);
    value += batch.inputs.length;
    row += batch.labels.length;
  }
  return { inputs, labels, groups, count };
}
