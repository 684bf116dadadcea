import { type FileHandle, open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { writing } from '../disk-fault.ts';
import type { Experiment, ExperimentRun, ResultLine } from '../experiment.ts';
import { ExperimentError } from '../experiment-error.ts';
import type { RunResult } from '../run-result.ts';
import { readResultLines, resultText } from './result-text.ts';

/** All results in grid order, once there are no more to come. */
export const RESULTS_FILE = 'results.ndjson';
/** Results in the order in which they came, until then. */
export const JOURNAL_FILE = 'results.partial.ndjson';

/** The results of an experiment in its folder. */
export interface ResultsStore {
  /** What is there, by the run's id. */
  readonly done: ReadonlyMap<string, ResultLine>;
  /**
   * Keeps a result: once this resolves it outlives the program.
   *
   * @throws ExperimentError `experiment/cannot-write`; what was kept before stays whole
   */
  keep(run: ExperimentRun, result: RunResult): Promise<void>;
  /**
   * Writes all results in grid order, and does away with the journal.
   *
   * @throws ExperimentError `experiment/cannot-write`; nothing is lost
   */
  finish(): Promise<void>;
  /** Closes the journal. */
  close(): Promise<void>;
}

/**
 * Opens the results of an experiment, those of an earlier process among them. What such a process was writing when it was
 * killed is cut off.
 *
 * @throws ExperimentError `experiment/damaged`, `experiment/cannot-write`
 */
export async function openResults(folder: string, { runs }: Pick<Experiment, 'runs'>): Promise<ResultsStore> {
  const known = new Set(runs.map(({ id }) => id));
  const texts = new Map<string, string>();
  const done = new Map<string, ResultLine>();
  const adopt = (file: string, content: Buffer): number => {
    const { lines, wholeBytes } = readResultLines(join(folder, file), content);
    for (const { line, text } of lines) {
      if (!known.has(line.id)) {
        const sentence = `${join(folder, file)} has run ${line.id}, which is not in the experiment: take its line out`;
        throw new ExperimentError('experiment/damaged', sentence, { id: line.id });
      }
      texts.set(line.id, text);
      done.set(line.id, line);
    }
    return wholeBytes;
  };
  adopt(RESULTS_FILE, await contentOf(join(folder, RESULTS_FILE)));
  let length = adopt(JOURNAL_FILE, await contentOf(join(folder, JOURNAL_FILE)));
  const journal = await writing(() => open(join(folder, JOURNAL_FILE), 'a'));
  await writing(() => journal.truncate(length));

  let turn: Promise<unknown> = Promise.resolve();
  const append = async (text: string): Promise<void> => {
    const bytes = Buffer.from(`${text}\n`);
    try {
      await writeAll(journal, bytes);
      await journal.datasync();
    } catch (error) {
      await journal.truncate(length).catch(() => undefined);
      throw error;
    }
    length += bytes.length;
  };

  return {
    done,
    keep: (run, result) => {
      const text = resultText(run, result);
      const kept = turn.then(() => writing(() => append(text)));
      turn = kept.catch(() => undefined);
      return kept.then(() => {
        texts.set(run.id, text);
        done.set(run.id, { ...run, result });
      });
    },
    finish: () =>
      writing(async () => {
        const inOrder = runs.flatMap(({ id }) => texts.get(id) ?? []);
        await replace(join(folder, RESULTS_FILE), inOrder);
        await rm(join(folder, JOURNAL_FILE), { force: true });
      }),
    close: () => journal.close(),
  };
}

async function contentOf(path: string): Promise<Buffer> {
  return readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return Buffer.alloc(0);
    throw error;
  });
}

async function writeAll(file: FileHandle, bytes: Buffer): Promise<void> {
  for (let at = 0; at < bytes.length; ) at += (await file.write(bytes, at)).bytesWritten;
}

/** Puts a file in the place of another, whole or not at all. */
async function replace(path: string, lines: readonly string[]): Promise<void> {
  const next = `${path}.next`;
  try {
    const file = await open(next, 'w');
    try {
      for (const line of lines) await writeAll(file, Buffer.from(`${line}\n`));
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(next, path);
  } catch (error) {
    await rm(next, { force: true });
    throw error;
  }
}
