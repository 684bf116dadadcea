import { canonicalJson, type Json, parseCanonicalJson } from '../../../shared/codec.ts';
import type { ExperimentRun, ResultLine } from '../experiment.ts';
import { ExperimentError } from '../experiment-error.ts';
import { runId } from '../run-id.ts';
import type { RunResult } from '../run-result.ts';

/** A run and what it gave as a line, without its end: canonical JSON. */
export function resultText({ id, cell, spec }: ExperimentRun, result: RunResult): string {
  return canonicalJson({ id, cell, spec, result } as unknown as Json);
}

/** The lines of a file of results. */
export interface ResultLines {
  /** The results, in the file's order, each with its line. */
  readonly lines: readonly { readonly text: string; readonly line: ResultLine }[];
  /** Bytes of the whole lines: what is beyond was torn off while it was written. */
  readonly wholeBytes: number;
}

/**
 * Reads lines of results. A last line without its end is one that was being written when the program was killed: it is
 * left out.
 *
 * @param file - the file, for messages
 * @throws ExperimentError `experiment/damaged` if any other line is not a result as this program writes it
 */
export function readResultLines(file: string, content: Buffer): ResultLines {
  const wholeBytes = content.lastIndexOf(0x0a) + 1;
  const texts = content.subarray(0, wholeBytes).toString('utf8').split('\n').slice(0, -1);
  const lines = texts.map((text, at) => {
    try {
      const line = parseCanonicalJson(text) as unknown as ResultLine;
      if (line.id !== runId(line.spec) || typeof line.result.outcome !== 'string') throw new Error('it is no result');
      return { text, line };
    } catch (cause) {
      const sentence = `${file}, line ${at + 1}, is not a result: ${(cause as Error).message}: take the line out, its run is made again`;
      throw new ExperimentError('experiment/damaged', sentence, { file, line: at + 1 }, cause);
    }
  });
  return { lines, wholeBytes };
}
