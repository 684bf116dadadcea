import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { PRE_AGGREGATORS, RULES } from '../../../shared/aggregation/registry.ts';
import { decodeSafetensors, encodeSafetensors } from '../../../shared/safetensors.ts';
import { registerAggregateCommands } from '../../../simulations/aggregate/cli.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fedanchor-aggregate-'));
});
afterAll(() => rm(folder, { recursive: true }));

const place = (name: string): string => join(folder, name);

async function run(...args: string[]): Promise<string> {
  const program = new Command().exitOverride().configureOutput({ writeErr: () => {} });
  registerAggregateCommands(program);
  for (const command of program.commands) command.exitOverride().configureOutput({ writeErr: () => {} });
  const written = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  try {
    await program.parseAsync(['node', 'fedanchor', ...args]);
    return written.mock.calls.map(([text]) => String(text)).join('');
  } finally {
    written.mockRestore();
  }
}

async function json(name: string, value: unknown): Promise<string> {
  await writeFile(place(name), JSON.stringify(value));
  return place(name);
}

const rows = [
  [1, 2, 3],
  [4, 5, 6],
  [7, 8, 9],
  [-900, 900, 0],
];

describe('fedanchor aggregate', () => {
  it('reads JSON and writes output, weights and step', async () => {
    const input = await json('in.json', { input: rows, note: 'ignored' });
    const said = await run(
      'aggregate',
      '--rule',
      'trimmed-mean',
      '--f',
      '1',
      '--input',
      input,
      '--output',
      place('out.json'),
    );
    expect(JSON.parse(await readFile(place('out.json'), 'utf8'))).toEqual({
      output: [2.5, 6.5, 4.5],
      weights: null,
      step: 0.125,
    });
    expect(said).toContain('TrMean, f = 1: 4 updates of 3 coordinates, in steps of 0.125');
  });

  it('reads one tensor [n, d], and n tensors, and writes a tensor', async () => {
    const flat = Float32Array.from(rows.flat());
    await writeFile(place('one.safetensors'), encodeSafetensors([{ name: 'updates', shape: [4, 3], values: flat }]));
    const many = rows.map((row, i) => ({ name: `client-${i}`, shape: [3], values: Float32Array.from(row) }));
    await writeFile(place('many.safetensors'), encodeSafetensors(many));
    const outputs: unknown[] = [];
    for (const name of ['one', 'many']) {
      const output = place(`${name}-out.safetensors`);
      await run('aggregate', '--rule', 'Krum', '--input', place(`${name}.safetensors`), '--output', output);
      const [tensor] = decodeSafetensors(await readFile(output));
      expect(tensor).toMatchObject({ name: 'output', shape: [3] });
      outputs.push([...(tensor?.values ?? [])]);
    }
    expect(outputs).toEqual([
      [4, 5, 6],
      [4, 5, 6],
    ]);
  });

  it('takes pre-aggregators, parameters by their owner, a scale, a reference, and tells as JSON', async () => {
    const input = await json('in.json', { input: rows });
    const beside = await json('beside.json', { input: [[1, 1, 1]] });
    const said = await run(
      ...['aggregate', '--rule', 'FLTrust', '--pre', 'Clipping,NNM', '--f', '1', '--param', 'Clipping.c=10'],
      ...['--input', input, '--output', place('out.json'), '--update-bits', 'round', '--reference', beside, '--json'],
    );
    const told = JSON.parse(said);
    expect(told).toMatchObject({
      spec: { rule: 'FLTrust', pre: ['Clipping', 'NNM'], f: 1, params: { c: 10, root: 0 } },
      n: 4,
      d: 3,
      saturated: 2,
      names: null,
    });
    expect(told.weights).toHaveLength(4);
    const written = JSON.parse(await readFile(place('out.json'), 'utf8'));
    expect(written.weights).toEqual(told.weights);
    expect(written.step).toBe(told.step);
  });

  it('draws buckets by the seed it is given', async () => {
    const input = await json('in.json', { input: Array.from({ length: 12 }, (_, i) => [2 ** i, i]) });
    const outputs = new Set<string>();
    for (const seed of ['1', '2', '1']) {
      const args = ['--rule', 'Median', '--pre', 'Bucketing', '--param', 's=4', '--seed', seed];
      await run('aggregate', ...args, '--input', input, '--output', place('out.json'));
      outputs.add(await readFile(place('out.json'), 'utf8'));
    }
    expect(outputs.size).toBe(2);
  });

  it.each([
    ['no such rule', ['--rule', 'Medain'], 'rule/unknown'],
    ['no such pre-aggregator', ['--rule', 'Median', '--pre', 'NMN'], 'rule/unknown'],
    ['no such parameter', ['--rule', 'Median', '--param', 'nu=1'], 'rule/unknown-parameter'],
    ['too many faulty', ['--rule', 'Median', '--f', '2'], 'rule/too-many-faulty'],
    ['bits out of range', ['--rule', 'Median', '--update-bits', '999'], 'aggregation/bad-update-bits'],
    ['bits that are none', ['--rule', 'Median', '--update-bits', 'fine'], 'commander.invalidArgument'],
    ['a setting without a value', ['--rule', 'Median', '--param', 'nu'], 'commander.invalidArgument'],
    ['a setting twice', ['--rule', 'GM', '--param', 'nu=1', '--param', 'nu=2'], 'commander.invalidArgument'],
  ])('refuses %s', async (_, args, code) => {
    const input = await json('in.json', { input: rows });
    const refusal = expect.objectContaining({ code });
    await expect(run('aggregate', ...args, '--input', input, '--output', place('no.json'))).rejects.toThrow(refusal);
    await expect(readFile(place('no.json'))).rejects.toThrow('ENOENT');
  });

  it.each([
    ['absent.json', null, 'aggregate/unreadable'],
    ['in.csv', '1,2', 'aggregate/unknown-format'],
    ['broken.json', '{', 'aggregate/bad-input'],
    ['else.json', '{"inputs":[[1]]}', 'aggregate/bad-input'],
    ['null.json', 'null', 'aggregate/bad-input'],
    ['flat.json', '{"input":[1,2]}', 'aggregate/bad-input'],
    ['words.json', '{"input":[[1,"NaN"]]}', 'aggregate/bad-input'],
    ['huge.json', '{"input":[[1,1e999]]}', 'aggregation/non-finite'],
    ['uneven.json', '{"input":[[1],[1,2]]}', 'aggregation/mixed-lengths'],
    ['empty.json', '{"input":[]}', 'aggregation/empty'],
    ['cut.safetensors', 'x', 'safetensors/invalid'],
  ])('refuses %s', async (name, content, code) => {
    if (content !== null) await writeFile(place(name), content);
    const args = ['--rule', 'Median', '--input', place(name), '--output', place('no.json')];
    await expect(run('aggregate', ...args)).rejects.toThrow(expect.objectContaining({ code }));
  });

  it('refuses an output it cannot write, and one of no known format before it reads anything', async () => {
    const input = await json('in.json', { input: rows });
    const to = (output: string) => run('aggregate', '--rule', 'Median', '--input', input, '--output', output);
    await expect(to(join(folder, 'absent', 'out.json'))).rejects.toThrow(
      expect.objectContaining({ code: 'aggregate/unwritable' }),
    );
    await expect(to(place('out.npy'))).rejects.toThrow(
      expect.objectContaining({
        code: 'aggregate/unknown-format',
        data: expect.objectContaining({ option: '--output' }),
      }),
    );
    await expect(
      run('aggregate', '--rule', 'Median', '--input', place('zero.safetensors'), '--output', place('o.json')),
    ).rejects.toThrow(expect.objectContaining({ code: 'aggregate/unreadable' }));
    await writeFile(
      place('zero.safetensors'),
      encodeSafetensors([{ name: 'updates', shape: [0, 3], values: new Float32Array(0) }]),
    );
    await expect(
      run('aggregate', '--rule', 'Median', '--input', place('zero.safetensors'), '--output', place('o.json')),
    ).rejects.toThrow(expect.objectContaining({ code: 'aggregate/bad-input' }));
  });
});

describe('fedanchor rules', () => {
  it('lists every rule with bound, guarantee and parameters, as text and as JSON', async () => {
    const text = await run('rules');
    const entries = JSON.parse(await run('rules', '--json')) as { name: string; parameters: { name: string }[] }[];
    expect(entries.map(({ name }) => name)).toEqual([...RULES, ...PRE_AGGREGATORS].map(({ name }) => name));
    for (const { name, bound, summary, parameters } of [...RULES, ...PRE_AGGREGATORS]) {
      expect(text).toContain(`  ${name}`);
      expect(text).toContain(summary);
      expect(text).toContain(bound);
      for (const parameter of parameters) expect(text).toContain(`${parameter.name} = ${parameter.default}: `);
    }
    expect(entries.find(({ name }) => name === 'GeometricMedian')).toMatchObject({
      family: 'gram',
      bound: '2f < n',
      parameters: [{ name: 'nu', default: 0.1, takes: 'a positive number' }, { name: 'T' }, { name: 'tolerance' }],
    });
  });
});
