import { type CrimeVerdict, verdictOf } from '../economics/crime.ts';
import { type CellRuns, cellAt, type Setting } from './cells.ts';

/** Whether a cell's attack paid; null where nobody attacks, or no run of it finished. */
export function crimeOf(setting: Setting, cell: CellRuns): CrimeVerdict | null {
  const { final, earnedByzantine, earnedHonest } = cell.summary;
  const run = cell.finished[0];
  if (run === undefined || run.spec.attack === null || run.spec.byzantine === 0) return null;
  if (final.mean === null || earnedByzantine.mean === null || earnedHonest.mean === null) return null;
  return verdictOf({
    attackers: run.spec.byzantine,
    rounds: run.spec.rounds,
    earnedByzantine: earnedByzantine.mean,
    earnedHonest: earnedHonest.mean,
    accuracy: final.mean,
    calmAccuracy: calmCell(setting, cell)?.summary.final.mean ?? null,
  });
}

/** The cell with the same rule in which nobody attacks. */
function calmCell(setting: Setting, { names }: CellRuns): CellRuns | undefined {
  return setting.attacks
    .map((attack) => cellAt(setting, names.rule, attack))
    .find((cell) => cell?.runs[0]?.spec.attack === null);
}
