import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { canonicalJson } from '../../shared/codec.ts';
import type { RunSpec } from '../experiment/run-spec.ts';
import { openCsvDataset } from './csv-dataset.ts';
import { type DataSpec, parseDataSpec } from './data-spec.ts';
import type { Dataset } from './dataset.ts';
import { DatasetError } from './dataset-error.ts';
import { openIdxDataset } from './idx-dataset.ts';
import { openImageDataset } from './image-dataset.ts';
import { makeSyntheticDataset } from './synthetic-dataset.ts';
import { openTextDataset } from './text-dataset.ts';

/** Datasets that are kept: MNIST takes 220 MB of memory as floats. */
const KEPT = 2;
const kept = new Map<string, Promise<Dataset>>();

/**
 * Opens an experiment's data and decodes them into memory, four bytes a value. Those opened last are kept, so that the
 * runs of one process share them; inputs lie in memory that threads can share, and nobody may change them.
 *
 * @param spec - kind of data and options, see docs/learners.md
 * @param baseFolder - what a relative path starts from
 * @throws DatasetError `dataset/bad-option`, `dataset/folder-missing`, `dataset/wrong-hash`, `dataset/too-few-examples`;
 * DataError for what is wrong with a file
 */
export async function openDataset(spec: RunSpec['data'], baseFolder: string): Promise<Dataset> {
  const complete = parseDataSpec(spec);
  const path = 'path' in complete ? resolve(baseFolder, complete.path) : '';
  const key = canonicalJson({ ...complete, path });
  const dataset = kept.get(key) ?? open(complete, path);
  // The one asked for last goes last.
  kept.delete(key);
  kept.set(key, dataset);
  for (const oldest of kept.keys()) if (kept.size > KEPT) kept.delete(oldest);
  // A failure is not kept: the data may be there the next time.
  dataset.catch(() => kept.delete(key));
  return dataset;
}

async function open(spec: DataSpec, path: string): Promise<Dataset> {
  if (spec.name === 'synthetic') return makeSyntheticDataset(spec);
  await requireThere(spec.name, path);
  switch (spec.name) {
    case 'mnist':
    case 'fashion-mnist':
    case 'idx':
      return openIdxDataset(spec, path);
    case 'digits':
    case 'csv':
      return openCsvDataset(spec, path);
    case 'images':
      return openImageDataset(spec, path);
    case 'text':
      return openTextDataset(spec, path);
  }
}

async function requireThere(name: DataSpec['name'], path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found !== undefined) return;
  const remedy =
    name === 'mnist' || name === 'fashion-mnist'
      ? `get it with "fedanchor client data fetch ${name} --out ${path}", or correct the path`
      : 'correct the path, which is relative to the experiment';
  throw new DatasetError('dataset/folder-missing', `data, field "path": there is no ${path}: ${remedy}`, {
    ...{ path, field: 'data.path' },
  });
}
