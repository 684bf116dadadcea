import { appendFile, readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Experiment } from '../../../simulations/experiment/experiment.ts';
import { openExperimentFolder } from '../../../simulations/experiment/results/experiment-folder.ts';
import { JOURNAL_FILE, openResults, RESULTS_FILE } from '../../../simulations/experiment/results/results-store.ts';
import { mountSmallDisk } from '../../coordinator/stores/full-disk.ts';
import { exampleToml, readText, someResult, testFolder } from './example.ts';

async function keepSome(folder: string, experiment: Experiment, positions: readonly number[]): Promise<void> {
  const store = await openResults(folder, experiment);
  for (const at of positions) {
    const run = experiment.runs[at] as Experiment['runs'][number];
    await store.keep(run, someResult(run, at / 10));
  }
  await store.close();
}

async function finish(folder: string, experiment: Experiment): Promise<string> {
  const store = await openResults(folder, experiment);
  await store.finish();
  await store.close();
  return readFile(join(folder, RESULTS_FILE), 'utf8');
}

describe('results', () => {
  it('are the same bytes in whatever order runs end, and wherever a process was killed', async () => {
    const experiment = await readText(exampleToml());
    const positions = experiment.runs.map((_, at) => at);
    const whole = await testFolder();
    await keepSome(whole, experiment, positions);
    const expected = await finish(whole, experiment);
    expect(
      expected
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line).id),
    ).toEqual(experiment.runs.map(({ id }) => id));
    const order = fc.shuffledSubarray(positions, { minLength: positions.length });
    await fc.assert(
      fc.asyncProperty(order, fc.nat(), async (shuffled, cut) => {
        const folder = await testFolder();
        await keepSome(folder, experiment, shuffled);
        const journal = join(folder, JOURNAL_FILE);
        const content = await readFile(journal);
        // The process is killed in the middle of a write.
        await truncate(journal, cut % (content.length + 1));
        const store = await openResults(folder, experiment);
        const kept = new Set(store.done.keys());
        await store.close();
        const wholeLines =
          content
            .subarray(0, cut % (content.length + 1))
            .toString()
            .split('\n').length - 1;
        expect(kept.size).toBe(wholeLines);
        const left = positions.filter((at) => !kept.has(experiment.runs[at]?.id as string));
        await keepSome(folder, experiment, left);
        expect(await finish(folder, experiment)).toBe(expected);
      }),
      { numRuns: 12 },
    );
  });

  it.each([
    ['a line that is no result', 'nonsense\n'],
    ['a run of another experiment', undefined],
  ])('refuse %s', async (_what, line) => {
    const experiment = await readText(exampleToml());
    const folder = await testFolder();
    await keepSome(folder, experiment, [0]);
    const other = await readText(exampleToml(['rounds = 4', 'rounds = 5']));
    if (line !== undefined) await appendFile(join(folder, JOURNAL_FILE), line);
    await expect(openResults(folder, line === undefined ? other : experiment)).rejects.toMatchObject({
      code: 'experiment/damaged',
    });
  });

  it('stay whole when the disk is full, and are gone on with when there is room', async () => {
    const disk = mountSmallDisk(128 * 1024);
    if (disk === undefined) {
      process.stderr.write('skipped: a small disk needs Linux and root\n');
      return;
    }
    onTestFinished(() => disk.remove());
    const experiment = await readText(exampleToml());
    const store = await openResults(disk.folder, experiment);
    const [first, second] = experiment.runs as [Experiment['runs'][number], Experiment['runs'][number]];
    await store.keep(first, someResult(first, 0));
    await disk.fill(0);
    const long = { ...someResult(second, 0.1), earnedByClient: Array.from({ length: 5000 }, () => '1') };
    await expect(store.keep(second, long)).rejects.toMatchObject({ code: 'experiment/cannot-write' });
    await expect(store.finish()).rejects.toMatchObject({ code: 'experiment/cannot-write' });
    await store.close();
    await disk.relieve();
    expect(await readdir(disk.folder)).toEqual([JOURNAL_FILE]);
    const again = await openResults(disk.folder, experiment);
    expect([...again.done.keys()]).toEqual([first.id]);
    await again.keep(second, long);
    await again.finish();
    await again.close();
    expect((await readFile(join(disk.folder, RESULTS_FILE), 'utf8')).split('\n')).toHaveLength(3);
  });
});

describe('a folder of results', () => {
  const facts = async (...edits: [string, string][]) => ({
    ...{ experiment: await readText(exampleToml(...edits)), dataHash: '0xaa', program: '1-a', file: 'e.toml' },
  });

  it('is one process’s own, and is given back', async () => {
    const path = await testFolder();
    const mine = await openExperimentFolder(path, await facts(), false);
    await writeFile(join(path, 'lock'), `1 ${(await import('node:os')).hostname()}\n`);
    await expect(openExperimentFolder(path, await facts(), true)).rejects.toMatchObject({
      code: 'experiment/folder-in-use',
    });
    await mine.close();
    expect(await readdir(path)).toEqual(['experiment.json']);
  });

  it('goes to whoever comes after a process that was killed', async () => {
    const path = await testFolder();
    await (await openExperimentFolder(path, await facts(), false)).close();
    await writeFile(join(path, 'lock'), `4194304999 ${(await import('node:os')).hostname()}\n`);
    await (await openExperimentFolder(path, await facts(), true)).close();
  });

  it('is not begun where something is', async () => {
    const path = await testFolder();
    await writeFile(join(path, 'thesis.tex'), '');
    await expect(openExperimentFolder(path, await facts(), false)).rejects.toMatchObject({ code: 'experiment/exists' });
  });

  it.each([
    ['a setting', ['rounds = 4', 'rounds = 5'], 'rounds was 4 and is 5'],
    ['an axis', ['"Median"', '"Krum"'], 'grid.rule was Average, Median and is Average, Krum'],
    ['seeds', ['[0, 1]', '[0, 1, 2]'], 'seeds was 0, 1 and is 0, 1, 2'],
  ] as const)('says what changed: %s', async (_what, edit, part) => {
    const path = await testFolder();
    await (await openExperimentFolder(path, await facts(), false)).close();
    await expect(openExperimentFolder(path, await facts(edit as unknown as [string, string]), true)).rejects.toThrow(
      expect.objectContaining({ code: 'experiment/changed', message: expect.stringContaining(part) }) as Error,
    );
  });

  it('tells other data and another program apart', async () => {
    const path = await testFolder();
    const before = await facts();
    await (await openExperimentFolder(path, before, false)).close();
    await expect(openExperimentFolder(path, { ...before, dataHash: '0xbb' }, true)).rejects.toMatchObject({
      code: 'experiment/changed',
    });
    await expect(openExperimentFolder(path, { ...before, program: '1-b' }, true)).rejects.toMatchObject({
      code: 'experiment/other-program',
    });
  });
});
