import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { packageRoot } from '../../contracts/package-root.ts';

const page = join(packageRoot(), 'docs', 'costs.md');
const read = (name: string) =>
  JSON.parse(readFileSync(join(packageRoot(), 'contracts', 'snapshots', name), 'utf8')) as Record<string, number>;
const gas: Record<string, number> = { ...read('gas.json'), ...read('court-gas.json') };

/** What the page says a unit of gas costs. */
const GWEI = { mainnet: 2, rollup: 0.01 };
const DOLLARS_PER_COIN = 3000;

const dollars = (used: number, gwei: number) => {
  const value = used * gwei * 1e-9 * DOLLARS_PER_COIN;
  return `$${value.toFixed(value < 0.1 ? 4 : 2)}`;
};

const of = (key: string): number => {
  const value = gas[key];
  if (value === undefined) throw new Error(`no row "${key}" in the snapshots`);
  return value;
};

const rows: readonly (readonly [what: string, used: number])[] = [
  ['a round, anchored alone', of('anchor, steady')],
  ['a round, in a batch of 64', of('anchorMany of 64, each')],
  ['attestations of 4, for every round before', of('finalize with 4 attestations')],
  ['attestations of 7', of('finalize with 7 attestations')],
  ["a round's rewards, activated", of('activate')],
  ['a claim of all rewards so far', of('claim, steady (proof of 8)')],
  ['a claim, among 200 in one transaction', of('claimMany of 200, each, steady')],
  ['a stake, first of an account', of('stake, first of an account')],
  ['an exit: request, and taking the stake', of('exit, requested') + of('exit')],
  ['an equivocation, proven', of('equivocation, proven')],
  ['a dispute, opened', of('dispute, opened (coordinate, d = 2^20, n = 20)')],
  ['its answer: trimmed mean, d = 2^20, n = 20', of('dispute, answered (trimmed mean, d = 2^20, n = 20)')],
  ['its answer: trimmed mean, d = 2^20, n = 50', of('dispute, answered (trimmed mean, d = 2^20, n = 50)')],
  ['its answer: trimmed mean, d = 2^24, n = 64', of('dispute, answered (trimmed mean, d = 2^24, n = 64)')],
  ['a conviction, one round rewound', of('dispute, convicted (one round rewound)')],
];

const table = [
  '| what | gas | mainnet | rollup |',
  '|---|---|---|---|',
  ...rows.map(
    ([what, used]) =>
      `| ${what} | ${used.toLocaleString('en-US')} | ${dollars(used, GWEI.mainnet)} | ${dollars(used, GWEI.rollup)} |`,
  ),
].join('\n');

it('the table of costs is that of the snapshots (FEDANCHOR_UPDATE_SNAPSHOTS=1 writes it anew)', () => {
  const text = readFileSync(page, 'utf8');
  const [before, rest] = text.split('<!-- costs -->\n') as [string, string | undefined];
  const after = rest?.split('<!-- end of costs -->')[1] ?? '';
  if (process.env['FEDANCHOR_UPDATE_SNAPSHOTS'] === '1') {
    writeFileSync(page, `${before}<!-- costs -->\n${table}\n<!-- end of costs -->${after}`);
  }
  expect(readFileSync(page, 'utf8')).toContain(`<!-- costs -->\n${table}\n<!-- end of costs -->`);
});
