import type { Cell, ExperimentRun } from './experiment.ts';
import type { ImpossibleRun } from './impossible.ts';

/** Runs as a table of text: a line a cell, with its seeds and their ids. */
export function describeRuns(runs: readonly ExperimentRun[]): string {
  const cells = byCell(runs, (run) => run.cell);
  const rows = cells.map(([first, ...others]) => {
    const all = [first, ...others] as readonly ExperimentRun[];
    const { cell } = first as ExperimentRun;
    const seeds = all.map(({ cell: { seed }, id }) => `${seed} (${id})`).join(', ');
    return [cell.partition, `f ${cell.f} of ${cell.n}`, cell.rule, cell.attack, seeds];
  });
  return table([['partition', 'clients', 'rule', 'attack', 'seeds (ids)'], ...rows]);
}

/** Runs that cannot be made, a line a cell, with everything that is against it beneath. */
export function describeImpossible(impossible: readonly ImpossibleRun[]): string {
  return byCell(impossible, ({ run }) => run.cell)
    .flatMap((members) => {
      const [{ run }] = members as [ImpossibleRun];
      const { rule, attack, f, n, partition } = run.cell;
      const reasons = [...new Set(members.flatMap(({ reasons: all }) => all))];
      const seeds = members.map((member) => member.run.cell.seed).join(', ');
      return [
        `  ${rule}, ${attack}, f ${f} of ${n}, ${partition}, seed ${seeds}:`,
        ...reasons.map((one) => `    ${one}`),
      ];
    })
    .join('\n');
}

/** Members that differ in their seed alone stand together, in the order of the first of each. */
function byCell<Member>(members: readonly Member[], cellOf: (member: Member) => Cell): Member[][] {
  const groups = new Map<string, Member[]>();
  for (const member of members) {
    const { seed: _, ...cell } = cellOf(member);
    const key = JSON.stringify(cell);
    groups.set(key, [...(groups.get(key) ?? []), member]);
  }
  return [...groups.values()];
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((text, column) => text.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
