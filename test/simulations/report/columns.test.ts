import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { cellsOf, settingsOf } from '../../../simulations/report/cells.ts';
import { csvOf } from '../../../simulations/report/csv.ts';
import { economicsCsv } from '../../../simulations/report/economics-csv.ts';
import { summaryCsv } from '../../../simulations/report/summary-csv.ts';
import { sampleExperiment } from './sample-experiment.ts';

/** The columns that a section of docs/report.md describes, in their order. */
function describedIn(section: string): string[] {
  const page = readFileSync(new URL('../../../docs/report.md', import.meta.url), 'utf8');
  const text = page.split('\n## ').find((part) => part.startsWith(section)) as string;
  const rows = [...text.matchAll(/^\| (`.*?`) \| /gm)].map(([, names]) => names as string);
  return rows.flatMap((names) => [...names.matchAll(/`(\w+)`/g)].map(([, name]) => name as string));
}

describe('the tables of a report', () => {
  const { experiment, lines } = sampleExperiment({ seeds: [0] });
  const cells = cellsOf(experiment, lines);

  it.each([
    ['summary.csv', summaryCsv(cells)],
    ['economics.csv', economicsCsv(settingsOf(cells))],
  ])('%s has the columns that the documentation says, and no others', (name, csv) => {
    const head = (csv.split('\n')[0] as string).split(',');
    expect(describedIn(name)).toEqual(head);
  });
});

describe('fields of a table', () => {
  it('are quoted where they must be, and empty where there is nothing', () => {
    expect(
      csvOf(
        ['a', 'b'],
        [
          ['x,"y"\n', null],
          [' z', 1 / 3],
          ['', 1e9],
        ],
      ),
    ).toBe('a,b\n"x,""y""\n",\n" z",0.3333333333\n,1000000000\n');
  });
});
