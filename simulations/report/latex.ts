import type { Experiment } from '../experiment/experiment.ts';
import { type CellRuns, cellAt, type Setting } from './cells.ts';
import { fixed } from './format.ts';

/**
 * `table.tex`: for each setting a booktabs table, rule by attack, final accuracy in percent as mean ± sample standard
 * deviation over seeds. The best of a column is bold; a cell that lacks runs says so and is never the best.
 */
export function latexTables(
  experiment: Pick<Experiment, 'title' | 'hash' | 'seeds'>,
  settings: readonly Setting[],
): string {
  const head = [
    `% ${comment(experiment.title)}`,
    `% experiment ${experiment.hash}`,
    '% \\usepackage{booktabs}',
    '',
  ].join('\n');
  return `${head}\n${settings.map((setting, index) => tableOf(experiment, setting, index + 1)).join('\n')}`;
}

function tableOf(experiment: Pick<Experiment, 'title' | 'seeds'>, setting: Setting, number: number): string {
  const { partition, n, f } = setting.names;
  const best = new Map(setting.attacks.map((attack) => [attack, bestOf(setting, attack)]));
  const rows = setting.rules.map((rule) => {
    const cells = setting.attacks.map((attack) => {
      const cell = cellAt(setting, rule, attack);
      if (cell === undefined) return '';
      const text = cellText(cell);
      return isWhole(cell) && printed(cell) === best.get(attack) ? `$\\mathbf{${text.slice(1, -1)}}$` : text;
    });
    return `  ${[latex(rule), ...cells].join(' & ')} \\\\`;
  });
  const seeds = `${experiment.seeds.length} seed${experiment.seeds.length === 1 ? '' : 's'}`;
  const caption =
    `${latex(experiment.title)}. Final test accuracy in \\%, mean $\\pm$ sample standard deviation over ${seeds}; ` +
    `$n = ${n}$, $f = ${f}$, partition ${latex(partition)}.`;
  return [
    '\\begin{table}',
    '  \\centering',
    `  \\caption{${caption}${setting.cells.every(isWhole) ? '' : ` ${EXCEPTIONS}`}}`,
    `  \\label{tab:fedanchor-${number}}`,
    `  \\begin{tabular}{l${'r'.repeat(setting.attacks.length)}}`,
    '  \\toprule',
    `  ${['Rule', ...setting.attacks.map(latex)].join(' & ')} \\\\`,
    '  \\midrule',
    ...rows,
    '  \\bottomrule',
    '  \\end{tabular}',
    '\\end{table}',
    '',
  ].join('\n');
}

const EXCEPTIONS =
  '$^\\dagger$: the mean leaves out runs that diverged or failed; in parentheses those that it covers.';

/** The best mean of a column as it is printed: ties are all bold. */
function bestOf(setting: Setting, attack: string): number {
  const cells = setting.rules.map((rule) => cellAt(setting, rule, attack)).filter((cell) => cell !== undefined);
  return Math.max(...cells.filter(isWhole).map(printed));
}

function printed(cell: CellRuns): number {
  return Number(fixed(100 * (cell.summary.final.mean as number), 1));
}

function isWhole(cell: CellRuns): boolean {
  return cell.finished.length === cell.planned;
}

function cellText(cell: CellRuns): string {
  const { mean, sd } = cell.summary.final;
  if (mean === null) return cell.diverged > 0 ? 'diverged' : cell.failed > 0 ? 'failed' : '--';
  const value = `$${fixed(100 * mean, 1)}${sd === null ? '' : ` \\pm ${fixed(100 * sd, 1)}`}$`;
  return isWhole(cell) ? value : `${value}$^\\dagger$ (${cell.finished.length}/${cell.planned})`;
}

const SPECIAL: Readonly<Record<string, string>> = {
  '\\': '\\textbackslash{}',
  '{': '\\{',
  '}': '\\}',
  $: '\\$',
  '&': '\\&',
  '#': '\\#',
  '%': '\\%',
  _: '\\_',
  '~': '\\textasciitilde{}',
  '^': '\\textasciicircum{}',
  '<': '\\textless{}',
  '>': '\\textgreater{}',
};

/** Text as LaTeX prints it: characters with a meaning are escaped, line breaks become spaces. */
function latex(text: string): string {
  return text.replace(/[\\{}$&#%_~^<>]/g, (character) => SPECIAL[character] as string).replace(/\s+/g, ' ');
}

function comment(text: string): string {
  return text.replace(/\s+/g, ' ');
}
