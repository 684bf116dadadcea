import type { Setting } from '../cells.ts';
import { brief, bytes, duration } from '../format.ts';
import type { Spread } from '../statistics.ts';
import { breakable, html, type Markup } from './markup.ts';

/** What the simulated network did in each cell; null where there was none. */
export function trafficTable(setting: Setting): Markup | null {
  const cells = setting.cells.filter(({ summary }) => summary.seconds.mean !== null);
  if (cells.length === 0) return null;
  const value = ({ mean }: Spread): string => (mean === null ? '–' : brief(mean));
  return html`<section><h3>Communication and time</h3><p class="note">Means over seeds of what a whole run took on the virtual clock.</p>
<div class="scroll"><table>
<thead><tr><th scope="col" class="text">rule</th><th scope="col" class="text">attack</th><th scope="col">up</th><th scope="col">down</th><th scope="col">virtual time</th><th scope="col">rounds at the deadline</th><th scope="col">late updates</th><th scope="col">dropped out</th><th scope="col">cell</th></tr></thead>
<tbody>${cells.map(
    ({ anchor, names, summary }) =>
      html`<tr><th scope="row">${breakable(names.rule)}</th><td class="text">${breakable(names.attack)}</td><td>${bytes(summary.bytesUp.mean ?? 0)}</td><td>${bytes(summary.bytesDown.mean ?? 0)}</td><td>${duration(summary.seconds.mean ?? 0)}</td><td>${value(summary.atDeadline)}</td><td>${value(summary.late)}</td><td>${value(summary.dropped)}</td><td><a href="#${anchor}">${anchor.replace('cell-', '')}</a></td></tr>
`,
  )}</tbody></table></div></section>`;
}
