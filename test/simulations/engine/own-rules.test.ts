import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { loadOwnRules } from '../../../simulations/engine/own-rules.ts';

const RULE = `export default {
  name: 'Cautious', family: 'coordinate', sees: 'values', summary: 'the first value',
  validate(n, f) { if (4 * f > n) throw new Error('Cautious bears n/4 at most'); },
  denominator: () => 1, reduce: (values) => values[0],
};`;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fedanchor-rules-'));
  await writeFile(join(folder, 'rule.mjs'), RULE);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it('tells whatever a rule of its own refuses by as a refusal of the rule', async () => {
  const book = await loadOwnRules(['./rule.mjs', 'Median'], folder);
  const own = book.rules.find(({ name }) => name === './rule.mjs');
  expect(() => own?.validate(8, 2)).not.toThrow();
  expect(() => own?.validate(8, 3)).toThrow(
    expect.objectContaining({ code: 'rule/too-many-faulty', message: 'Cautious bears n/4 at most' }),
  );
});
