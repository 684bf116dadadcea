import type { Cell, Experiment, ResultLine } from '../experiment/experiment.ts';
import { type Summary, summarize } from './summary.ts';

/** What tells settings apart. */
const SETTING_AXES = ['partition', 'n', 'f'] as const satisfies readonly (keyof Cell)[];

/** What tells cells apart. */
export const CELL_AXES = [...SETTING_AXES, 'rule', 'attack'] as const satisfies readonly (keyof Cell)[];

/** The runs that differ by their seed alone, in the order of the grid. */
export interface CellRuns {
  /** Names it in the document: `cell-1` is the first of the grid. */
  readonly anchor: string;
  /** What it varies. */
  readonly names: Omit<Cell, 'seed'>;
  /** Runs that are planned. */
  readonly planned: number;
  /** All runs that have a result. */
  readonly runs: readonly ResultLine[];
  /** Those that finished: what means and deviations are taken over. */
  readonly finished: readonly ResultLine[];
  /** How many diverged. */
  readonly diverged: number;
  /** How many failed. */
  readonly failed: number;
  /** Those that finished, in numbers. */
  readonly summary: Summary;
}

/** Cells that differ by rule and attack alone: what one table shows. */
export interface Setting {
  /** What they have in common. */
  readonly names: Pick<Cell, 'partition' | 'n' | 'f'>;
  /** Rules, in the order of the grid. */
  readonly rules: readonly string[];
  /** Attacks, in the order of the grid. */
  readonly attacks: readonly string[];
  /** Their cells. */
  readonly cells: readonly CellRuns[];
}

/** Groups results into cells, in the order of the grid; cells without any result are among them. */
export function cellsOf(experiment: Pick<Experiment, 'runs'>, lines: readonly ResultLine[]): CellRuns[] {
  const byId = new Map(lines.map((line) => [line.id, line]));
  const groups = new Map<string, { names: Cell; runs: (ResultLine | undefined)[] }>();
  for (const { id, cell } of experiment.runs) {
    const key = keyOf(cell, CELL_AXES);
    const group = groups.get(key) ?? { names: cell, runs: [] };
    group.runs.push(byId.get(id));
    groups.set(key, group);
  }
  return [...groups.values()].map(({ names, runs: planned }, index) => {
    const runs = planned.filter((run) => run !== undefined);
    const ended = (outcome: string): ResultLine[] => runs.filter(({ result }) => result.outcome === outcome);
    const finished = ended('finished');
    return {
      anchor: `cell-${index + 1}`,
      names,
      planned: planned.length,
      runs,
      finished,
      diverged: ended('diverged').length,
      failed: ended('failed').length,
      summary: summarize(finished),
    };
  });
}

/** Groups cells into settings, in the order of the grid. */
export function settingsOf(cells: readonly CellRuns[]): Setting[] {
  const groups = new Map<string, CellRuns[]>();
  for (const cell of cells) {
    const key = keyOf(cell.names, SETTING_AXES);
    groups.set(key, [...(groups.get(key) ?? []), cell]);
  }
  return [...groups.values()].map((group) => ({
    names: (group[0] as CellRuns).names,
    rules: distinct(group.map(({ names }) => names.rule)),
    attacks: distinct(group.map(({ names }) => names.attack)),
    cells: group,
  }));
}

/** The cell of a rule and an attack, where the grid has it. */
export function cellAt(setting: Setting, rule: string, attack: string): CellRuns | undefined {
  return setting.cells.find(({ names }) => names.rule === rule && names.attack === attack);
}

/** Each value once, in the order of first appearance. */
export function distinct<T>(values: readonly T[]): T[] {
  return [...new Set(values)];
}

function keyOf(names: Omit<Cell, 'seed'>, axes: readonly (keyof Omit<Cell, 'seed'>)[]): string {
  return JSON.stringify(axes.map((axis) => names[axis]));
}
