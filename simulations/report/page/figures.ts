import { cellAt, type Setting } from '../cells.ts';
import { type Earnings, earningsChart, type LineAxes, lineChart, type Series } from './charts.ts';
import { ALONG, accuracy, backdoor, bandOf, breaksOf, byzantineWeight, type Reading } from './curves.ts';
import { html, type Markup, trusted } from './markup.ts';
import { styleOf } from './series-style.ts';

/** Charts of lines, one for each attack. */
interface LineFigure {
  readonly title: string;
  readonly note: string;
  readonly along: Reading;
  readonly reading: Reading;
  readonly axes: Omit<LineAxes, 'domain'>;
  readonly floor: number | null;
}

/** Every figure of a setting that its results have something for. */
export function figuresOf(setting: Setting, points: number): Markup[] {
  const run = setting.cells.flatMap(({ runs }) => runs)[0];
  const fair = run === undefined ? 0 : (100 * run.spec.byzantine) / (run.spec.byzantine + run.spec.honest);
  const figures: LineFigure[] = [
    {
      title: 'Accuracy over rounds',
      note: 'Lines are means over seeds, bands one sample standard deviation to each side, crosses where runs broke off.',
      along: ALONG.round,
      reading: accuracy,
      axes: { x: 'round', y: 'test accuracy, %' },
      floor: null,
    },
    {
      title: 'Weight of the Byzantine clients over rounds',
      note: 'Share of all weight that the rule gave them. Dotted: their share of the clients. Rules by coordinate have no weights.',
      along: ALONG.round,
      reading: byzantineWeight,
      axes: { x: 'round', y: 'weight, %', reference: fair },
      floor: 0,
    },
    {
      title: 'Backdoor over rounds',
      note: 'Share of test examples with the trigger that go to the attacker’s class.',
      along: ALONG.round,
      reading: backdoor,
      axes: { x: 'round', y: 'backdoor success, %' },
      floor: 0,
    },
    {
      title: 'Accuracy for what was sent',
      note: 'Megabytes (10⁶ bytes) up and down, all clients together.',
      along: ALONG.megabytes,
      reading: accuracy,
      axes: { x: 'megabytes', y: 'test accuracy, %' },
      floor: null,
    },
    {
      title: 'Accuracy over virtual time',
      note: 'Seconds on the virtual clock of the simulated network.',
      along: ALONG.seconds,
      reading: accuracy,
      axes: { x: 'virtual seconds', y: 'test accuracy, %' },
      floor: null,
    },
  ];
  return figures.map((figure) => lineFigure(setting, figure, points)).filter((figure) => figure !== null);
}

function lineFigure(setting: Setting, figure: LineFigure, points: number): Markup | null {
  const charts = setting.attacks.map((attack) => ({
    attack,
    series: setting.rules.flatMap((rule, place): (Series & { readonly rule: string })[] => {
      const cell = cellAt(setting, rule, attack);
      if (cell === undefined) return [];
      const band = bandOf(cell, figure.along, figure.reading, points);
      const breaks = breaksOf(cell, figure.along, figure.reading);
      return band.length + breaks.length === 0 ? [] : [{ rule, style: styleOf(place), band, breaks }];
    }),
  }));
  const shown = charts.filter(({ series }) => series.length > 0);
  if (shown.length === 0) return null;
  const domain = domainOf(
    shown.flatMap(({ series }) => series),
    figure,
  );
  const drawn = new Set(shown.flatMap(({ series }) => series.map(({ rule }) => rule)));
  return html`<section class="figure"><h3>${figure.title}</h3><p class="note">${figure.note}</p>${legend(setting.rules, drawn)}
<div class="charts">${shown.map(
    ({ attack, series }) =>
      html`<figure><figcaption>${attack}</figcaption>${trusted(lineChart(series, { ...figure.axes, domain }))}</figure>
`,
  )}</div></section>`;
}

/** One range for all charts of a figure, in whole tens of percent, so that they compare at a glance. */
function domainOf(series: readonly Series[], { floor, axes }: LineFigure): [number, number] {
  const bands = series.flatMap(({ band, breaks }) => [
    ...band.flatMap(({ low, high }) => [low, high]),
    ...breaks.map(({ y }) => y),
  ]);
  const least = floor ?? Math.max(0, 10 * Math.floor(Math.min(...bands) / 10));
  const most = Math.min(100, 10 * Math.ceil(Math.max(...bands, axes.reference ?? 0) / 10));
  return [least, Math.max(most, least + 10)];
}

function legend(rules: readonly string[], drawn: ReadonlySet<string>): Markup {
  return html`<ul class="legend">${rules.map((rule, place) => {
    if (!drawn.has(rule)) return null;
    const { colour, dashes } = styleOf(place);
    return html`<li><svg width="30" height="10" aria-hidden="true"><line x1="0" x2="30" y1="5" y2="5" stroke="${colour}" stroke-width="2.5" stroke-dasharray="${dashes}"/></svg> ${rule}</li>`;
  })}</ul>`;
}

/** What honest clients and attackers earn, a chart for each attack; null where nobody earns. */
export function earningsFigure(setting: Setting): Markup | null {
  const charts = setting.attacks.map((attack) => ({
    attack,
    earnings: setting.rules.flatMap((rule): Earnings[] => {
      const summary = cellAt(setting, rule, attack)?.summary;
      if (summary === undefined || summary.earnedHonest.n + summary.earnedByzantine.n === 0) return [];
      return [{ rule, honest: summary.earnedHonest.mean, byzantine: summary.earnedByzantine.mean }];
    }),
  }));
  const shown = charts.filter(({ earnings }) => earnings.length > 0);
  const most = Math.max(
    0,
    ...shown.flatMap(({ earnings }) => earnings.flatMap(({ honest, byzantine }) => [honest ?? 0, byzantine ?? 0])),
  );
  if (most === 0) return null;
  return html`<section class="figure"><h3>Rewards by kind of client</h3>
<p class="note"><span class="dot">●</span> honest client, <span class="triangle">▲</span> attacker: tokens earned in a round, means over clients, rounds and seeds.
Where nobody attacks, the triangle is of the same clients following the protocol.</p>
<div class="charts">${shown.map(
    ({ attack, earnings }) =>
      html`<figure><figcaption>${attack}</figcaption>${trusted(earningsChart(earnings, 'tokens a client and round', most))}</figure>
`,
  )}</div></section>`;
}
