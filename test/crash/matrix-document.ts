import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';

const DOCUMENT = fileURLToPath(new URL('../../docs/reliability.md', import.meta.url));

/** One line of a table. */
export interface MatrixRow {
  readonly injected: string;
  /** Cells of the other columns. */
  readonly cells: readonly string[];
}

/** Headings of the crash matrix; every row of it was held to all of them. */
export const MATRIX_COLUMNS: readonly string[] = [
  'killed at',
  'same records as undisturbed',
  'no accepted update lost or counted twice',
  'one transaction a round',
  'audit holds',
  'paid once',
];

/** The row of a fault after which everything held. */
export function matrixRow(injected: string): MatrixRow {
  // A bar would begin another cell.
  return { injected: injected.replaceAll(' | ', ', '), cells: MATRIX_COLUMNS.slice(1).map(() => 'held') };
}

/**
 * Publishes a table of the document, or holds the document to it: run the tests with FEDANCHOR_WRITE_DOCS=1 to have the
 * document written.
 *
 * @param section - name in the document's markers
 * @param columns - headings
 */
export async function publish(section: string, columns: readonly string[], rows: readonly MatrixRow[]): Promise<void> {
  const table = [
    `| ${columns.join(' | ')} |`,
    `|${columns.map(() => '---').join('|')}|`,
    ...rows.map(({ injected, cells }) => `| ${[injected, ...cells].join(' | ')} |`),
  ].join('\n');
  const text = await readFile(DOCUMENT, 'utf8');
  const [begin, end] = [`<!-- ${section}: begin -->\n`, `\n<!-- ${section}: end -->`];
  const [from, to] = [text.indexOf(begin) + begin.length, text.indexOf(end)];
  expect(text.includes(begin) && to > from - 1, `docs/reliability.md has no section "${section}"`).toBe(true);
  if (process.env['FEDANCHOR_WRITE_DOCS']) {
    // Two test files may write at once: each replaces its own section in what is there now.
    await writeFile(DOCUMENT, `${text.slice(0, from)}${table}${text.slice(to)}`);
    return;
  }
  const listed = text
    .slice(from, to)
    .split('\n')
    .slice(2)
    .map((line) => line.split(' | ')[0]?.replace(/^\| /, ''));
  expect(listed, `"${section}": run with FEDANCHOR_WRITE_DOCS=1 to write it again`).toEqual(
    rows.map(({ injected }) => injected),
  );
}
