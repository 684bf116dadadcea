import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exampleToml } from '../simulations/experiment/example.ts';
import { run, start } from './fedanchor-process.ts';

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
  it('gives the same bytes with one worker, with two, and after a kill', async () => {
    const one = await simulate('e.toml', 'one', '--workers', '1');
    expect([one.code, one.stderr]).toEqual([0, '']);
    expect((await readdir(at('one'))).sort()).toEqual([
      'economics.csv',
      'experiment.json',
      'manifest.json',
      'report.html',
      'results.ndjson',
      'summary.csv',
      'table.tex',
    ]);
    const expected = await resultsOf('one');
    const lines = expected
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line));
    expect(lines.map(({ result }) => result.outcome)).toEqual(Array.from({ length: 8 }, () => 'finished'));
    expect(new Set(lines.map(({ result }) => result.modelHash)).size).toBe(8);

    const two = start(['simulate', at('e.toml'), '--out', at('two'), '--workers', '2']);
    await two.seen('[3/8]');
    two.child.kill('SIGKILL');
    await two.finished;
    expect(await simulate('e.toml', 'two')).toMatchObject({ code: 2, stderr: expect.stringContaining('--resume') });
    const resumed = await simulate('e.toml', 'two', '--resume', '--workers', '2');
    expect(resumed.code).toBe(0);
    // What had its result was not made again.
    expect(resumed.stdout).toMatch(/\[1\/[1-5]\]/);
    expect(await resultsOf('two')).toBe(expected);
  });
});
