import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exampleToml } from '../simulations/experiment/example.ts';
import { run, start } from './fedanchor-process.ts';

/** Ends its thread the first time it forges, by round 2, and from then on is as good as honest; `always` ends every thread. */
const DEADLY = `import { existsSync, writeFileSync } from 'node:fs';
const parameters = [{ name: 'always', meaning: 'whether it ends every thread', default: 'no', choices: ['no', 'yes'] }];
export default {
  name: 'Deadly', aliases: [], kind: 'update', looksAt: 'honest', summary: 'Ends its thread.', source: 'a test', parameters,
  forge: ({ honest, byzantine, round }, { always }) => {
    const mark = new URL('./died', import.meta.url);
    if (round === 2 && (always === 'yes' || !existsSync(mark))) {
      writeFileSync(mark, '');
      process.exit(3);
    }
    return Array.from({ length: byzantine }, () => honest[0]);
  },
};
`;

let folder: string;
const at = (name: string): string => join(folder, name);
const resultsOf = (out: string): Promise<string> => readFile(join(at(out), 'results.ndjson'), 'utf8');
const simulate = (file: string, out: string, ...more: string[]) =>
  run(['simulate', at(file), '--out', at(out), ...more]);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fedanchor-simulate-'));
  await writeFile(at('e.toml'), exampleToml());
});

afterAll(() => rm(folder, { recursive: true, force: true }));

describe('an experiment', () => {
  it('ends on Ctrl-C, says how to go on, and does', async () => {
    const begun = start(['simulate', at('e.toml'), '--out', at('interrupted'), '--workers', '1']);
    await begun.seen('[1/8]');
    begun.child.kill('SIGINT');
    const { code, stderr } = await begun.finished;
    expect(code).toBe(130);
    expect(stderr).toContain(`go on with: fedanchor simulate ${at('e.toml')} --out ${at('interrupted')} --resume`);
    expect((await readdir(at('interrupted'))).sort()).toEqual(['experiment.json', 'results.partial.ndjson']);
    expect((await simulate('e.toml', 'interrupted', '--resume')).code).toBe(0);
    expect((await simulate('e.toml', 'one')).code).toBe(0);
    expect(await resultsOf('interrupted')).toBe(await resultsOf('one'));
  });

  it('redoes the run of a worker that ended once, tells of one that ends always, and harms no other', async () => {
    await writeFile(at('deadly.mjs'), DEADLY);
    const attacks = '["none", "./deadly.mjs", "./deadly.mjs:always=yes"]';
    await writeFile(at('d.toml'), exampleToml(['["none", "SignFlipping"]', attacks], ['[0, 1]', '0']));
    const { code, stdout } = await simulate('d.toml', 'deadly', '--workers', '1');
    expect(code).toBe(1);
    expect(stdout).toContain('2 of them failed');
    const lines = (await resultsOf('deadly'))
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line));
    expect(lines.map(({ cell, result }) => `${cell.attack} ${result.reason?.code ?? result.outcome}`)).toEqual([
      ...['none finished', './deadly.mjs finished', './deadly.mjs:always=yes experiment/worker-lost'],
      ...['none finished', './deadly.mjs finished', './deadly.mjs:always=yes experiment/worker-lost'],
    ]);
    const none = (await resultsOf('one')).split('\n').find((line) => line.includes(lines[0].id));
    expect(none).toBe((await resultsOf('deadly')).split('\n')[0]);
  });

  it('lists what cannot be, and begins nothing', async () => {
    await writeFile(at('f.toml'), exampleToml(['f = 2', 'f = [2, 6]']));
    const { code, stderr } = await simulate('f.toml', 'never');
    expect(code).toBe(2);
    expect(stderr).toMatch(/4 of 16 runs cannot be:[\s\S]*Median, none, f 6 of 12[\s\S]*nothing was begun/);
    expect(await readdir(folder)).not.toContain('never');
    const skipped = await simulate('f.toml', 'skipped', '--skip-impossible', '--only', 'seed=0', '--json');
    expect(skipped.code).toBe(0);
    expect(JSON.parse(skipped.stdout)).toMatchObject({ done: 6, failed: 0, missing: 10, impossible: [{}, {}] });
  });
});
