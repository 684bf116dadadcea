import { compareCodeUnits, readDirectory } from '../../client/data/directory-reader.ts';
import { openImages } from '../../client/data/image-source.ts';
import { splitRecords } from '../../client/data/split-records.ts';
import type { DataSpecOf } from './data-spec.ts';
import type { Dataset, Examples } from './dataset.ts';
import { DatasetError } from './dataset-error.ts';
import { completeDataset, gatherExamples, scaleInPlace, spread } from './examples.ts';

/** Values of a pixel, less one. */
const BRIGHTEST = 255;

/**
 * Opens a folder of images: every sub-folder is a class, in code-unit order of their names, and the PNG and JPEG files
 * below it are its examples, each resized by the mean over boxes.
 *
 * @throws DatasetError `dataset/bad-option`, `dataset/too-few-examples`; DataError for what is wrong with a file
 */
export async function openImageDataset(spec: DataSpecOf<'images'>, folder: string): Promise<Dataset> {
  const { height, width, channels } = spec;
  const entries = await readDirectory(folder);
  const names = entries
    .filter(({ name, kind }) => kind === 'folder' && !name.startsWith('.'))
    .map(({ name }) => name)
    .sort(compareCodeUnits);
  if (names.length < 2) {
    const sentence = `data, field "path": ${folder} has ${names.length} sub-folders: each is a class, and there must be two`;
    throw new DatasetError('dataset/bad-option', sentence, { field: 'data.path' });
  }
  const shape = [height, width, channels];
  const source = await openImages([folder], { format: 'images', inputShape: shape, classes: names, resize: 'area' });
  try {
    const { training, heldOut } = splitRecords(source, { share: spec.testShare, most: source.labels.length });
    const gather = (records: Uint32Array, most: number | undefined): Examples => {
      const examples = gatherExamples(spread(records, most), height * width * channels, (record, into, at) => {
        source.readInput(record, into, at);
        return { label: source.labels[record] as number };
      });
      scaleInPlace(examples.inputs, BRIGHTEST * spec.mean, BRIGHTEST * spec.std);
      return examples;
    };
    const train = gather(training, spec.train);
    const test = gather(heldOut, spec.test);
    return completeDataset({ name: spec.name, shape, classes: names.length, train, test });
  } finally {
    source.close();
  }
}
