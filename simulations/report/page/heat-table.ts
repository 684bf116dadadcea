import { type CellRuns, cellAt, type Setting } from '../cells.ts';
import { exceptions, percent, percentSpread } from '../format.ts';
import { type HeatScale, heatScale } from './charts.ts';
import { breakable, html, type Markup } from './markup.ts';

/** What a heat map shows: accuracy at the end, or the best along the curve. */
export type Shown = 'final' | 'best';

/**
 * Rule by attack as a heat map in a table: accuracy, mean ± sample standard deviation, each cell a link to what it is made
 * of; and the lowest mean of each row, which is what a rule is good for against whoever may choose.
 */
export function heatTable(setting: Setting, shown: Shown): Markup {
  const means = setting.cells.map(({ summary }) => summary[shown].mean).filter((mean) => mean !== null);
  const scale = heatScale([Math.min(...means), Math.max(...means)]);
  const hasWorst = setting.attacks.length > 1;
  return html`<div class="scroll"><table class="heat ${shown}${wide(setting.attacks)}">
<thead><tr><th scope="col">${shown} accuracy, %</th>${setting.attacks.map((attack) => html`<th scope="col">${breakable(attack)}</th>`)}${hasWorst && html`<th scope="col">worst</th>`}</tr></thead>
<tbody>${setting.rules.map(
    (rule) => html`<tr><th scope="row">${breakable(rule)}</th>${setting.attacks.map((attack) => {
      const cell = cellAt(setting, rule, attack);
      return cell === undefined ? html`<td></td>` : heatCell(cell, shown, scale);
    })}${hasWorst && worstCell(worstOf(setting, rule, shown), shown, scale)}</tr>
`,
  )}</tbody></table></div>`;
}

/** Rule by setting: the lowest mean over all attacks, with the attack that brings it. */
export function worstTable(settings: readonly Setting[], shown: Shown): Markup {
  const rules = [...new Set(settings.flatMap((setting) => setting.rules))];
  const rows = settings.map((setting) => rules.map((rule) => worstOf(setting, rule, shown)));
  const means = rows.flat().flatMap((cell) => (cell === null ? [] : meanOf(cell, shown)));
  const scale = heatScale([Math.min(...means), Math.max(...means)]);
  return html`<div class="scroll"><table class="heat${wide(rules)}">
<thead><tr><th scope="col">${shown} accuracy, %</th>${rules.map((rule) => html`<th scope="col">${breakable(rule)}</th>`)}</tr></thead>
<tbody>${rows.map(
    (cells, index) =>
      html`<tr><th scope="row"><a href="#setting-${index + 1}">${settingText((settings[index] as Setting).names)}</a></th>${cells.map(
        (cell) => worstCell(cell, shown, scale, cell?.names.attack),
      )}</tr>
`,
  )}</tbody></table></div>`;
}

/** What a setting is, such as `iid, n = 13, f = 3`. */
export function settingText({ partition, n, f }: Setting['names']): string {
  // No-break spaces: an equation stays on one line.
  return `${partition}, n\u00a0=\u00a0${n}, f\u00a0=\u00a0${f}`;
}

/** Tables of more columns than paper is wide for are told to break names anywhere. */
function wide(columns: readonly string[]): string {
  return columns.length > 6 ? ' wide' : '';
}

/** The cell of a rule with the lowest mean; null where a cell lacks runs, for that may be the worst. */
function worstOf(setting: Setting, rule: string, shown: Shown): CellRuns | null {
  const cells = setting.cells.filter(({ names }) => names.rule === rule);
  if (cells.length === 0 || cells.some(({ finished, planned }) => finished.length < planned)) return null;
  return cells.reduce((worst, cell) => (meanOf(cell, shown) < meanOf(worst, shown) ? cell : worst));
}

function heatCell(cell: CellRuns, shown: Shown, scale: HeatScale): Markup {
  const text = percentSpread(cell.summary[shown]);
  const told = exceptions(cell);
  const note = told !== '' && html`<small>${told}</small>`;
  if (text === null) return html`<td class="none"><a href="#${cell.anchor}">–</a>${note}</td>`;
  const { ground, text: ink } = scale(meanOf(cell, shown));
  return html`<td style="background:${ground};color:${ink}"><a href="#${cell.anchor}">${text}</a>${note}</td>`;
}

function worstCell(worst: CellRuns | null, shown: Shown, scale: HeatScale, attack?: string): Markup {
  if (worst === null) return html`<td class="none">–</td>`;
  const { ground, text } = scale(meanOf(worst, shown));
  const told = attack !== undefined && html`<small>${breakable(attack)}</small>`;
  return html`<td class="worst" style="background:${ground};color:${text}"><a href="#${worst.anchor}">${percent(meanOf(worst, shown))}</a>${told}</td>`;
}

function meanOf(cell: CellRuns, shown: Shown): number {
  return cell.summary[shown].mean ?? 0;
}
