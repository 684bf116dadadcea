import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readPolicy } from '../../client/agent/policy.ts';
import { taskWorkbench } from '../../client/author/cli.ts';
import { checkJob } from '../../coordinator/author/check-job.ts';
import { registerAuthorCommands } from '../../coordinator/author/cli.ts';
import { runCommand } from '../coordinator/cli/run-command.ts';

const page = (name: string) => readFile(new URL(`../../docs/${name}.md`, import.meta.url), 'utf8');
const source = (name: string) => readFile(new URL(`../../${name}`, import.meta.url), 'utf8');

/** The blocks of a page that are in a language. */
const blocksOf = (text: string, language: string): string[] =>
  [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map(([, block = '']) => block);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fedanchor-pages-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('docs/agent.md', () => {
  it('shows a policy that is one', async () => {
    const [policy = '', coordinators = ''] = blocksOf(await page('agent'), 'toml');
    const file = join(folder, 'policy.toml');
    await writeFile(file, `${policy}\n${coordinators}`);
    expect(await readPolicy(file)).toMatchObject({
      ...{ everyS: 60, state: join(folder, 'agent-state'), work: { maxJobs: 1 } },
      coordinators: [{ url: 'https://federation.example' }],
    });
  });

  it('names every reason, and no other', async () => {
    const text = await page('agent');
    const decide = await source('client/agent/decide.ts');
    const known = [...decide.slice(0, decide.indexOf('export type Decision')).matchAll(/^ {2}'([a-z-]+)',$/gm)];
    expect(known.length).toBeGreaterThan(15);
    for (const [, code = ''] of known) expect(text).toContain(`\`${code}\``);
  });
});

describe('docs/jobs.md', () => {
  it('names every finding', async () => {
    const text = await page('jobs');
    const codes = [...(await source('coordinator/author/finding.ts')).matchAll(/^ {2}\| '([a-z/-]+)'/gm)];
    expect(codes.length).toBeGreaterThan(20);
    for (const [, code = ''] of codes) expect(text).toContain(`\`${code}\``);
  });

  it('publishes data by lines that a job takes', async () => {
    const rows = join(folder, 'rows.csv');
    await writeFile(rows, 'age,income,balance,visits,risk\n31,51000,1100,1,low\n');
    const verb = (...words: string[]) =>
      runCommand((program) => registerAuthorCommands(program, taskWorkbench), ['job', ...words]);
    await verb('init', '--template', 'tabular', '--out', join(folder, 'job'));
    const file = join(folder, 'job', 'job.toml');
    const lines = await verb('data', rows, '--shards', '4');
    const text = await readFile(file, 'utf8');
    await writeFile(file, text.replace('\n[aggregation.rule]', `\n${lines}\n[aggregation.rule]`));
    expect(await checkJob(file, taskWorkbench)).toMatchObject({ isSound: true, findings: [] });
    await writeFile(file, (await readFile(file, 'utf8')).replace('shards = 4', 'shards = 0'));
    expect((await checkJob(file, taskWorkbench)).findings).toMatchObject([
      { code: 'task/invalid', field: 'task.data.source.shards' },
    ]);
  });
});
