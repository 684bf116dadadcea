import { type CellRuns, cellAt, type Setting } from '../cells.ts';
import { crimeOf } from '../crime-table.ts';
import { brief, fixed, percent } from '../format.ts';
import type { Spread } from '../statistics.ts';
import { breakable, html, type Markup } from './markup.ts';

/** "Does crime pay": each attack under each rule; null where nobody attacks. */
export function crimeTable(setting: Setting): Markup | null {
  const rows = setting.attacks.flatMap((attack) =>
    setting.rules.flatMap((rule) => {
      const cell = cellAt(setting, rule, attack);
      const crime = cell === undefined ? null : crimeOf(setting, cell);
      return cell === undefined || crime === null ? [] : [{ cell, crime }];
    }),
  );
  if (rows.length === 0) return null;
  return html`<section><h3>Does crime pay?</h3>
<p class="note">What an attacker earned beside an honest client of the same runs, 100 % = the same. <em>Forgone</em> is what all attackers
together earned less than as many honest clients (negative: more), in tokens over the run. <em>Damage</em> is the accuracy lost against the same rule
without attack. An attack within the protocol costs no stake: stakes answer for two signed updates in one attempt, not for what is in
an update.</p>
<div class="scroll"><table>
<thead><tr><th scope="col" class="text">attack</th><th scope="col" class="text">rule</th><th scope="col">attacker earns</th><th scope="col">net, one attacker</th><th scope="col">net, one honest</th><th scope="col">forgone</th><th scope="col">stake lost</th><th scope="col">damage, points</th><th scope="col">forgone a point</th><th scope="col">cell</th></tr></thead>
<tbody>${rows.map(({ cell, crime }) => {
    const { relative, netByzantine, netHonest, stakeLost, stakeAtRisk } = cell.summary;
    return html`<tr><th scope="row">${breakable(cell.names.attack)}</th><td class="text">${breakable(cell.names.rule)}</td><td>${relativeText(relative)}</td><td>${value(netByzantine)}</td><td>${value(netHonest)}</td><td>${brief(crime.forgone)}</td><td>${value(stakeLost)} of ${value(stakeAtRisk)}</td><td>${crime.damage === null ? '–' : fixed(crime.damage, 1)}</td><td>${crime.pricePerPoint === null ? '–' : brief(crime.pricePerPoint)}</td><td>${linkTo(cell)}</td></tr>
`;
  })}</tbody></table></div></section>`;
}

/** How concentrated contributions are, and what accuracy cost; null where nobody was paid. */
export function concentrationTable(setting: Setting): Markup | null {
  const cells = setting.cells.filter(({ summary }) => (summary.paid.mean ?? 0) > 0);
  if (cells.length === 0) return null;
  return html`<section><h3>Concentration and cost</h3>
<p class="note">Of what clients earned, which is how the round valued what they contributed. Gini: 0 where all earned the same, towards 1 where one earned
all. Nakamoto: the fewest clients who together earned more than half. Cost: tokens paid for each percentage point of accuracy above the initial model's.</p>
<div class="scroll"><table>
<thead><tr><th scope="col" class="text">rule</th><th scope="col" class="text">attack</th><th scope="col">Gini</th><th scope="col">Gini, honest alone</th><th scope="col">Nakamoto</th><th scope="col">paid</th><th scope="col">cost a point</th><th scope="col">cell</th></tr></thead>
<tbody>${cells.map(({ summary, ...cell }) => {
    const { gini, giniHonest, nakamoto, paid, costPerPoint } = summary;
    return html`<tr><th scope="row">${breakable(cell.names.rule)}</th><td class="text">${breakable(cell.names.attack)}</td><td>${value(gini)}</td><td>${value(giniHonest)}</td><td>${nakamoto.mean === null ? '–' : fixed(nakamoto.mean, 1)}</td><td>${value(paid)}</td><td>${value(costPerPoint)}</td><td>${linkTo(cell)}</td></tr>
`;
  })}</tbody></table></div></section>`;
}

function linkTo({ anchor }: Pick<CellRuns, 'anchor'>): Markup {
  return html`<a href="#${anchor}">${anchor.replace('cell-', '')}</a>`;
}

function value({ mean }: Spread): string {
  return mean === null ? '–' : brief(mean);
}

function relativeText({ mean, sd }: Spread): string {
  if (mean === null) return '–';
  return `${percent(mean, 0)}${sd === null ? '' : ` ± ${percent(sd, 0)}`} %`;
}
