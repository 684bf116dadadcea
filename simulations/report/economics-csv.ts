import { CELL_AXES, type CellRuns, type Setting } from './cells.ts';
import { crimeOf } from './crime-table.ts';
import { csvOf, type Field } from './csv.ts';
import type { Summary } from './summary.ts';

/** Columns that are a mean: the column's name, and what of a summary it shows. Money is in whole tokens. */
const MEANS = [
  ['paid', 'paid'],
  ['honest_reward_per_round', 'earnedHonest'],
  ['attacker_reward_per_round', 'earnedByzantine'],
  ['attacker_cost', 'costByzantine'],
  ['attacker_net', 'netByzantine'],
  ['honest_net', 'netHonest'],
  ['stake_at_risk', 'stakeAtRisk'],
  ['stake_lost', 'stakeLost'],
  ['gini', 'gini'],
  ['gini_honest', 'giniHonest'],
  ['nakamoto', 'nakamoto'],
  ['cost_per_point', 'costPerPoint'],
] as const satisfies readonly (readonly [string, keyof Summary])[];

/** `economics.csv`: one row a cell, means over the runs that finished. docs/report.md says what each column holds. */
export function economicsCsv(settings: readonly Setting[]): string {
  const head = [
    ...CELL_AXES,
    'finished',
    ...MEANS.map(([name]) => name),
    'attacker_relative',
    'attacker_relative_sd',
    'forgone',
    'damage_points',
    'price_per_point',
  ];
  return csvOf(
    head,
    settings.flatMap((setting) => setting.cells.map((cell) => rowOf(setting, cell))),
  );
}

function rowOf(setting: Setting, cell: CellRuns): Field[] {
  const crime = crimeOf(setting, cell);
  return [
    ...CELL_AXES.map((axis) => cell.names[axis]),
    cell.finished.length,
    ...MEANS.map(([, of]) => cell.summary[of].mean),
    cell.summary.relative.mean,
    cell.summary.relative.sd,
    crime?.forgone ?? null,
    crime?.damage ?? null,
    crime?.pricePerPoint ?? null,
  ];
}
