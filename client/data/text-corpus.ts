import { createHash } from 'node:crypto';
import type { Rng } from '../../shared/rng.ts';
import type { ExampleBatch, TrainingData } from '../trainers/training-data.ts';
import { ALPHABET_SIZE } from './alphabet.ts';
import { DataError } from './data-error.ts';
import { countWindows, splitText, windowStart } from './split-text.ts';
import { readTextFolder, type TextFile, type TextKind } from './text-folder.ts';

/** The shortest text that a client can train on, in symbols. */
const MIN_TEXT_SYMBOLS = 2_000;

/** How to open a corpus. */
export interface CorpusOptions {
  /** Which files count; default `any`. */
  readonly kind?: TextKind;
  /** Characters a prediction sees; default 16. */
  readonly contextLength?: number;
  /** Held-out examples kept, spread evenly over the held-out part; default 1,024. */
  readonly heldOutSamples?: number;
}

/** A client's text as next-character examples: the input is one-hot `[contextLength, ALPHABET_SIZE]`. */
export interface TextCorpus extends TrainingData {
  /** SHA-256, as `0x…`, of the listing of files, lengths and paths: the same wherever the folders lie. */
  readonly datasetCommitment: `0x${string}`;
  /** One line for each file, in order: hash, symbols used, folder and path. */
  readonly listing: readonly string[];
  /** The held-out windows as symbols, `contextLength + 1` each, the last one the answer. */
  readonly heldOutWindows: readonly Uint8Array[];
  /** Symbols in the whole text. */
  readonly symbols: number;
  /** Files in it. */
  readonly files: number;
}

/**
 * Opens the text of one client.
 *
 * @param folders - the client's folders; their order counts
 * @param options - kind, context and number of held-out examples
 * @throws DataError `data/folder-missing`, `data/too-little-text`, `data/bad-option`
 */
export async function openCorpus(folders: readonly string[], options: CorpusOptions = {}): Promise<TextCorpus> {
  const contextLength = wholeNumber('contextLength', options.contextLength ?? 16);
  const heldOutLimit = wholeNumber('heldOutSamples', options.heldOutSamples ?? 1_024);
  const listing: string[] = [];
  const files: TextFile[] = [];
  const seen = new Set<string>();
  for (const [index, folder] of folders.entries()) {
    for (const file of await readTextFolder(folder, options.kind ?? 'any')) {
      if (seen.has(file.sha256)) continue;
      seen.add(file.sha256);
      files.push(file);
      listing.push(`${file.sha256} ${file.symbols.length} ${index}/${file.path}\n`);
    }
  }
  const text = joinSymbols(files);
  const window = contextLength + 1;
  const { training, heldOut } = splitText(text.length);
  const samples = countWindows(training, window);
  const available = countWindows(heldOut, window);
  if (text.length < MIN_TEXT_SYMBOLS || samples === 0 || available === 0) {
    throw new DataError(
      'data/too-little-text',
      `${folders.join(', ')} holds ${text.length} characters of text, at least ${MIN_TEXT_SYMBOLS} are needed, and more for a longer context: add text files`,
      { folders: [...folders], symbols: text.length },
    );
  }
  const heldOutSamples = Math.min(heldOutLimit, available);
  const heldOutWindows = Array.from({ length: heldOutSamples }, (_, index) => {
    const start = windowStart(heldOut, window, Math.floor((index * available) / heldOutSamples));
    return text.slice(start, start + window);
  });
  const examples = (positions: ArrayLike<number>): ExampleBatch =>
    toBatch(
      Array.from(positions, (position) => {
        const start = windowStart(training, window, position);
        return text.subarray(start, start + window);
      }),
      contextLength,
    );
  return {
    inputShape: [contextLength, ALPHABET_SIZE],
    classes: ALPHABET_SIZE,
    samples,
    heldOutSamples,
    listing,
    heldOutWindows,
    symbols: text.length,
    files: files.length,
    mostFrequentClass: mostFrequent(training.map(({ start, end }) => text.subarray(start, end))),
    datasetCommitment: `0x${createHash('sha256').update(listing.join('')).digest('hex')}`,
    sample: (rng: Rng, count: number): ExampleBatch =>
      examples(Array.from({ length: count }, () => rng.below(samples))),
    examples,
    heldOut: (start, count) => toBatch(heldOutWindows.slice(start, start + count), contextLength),
  };
}

function toBatch(windows: readonly Uint8Array[], contextLength: number): ExampleBatch {
  const inputs = new Float32Array(windows.length * contextLength * ALPHABET_SIZE);
  const labels = new Int32Array(windows.length);
  windows.forEach((symbols, row) => {
    for (let at = 0; at < contextLength; at++) {
      inputs[(row * contextLength + at) * ALPHABET_SIZE + (symbols[at] ?? 0)] = 1;
    }
    labels[row] = symbols[contextLength] ?? 0;
  });
  return { inputs, labels };
}

function joinSymbols(files: readonly TextFile[]): Uint8Array {
  const text = new Uint8Array(files.reduce((sum, file) => sum + file.symbols.length, 0));
  let at = 0;
  for (const { symbols } of files) {
    text.set(symbols, at);
    at += symbols.length;
  }
  return text;
}

function mostFrequent(parts: readonly Uint8Array[]): number {
  const counts = new Float64Array(ALPHABET_SIZE);
  for (const part of parts) for (const symbol of part) counts[symbol] = (counts[symbol] ?? 0) + 1;
  return counts.indexOf(Math.max(...counts));
}

function wholeNumber(field: string, value: number): number {
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw new DataError('data/bad-option', `${field} must be a whole number of at least 1, not ${value}`, {
    [field]: value,
  });
}
