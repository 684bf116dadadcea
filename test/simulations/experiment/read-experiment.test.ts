import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseDataSpec } from '../../../simulations/data/data-spec.ts';
import { makeSyntheticDataset } from '../../../simulations/data/synthetic-dataset.ts';
import { filterRuns } from '../../../simulations/experiment/filter.ts';
import { impossibleRuns } from '../../../simulations/experiment/impossible.ts';
import { writeNewExperiment } from '../../../simulations/experiment/new-experiment.ts';
import { readExperiment } from '../../../simulations/experiment/read-experiment.ts';
import { hashOf, runId } from '../../../simulations/experiment/run-id.ts';
import { exampleToml, readText, testFolder } from './example.ts';

const refused = (...parts: string[]) =>
  expect.objectContaining({
    code: 'config/invalid',
    message: expect.stringMatching(new RegExp(parts.join('.*'), 's')),
  });

describe('an experiment', () => {
  it('is a run for every combination, the seed changing fastest', async () => {
    const { runs } = await readText(
      exampleToml(['f = 2', 'f = [1, 2]'], ['"dirichlet:alpha=1"', '["iid", "shards:3"]']),
    );
    expect(runs).toHaveLength(2 * 2 * 2 * 2 * 2);
    expect(runs.slice(0, 3).map(({ cell }) => cell)).toEqual([
      { rule: 'Average', attack: 'none', f: 1, n: 7, partition: 'iid', seed: 0 },
      { rule: 'Average', attack: 'none', f: 1, n: 7, partition: 'iid', seed: 1 },
      { rule: 'Average', attack: 'SignFlipping', f: 1, n: 7, partition: 'iid', seed: 0 },
    ]);
    expect(runs.at(-1)?.cell).toMatchObject({ rule: 'Median', f: 2, n: 8, partition: 'shards:shards=3', seed: 1 });
    expect(new Set(runs.map(({ id }) => id)).size).toBe(runs.length);
    for (const { id, spec } of runs) expect(id).toBe(runId(spec));
  });

  it('takes the number of all clients in place of the honest', async () => {
    const { runs } = await readText(exampleToml(['honest = 6\n', ''], ['f = 2', 'f = 2\nn = [8, 12]']));
    expect([...new Set(runs.map(({ cell, spec }) => `${cell.n}:${spec.honest}`))]).toEqual(['8:6', '12:10']);
  });

  it('gives a rule that withstands none no f, and as many attackers', async () => {
    const { runs } = await readText(exampleToml());
    for (const { spec, cell } of runs) {
      expect([cell.f, spec.byzantine, spec.rule.f]).toEqual([2, 2, cell.rule === 'Average' ? 0 : 2]);
    }
  });

  it('puts pre-aggregators in front, with parameters of both', async () => {
    const { runs } = await readText(
      exampleToml(['["Average", "Median"]', '"GeometricMedian:nu=0.5"\npre = ["none", "Clipping+NNM:Clipping.c=2"]']),
    );
    expect([...new Set(runs.map(({ cell }) => cell.rule))]).toEqual([
      'GeometricMedian:nu=0.5',
      'Clipping+NNM+GeometricMedian:Clipping.c=2,nu=0.5',
    ]);
    expect(runs.at(-1)?.spec.rule).toMatchObject({ pre: ['Clipping', 'NNM'], params: { c: 2, nu: 0.5 } });
  });

  it('states the server step in the units of manifests', async () => {
    const { runs } = await readText(
      exampleToml(['learningRate = 0.1', 'step = "FedAvgM"\nlearningRate = 0.1\nmomentum = 0.9']),
    );
    expect(runs[0]?.spec.server).toEqual({ name: 'FedAvgM', learningRate: 6554, momentum: 58982 });
  });

  it('has one hash whatever the order in its file, and another for any other setting', async () => {
    const reordered = exampleToml(['honest = 6\nrounds = 4', 'rounds = 4\nhonest = 6']);
    const { hash } = await readText(exampleToml());
    expect((await readText(reordered)).hash).toBe(hash);
    expect((await readText(exampleToml(['rounds = 4', 'rounds = 5']))).hash).not.toBe(hash);
  });

  it('has the content of own files in its hash', async () => {
    const folder = await testFolder();
    const own = join(folder, 'mine.mjs');
    const file = join(folder, 'e.toml');
    const code =
      "export default { name: 'Mine', kind: 'update', looksAt: 'honest', summary: 's', source: 'o', aliases: [], parameters: [], forge: ({ honest }) => [honest[0]] }";
    await writeFile(own, code);
    await writeFile(file, exampleToml(['["none", "SignFlipping"]', '"./mine.mjs"']));
    const before = await readExperiment(file);
    expect(Object.keys(before.ownFiles)).toEqual(['./mine.mjs']);
    await writeFile(own, `${code}\n`);
    expect((await readExperiment(file)).hash).not.toBe(before.hash);
  });

  it.each([
    ['a section', ['[federation]', '[federaton]'], ['federaton', 'did you mean "federation"']],
    ['a field', ['rounds = 4', 'round = 4'], ['federation.round"', 'did you mean "rounds"']],
    ['a rule', ['"Median"', '"Mediann"'], ['grid.rule', 'Mediann', 'did you mean "Median"']],
    ['an attack', ['"SignFlipping"', '"SignFliping"'], ['grid.attack', 'did you mean "SignFlipping"']],
    ['an attack’s parameter', ['"SignFlipping"', '"ALIE:tua=1"'], ['grid.attack', 'tua', 'it takes tau']],
    ['a partition', ['dirichlet:', 'dirichlt:'], ['grid.partition', 'did you mean "dirichlet"']],
    ['data', ['"synthetic"', '"sinthetic"'], ['data.name', 'did you mean "synthetic"']],
    ['an option of data', ['devices', 'device'], ['data.device', 'did you mean "devices"']],
    ['a model', ['"softmax"', '"sofmax"'], ['model.name', 'did you mean "softmax"']],
    ['f in a rule', ['"Median"', '"Median:f=2"'], ['grid.rule', 'grid.f']],
    ['a value twice', ['"Median"', '"mean"'], ['grid', 'twice']],
    ['no number of clients', ['honest = 6\n', ''], ['federation.honest', 'grid.n']],
    ['steps for gradients', ['batch = 5', 'batch = 5\nsteps = 3'], ['training.steps', 'leave it out']],
    ['local training without steps', ['"gradient"', '"local"'], ['training.learningRate', 'training.steps']],
    [
      'a network that never closes',
      ['[server]', '[network]\nsecondsPerExample = 1\ndownBytesPerSecond = 1\nupBytesPerSecond = 1\n[server]'],
      ['network.synchronous', 'network.buffered'],
    ],
    ['momentum for a step without', ['learningRate = 0.1', 'momentum = 0.1'], ['server.momentum', 'leave it out']],
    [
      'a distribution that is none',
      ['[server]', '[network]\nsecondsPerExample = { kind = "normal" }\n[server]'],
      ['network.secondsPerExample', 'lognormal'],
    ],
  ] as const)('refuses %s, naming the field', async (_what, edit, parts) => {
    await expect(readText(exampleToml(edit as unknown as [string, string]))).rejects.toThrow(
      refused(...parts) as Error,
    );
  });

  it('tells of everything that is wrong, at once', async () => {
    const wrong = exampleToml(['"Median"', '"Medain"'], ['"SignFlipping"', '"Sign"'], ['"softmax"', '"x"']);
    await expect(readText(wrong)).rejects.toThrow(refused('model.name', 'grid.rule', 'grid.attack') as Error);
  });

  it('names the line of a syntax error', async () => {
    await expect(readText('name = "a"\nseeds = [0,,]\n')).rejects.toThrow(
      expect.objectContaining({ code: 'config/syntax', message: expect.stringContaining('line 2') }) as Error,
    );
  });

  it('begins from the file that "new" writes', async () => {
    const file = await writeNewExperiment(join(await testFolder(), 'first'));
    const { name, runs } = await readExperiment(file);
    expect([name, runs.length]).toEqual(['first', 27]);
    await expect(writeNewExperiment(file.replace('.toml', ''))).rejects.toMatchObject({ code: 'config/exists' });
  });
});

describe('ids', () => {
  it('do not depend on the order of members, and on every value', () => {
    const value = fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.integer(), fc.boolean()), { minKeys: 1 });
    fc.assert(
      fc.property(value, (one) => {
        const reversed = Object.fromEntries(Object.entries(one).reverse());
        expect(hashOf(reversed)).toBe(hashOf(one));
        expect(hashOf({ ...one, [Object.keys(one)[0] as string]: null })).not.toBe(hashOf(one));
      }),
    );
  });
});

describe('what cannot be', () => {
  const impossible = async (...edits: [string, string][]) => {
    const { runs } = await readText(exampleToml(...edits));
    const spec = parseDataSpec({ ...(runs[0]?.spec.data as { name: string }) });
    const dataset = makeSyntheticDataset(spec as Parameters<typeof makeSyntheticDataset>[0]);
    return impossibleRuns(runs, dataset, '.');
  };

  it('is nothing of the example', async () => {
    expect(await impossible()).toEqual([]);
  });

  it.each([
    ['f beyond the rule', ['f = 2', 'f = [2, 6]'], 2 * 2, /Median bears at most/],
    ['an attack of nobody', ['f = 2', 'f = 0'], 2 * 2, /nobody mounts SignFlipping/],
    ['more shards than examples', ['"dirichlet:alpha=1"', '"shards:100000"'], 8, /shards/],
    [
      'more sampled than there are',
      ['rounds = 4', 'rounds = 4\nsampled = 9'],
      8,
      /federation.sampled is 9, of 8 clients/,
    ],
    ['nobody honest', ['honest = 6\nrounds = 4', 'byzantine = 8\nrounds = 4'], 8, /none is honest/],
    [
      'a quorum beyond the sample',
      [
        '[server]',
        '[network]\nsecondsPerExample = 1\ndownBytesPerSecond = 1\nupBytesPerSecond = 1\n[network.synchronous]\nquorum = 9\ndeadlineSeconds = 1\n[server]',
      ],
      8,
      /quorum is 9/,
    ],
    [
      'a rule below its bound at the quorum',
      [
        '[server]',
        '[network]\nsecondsPerExample = 1\ndownBytesPerSecond = 1\nupBytesPerSecond = 1\n[network.synchronous]\nquorum = 4\ndeadlineSeconds = 1\n[server]',
      ],
      4,
      /among n = 4/,
    ],
  ] as const)('is told of every run: %s', async (what, edit, count, reason) => {
    const more: [string, string][] = what === 'nobody honest' ? [['f = 2', 'f = 2\nn = 8']] : [];
    const found = await impossible(edit as unknown as [string, string], ...more);
    expect(found).toHaveLength(count);
    for (const { reasons } of found) expect(reasons.join('\n')).toMatch(reason);
  });
});

describe('a filter', () => {
  it('takes runs that have all of it, whatever the letters and the settings of a value', async () => {
    const { runs } = await readText(exampleToml(['"SignFlipping"', '"Gaussian", "ALIE:tau=1.5"']));
    expect(filterRuns(runs, 'rule=median,attack=ALIE:tau=1.5').map(({ cell }) => cell.seed)).toEqual([0, 1]);
    expect(filterRuns(runs, 'attack=none,attack=Gaussian,seed=1,rule=Average')).toHaveLength(2);
    expect(filterRuns(runs, `id=${runs[3]?.id}`)).toEqual([runs[3]]);
  });

  it.each([
    ['rul=Median', 'did you mean "rule"'],
    ['rule=Medan', 'did you mean "Median"'],
    ['seed=7', 'no run has seed=7'],
  ])('refuses %s', async (filter, part) => {
    const { runs } = await readText(exampleToml());
    expect(() => filterRuns(runs, filter)).toThrow(
      expect.objectContaining({ code: 'experiment/unknown-filter', message: expect.stringContaining(part) }) as Error,
    );
  });
});
