import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { PRE_AGGREGATORS, RULES } from '../../../shared/aggregation/registry.ts';

const page = readFileSync(new URL('../../../docs/rules.md', import.meta.url), 'utf8');

/** Cells of the tables' rows by the name in the first one. */
const rows = new Map(
  page
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) =>
      line
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim()),
    )
    .map((cells) => [cells[0]?.slice(1, -1) as string, cells] as const),
);

describe('docs/rules.md', () => {
  it('has one row for every rule and pre-aggregator, and no other', () => {
    expect([...rows.keys()]).toEqual([...RULES, ...PRE_AGGREGATORS].map(({ name }) => name));
  });

  it.each([...RULES, ...PRE_AGGREGATORS].map((member) => [member.name, member] as const))(
    'says the bound, parameters and guarantee of %s',
    (name, { bound, guarantee, parameters }) => {
      const [, , saidBound, saidParameters, saidGuarantee] = rows.get(name) as string[];
      expect(saidBound).toBe(bound);
      expect(saidGuarantee).toBe(guarantee);
      expect(saidParameters).toBe(parameters.map((one) => `\`${one.name}\` = ${one.default}`).join(', '));
    },
  );
});
