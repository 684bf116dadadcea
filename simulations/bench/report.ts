import { open, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { BenchError } from './bench-error.ts';

/** Where a benchmark tells how far it has come. */
export type Progress = (sentence: string) => void;

/** Progress on standard error: standard output is for the result. */
export const tellProgress: Progress = (sentence) => {
  process.stderr.write(`${sentence}\n`);
};

/** A finished benchmark: what people read, and everything behind it. */
export interface BenchReport {
  /** Table and sentences. */
  readonly text: string;
  /** Options, every repeat, and the results. */
  readonly document: Readonly<Record<string, unknown>>;
}

/**
 * Finds out before a benchmark, not after it, that its document cannot be written.
 *
 * @throws BenchError `bench/not-writable`
 */
export async function requireWritable(file: string): Promise<void> {
  try {
    await (await open(file, 'a')).close();
  } catch (cause) {
    throw new BenchError('bench/not-writable', `cannot write ${file}: name another file with --json`, { file }, cause);
  }
}

/** Prints a report, and writes its document with what is known of the machine. */
export async function publish(bench: string, { text, document }: BenchReport, file: string | undefined): Promise<void> {
  process.stdout.write(`${text}\n`);
  if (file === undefined) return;
  const machine = {
    node: process.version,
    platform: `${process.platform}-${process.arch}`,
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryBytes: totalmem(),
  };
  await writeFile(file, `${JSON.stringify({ version: 1, bench, machine, ...document }, null, 2)}\n`);
  process.stderr.write(`everything measured: ${file}\n`);
}
