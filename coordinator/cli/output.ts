import { FedanchorError } from '../../shared/errors.ts';

/** The option that every reporting command has. */
export interface OutputOptions {
  /** Whether to print JSON for programs. */
  readonly json: boolean;
}

/** Prints a result: one JSON document, or lines for people. */
export function print({ json }: OutputOptions, document: object, lines: () => readonly string[]): void {
  process.stdout.write(
    json
      ? `${JSON.stringify(document, null, 2)}\n`
      : lines()
          .map((line) => `${line}\n`)
          .join(''),
  );
}

/**
 * Runs a command. With `--json` a program gets the error on standard output too: `{ "error": { "code", "message" } }`.
 *
 * @throws what the work throws
 */
export async function reporting({ json }: OutputOptions, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (json && error instanceof FedanchorError) {
      const { code, message } = error;
      process.stdout.write(`${JSON.stringify({ error: { code, message } }, null, 2)}\n`);
    }
    throw error;
  }
}

/** Rows in columns as wide as their widest cell; the first row is the heading. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

/** A hash or address, cut so that it can still be told from others. */
export function short(hex: string): string {
  return hex.slice(0, 12);
}
