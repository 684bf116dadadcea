import { CELL_AXES, type CellRuns } from './cells.ts';
import { csvOf, type Field } from './csv.ts';
import type { Summary } from './summary.ts';

/** Columns that are a mean and a sample standard deviation: the column's name, and what of a summary it shows. */
const SPREADS = [
  ['backdoor', 'backdoor'],
  ['byzantine_weight', 'byzantineWeight'],
  ['reward_honest', 'earnedHonest'],
  ['reward_byzantine', 'earnedByzantine'],
  ['bytes_up', 'bytesUp'],
  ['bytes_down', 'bytesDown'],
  ['virtual_seconds', 'seconds'],
  ['late', 'late'],
  ['dropped', 'dropped'],
  ['rounds_at_deadline', 'atDeadline'],
] as const satisfies readonly (readonly [string, keyof Summary])[];

/** `summary.csv`: one row a cell. docs/report.md says what each column holds. */
export function summaryCsv(cells: readonly CellRuns[]): string {
  const head = [
    ...CELL_AXES,
    'runs',
    'finished',
    'diverged',
    'failed',
    'missing',
    ...['final', 'best'].flatMap((name) => [`${name}_mean`, `${name}_sd`, `${name}_low95`, `${name}_high95`]),
    ...SPREADS.flatMap(([name]) => [`${name}_mean`, `${name}_sd`]),
  ];
  return csvOf(head, cells.map(rowOf));
}

function rowOf(cell: CellRuns): Field[] {
  const { summary } = cell;
  const accuracy = ({ mean, sd, half }: Summary['final']): Field[] => {
    const isBounded = mean !== null && half !== null;
    return [mean, sd, isBounded ? mean - half : null, isBounded ? mean + half : null];
  };
  return [
    ...CELL_AXES.map((axis) => cell.names[axis]),
    cell.planned,
    cell.finished.length,
    cell.diverged,
    cell.failed,
    cell.planned - cell.runs.length,
    ...accuracy(summary.final),
    ...accuracy(summary.best),
    ...SPREADS.flatMap(([, of]) => [summary[of].mean, summary[of].sd]),
  ];
}
