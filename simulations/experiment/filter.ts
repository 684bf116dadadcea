import { didYouMean } from '../../shared/aggregation/nearest-name.ts';
import type { Cell, ExperimentRun } from './experiment.ts';
import { ExperimentError } from './experiment-error.ts';

/** What runs can be told apart by. */
const NAMES = ['rule', 'attack', 'f', 'n', 'partition', 'seed', 'id'] as const;

/**
 * The runs that a filter lets through: `rule=Median,attack=none` those of the rule and the attack; a name given twice lets
 * either value through. Letter case does not matter. A value may have settings of its own, with commas between them.
 *
 * @throws ExperimentError `experiment/unknown-filter` for a name or value that no run has, `experiment/nothing-to-run` if
 * no run has all of them
 */
export function filterRuns(runs: readonly ExperimentRun[], filter: string): ExperimentRun[] {
  const wanted = new Map<string, Set<string>>();
  for (const [name, value] of readFilter(filter)) {
    const values = [...new Set(runs.map((run) => labelOf(run, name)))];
    const found = values.filter((one) => one.toLowerCase() === value.toLowerCase());
    if (found.length === 0) {
      const hint = didYouMean(value, values) || (values.length > 20 ? '' : ` there are ${values.join('; ')}`);
      throw new ExperimentError('experiment/unknown-filter', `--only: no run has ${name}=${value}:${hint}`, {
        name,
        value,
      });
    }
    wanted.set(name, new Set([...(wanted.get(name) ?? []), ...found]));
  }
  const chosen = runs.filter((run) =>
    [...wanted].every(([name, values]) => values.has(labelOf(run, name as (typeof NAMES)[number]))),
  );
  if (chosen.length > 0) return chosen;
  throw new ExperimentError('experiment/nothing-to-run', `--only ${filter}: no run has all of that: ask for less`, {
    filter,
  });
}

/** Pairs of a filter. A comma parts them only where one of the names and `=` follow it. */
function readFilter(filter: string): [(typeof NAMES)[number], string][] {
  return filter.split(new RegExp(`,\\s*(?=(?:${NAMES.join('|')})=)`)).map((pair) => {
    const equals = pair.indexOf('=');
    const name = pair.slice(0, equals).trim();
    if (equals > 0 && isName(name)) return [name, pair.slice(equals + 1).trim()];
    const hint = didYouMean(equals > 0 ? name : pair, NAMES) || ` names are ${NAMES.join(', ')}`;
    const sentence = `--only: "${pair}" is not one of ${NAMES.join(', ')} with = and a value:${hint}`;
    throw new ExperimentError('experiment/unknown-filter', sentence, { filter });
  });
}

function isName(name: string): name is (typeof NAMES)[number] {
  return (NAMES as readonly string[]).includes(name);
}

function labelOf({ id, cell }: ExperimentRun, name: keyof Cell | 'id'): string {
  return name === 'id' ? id : String(cell[name]);
}
