import { readFileSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import type { Experiment } from '../../simulations/experiment/experiment.ts';
import { DEFAULT_QUEUE } from '../../simulations/experiment/redis/names.ts';
import { createQueueRunner } from '../../simulations/experiment/redis/queue-runner.ts';
import { readRedisAddress } from '../../simulations/experiment/redis/redis-address.ts';
import { exampleToml, readText, testFolder } from '../simulations/experiment/example.ts';
import { noRedis, startRedis } from '../simulations/experiment/redis-server.ts';
import { run, start } from './fedanchor-process.ts';

const PASSWORD = 'kein-wort-davon';
const reason = noRedis();
if (reason !== undefined) process.stderr.write(reason);

/** Rows of two classes that a line parts; another seed gives other rows. */
function rows(seed: number): string {
  const lines = Array.from({ length: 120 }, (_, at) => {
    const [x, y] = [((at * 37 + seed) % 101) / 101, ((at * 53) % 97) / 97];
    return `${x.toFixed(4)},${y.toFixed(4)},${x > y ? 1 : 0}`;
  });
  return `x,y,label\n${lines.join('\n')}\n`;
}

const DATA: [string, string] = [
  'name = "synthetic"\ndevices = 6\nmost = 60\nfeatures = 8\nclasses = 3',
  'name = "csv"\npath = "rows.csv"\nlabel = "label"',
];
/** Long enough that a worker can be killed within a run. */
const LONG: [string, string] = ['rounds = 4', 'rounds = 400'];

const said: string[] = [];

const worker = (base: string, url: string) => {
  process.env['FEDANCHOR_REDIS_URL'] = url;
  return start(['simulate', 'worker', '--base', base, '--concurrency', '1', '--lock', '2']);
};

it.skipIf(reason !== undefined)(
  'a worker that is killed loses nothing; one with other data or of another version refuses; no password is told',
  async () => {
    const { url } = await startRedis(PASSWORD);
    const folder = await testFolder();
    const other = join(folder, 'other');
    await mkdir(other);
    await writeFile(join(folder, 'rows.csv'), rows(1));
    await writeFile(join(other, 'rows.csv'), rows(2));
    const file = join(folder, 'e.toml');
    await writeFile(file, exampleToml(DATA, LONG, ['"dirichlet:alpha=1"', '"iid"']));
    const out = join(folder, 'out');
    const local = await run(['simulate', file, '--out', join(folder, 'local')]);
    expect(local.code).toBe(0);

    const wrong = worker(other, url);
    const begun = start(['simulate', file, '--out', out, '--redis']);
    const refused = await wrong.finished;
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('[experiment/refused]')]);
    await begun.seen('[experiment/refused]');

    const killed = worker(folder, url);
    await killed.seen('finished');
    // It has the next run by now, or is about to take it.
    expect(readFileSync(`/proc/${killed.child.pid}/cmdline`, 'utf8')).not.toContain(PASSWORD);
    await new Promise((resolve) => killed.child.once('progress', resolve));
    killed.child.kill('SIGKILL');
    await killed.finished;
    const second = worker(folder, url);
    const ended = await begun.finished;
    expect([ended.code, ended.stderr]).toEqual([0, '']);
    const results = await readFile(join(out, 'results.ndjson'), 'utf8');
    expect(results).toBe(await readFile(join(folder, 'local', 'results.ndjson'), 'utf8'));

    // A run for another version of the program.
    const experiment = await readText(exampleToml());
    const runner = await createQueueRunner({
      ...{ address: readRedisAddress(true, { FEDANCHOR_REDIS_URL: url }), queueName: DEFAULT_QUEUE, experiment },
      ...{ dataHash: '0xaa', program: '9.9.9-another', say: (text) => said.push(text) },
    });
    const never = runner.run(experiment.runs[0] as Experiment['runs'][number]).catch((error: Error) => error);
    const last = await second.finished;
    expect([last.code, last.stderr]).toEqual([2, expect.stringContaining('[experiment/other-program]')]);
    // What a worker says comes by way of the queue.
    await vi.waitFor(() => expect(said.join()).toContain('[experiment/other-program]'), { timeout: 60_000 });
    await runner.close();
    expect(await never).toMatchObject({ code: 'experiment/interrupted' });
    for (const { stdout, stderr } of [refused, await killed.finished, last, ended]) {
      expect(stdout + stderr).not.toContain(PASSWORD);
    }
  },
);
