import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type DataOf, inputSize } from './classification-data.ts';
import { DataError } from './data-error.ts';
import { decodeImage } from './decode-image.ts';
import { compareCodeUnits, type DirectoryEntry, findFiles, readDirectory } from './directory-reader.ts';
import { resizeByArea, withChannels } from './fit-image.ts';
import { badImage, readImageHeader } from './image-header.ts';
import { createLabelReader } from './label-reader.ts';
import { changed } from './random-access.ts';
import { createIndexBuilder, type RecordSource } from './record-source.ts';

/** Decoded images that are kept, so that small ones are not decoded in every round, in bytes at most. */
const KEPT_BYTES = 64 * 2 ** 20;

const isImage = (name: string): boolean => /\.(png|jpe?g)$/i.test(name);

/**
 * Opens folders of images: each sub-folder is a class, by its name or number, and its PNG and JPEG files, those of folders
 * below it too, are records in code-unit order of their paths. Other files are left out. An image is looked into when it is
 * opened and decoded when it is used.
 *
 * @param paths - folders of class folders
 * @param data - the manifest's `task.data`
 * @throws DataError `data/folder-missing`, `data/no-records`, `data/bad-image`, `data/bad-label`
 */
export async function openImages(paths: readonly string[], data: DataOf<'images'>): Promise<RecordSource> {
  const [height = 0, width = 0, channels = 0] = data.inputShape;
  const size = inputSize(data);
  const readLabel = createLabelReader(data);
  const index = createIndexBuilder();
  const files: string[] = [];
  for (const path of paths) {
    for (const folder of await classFolders(path)) {
      const label = readLabel(folder, join(path, folder));
      for (const { path: below } of await findFiles(join(path, folder), isImage)) {
        const file = join(path, folder, below);
        const bytes = await readFile(file).catch((cause: unknown) => {
          throw new DataError('data/unreadable', `${file} cannot be read: check its permissions`, { file }, cause);
        });
        const found = readImageHeader(bytes, file);
        if ((data.resize ?? 'none') === 'none' && (found.width !== width || found.height !== height)) {
          badImage(
            file,
            `it is ${found.width} x ${found.height} pixels, the manifest wants ${width} x ${height} and has no "resize"`,
          );
        }
        index.add(label, bytes);
        files.push(file);
      }
    }
  }
  if (files.length === 0) {
    throw new DataError(
      'data/no-records',
      `${paths.join(', ')} holds no images: make a sub-folder for each class and put its PNG or JPEG files there`,
      { paths: [...paths] },
    );
  }
  const kept = new Map<number, Float32Array>();
  const locate = (record: number): string => files[record] ?? `record ${record}`;
  const readRaw = (record: number): Uint8Array => {
    try {
      return readFileSync(locate(record));
    } catch (cause) {
      throw changed(locate(record), cause);
    }
  };
  return {
    ...index.build(),
    files: files.length,
    locate,
    readInput: (record, into, at) => {
      let values = kept.get(record);
      if (!values) {
        const image = withChannels(decodeImage(readRaw(record), locate(record)), channels);
        if ((data.resize ?? 'none') === 'none' && (image.width !== width || image.height !== height)) {
          throw changed(locate(record));
        }
        ({ values } = resizeByArea(image, width, height));
        if ((kept.size + 1) * size * 4 <= KEPT_BYTES) kept.set(record, values);
      }
      into.set(values, at);
    },
    readRaw,
    close: () => kept.clear(),
  };
}

async function classFolders(path: string): Promise<string[]> {
  let entries: readonly DirectoryEntry[];
  try {
    entries = await readDirectory(path);
  } catch (cause) {
    throw new DataError('data/folder-missing', `cannot read ${path}: check its path`, { folder: path }, cause);
  }
  return entries
    .filter(({ name, kind }) => kind === 'folder' && !name.startsWith('.'))
    .map(({ name }) => name)
    .sort(compareCodeUnits);
}
