import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createRng } from '../../../shared/rng.ts';
import { describePartitions, listPartitions } from '../../../simulations/partitions/describe-partitions.ts';
import { parsePartition, resolvePartition } from '../../../simulations/partitions/registry.ts';

const folder = mkdtempSync(join(tmpdir(), 'partitions-'));
const TASK = { labels: Int32Array.of(0, 1, 0, 1), classes: 2, clients: 2 };

async function own(body: string): Promise<Int32Array[]> {
  const name = `p${Math.floor(createRng(body.length, body).nextFloat() * 1e9)}.mjs`;
  writeFileSync(join(folder, name), `export default { name: 'Own', cut: (task, params, rng) => ${body} };`);
  const { partition, params } = await resolvePartition({ name: `./${name}`, params: {} }, folder);
  return partition.cut(TASK, params, createRng(1));
}

describe('partitions by name', () => {
  it.each([
    ['iid', 'iid', {}],
    ['dirichlet:alpha=0.5', 'dirichlet', { alpha: 0.5, by: 'class' }],
    ['gamma:0.33', 'gamma', { gamma: 0.33 }],
    ['gamma_similarity_niid', 'gamma', { gamma: 0.5 }],
    ['shards', 'shards', { shards: 2 }],
    ['LDA:0.3', 'dirichlet', { alpha: 0.3, by: 'class' }],
  ])('%s', (text, name, params) => {
    const chosen = parsePartition(text);
    expect([chosen.partition.name, chosen.params]).toEqual([name, params]);
  });

  it.each([
    ['dirichlett', 'partition/unknown', 'did you mean "dirichlet"?'],
    ['dirichlet:beta=1', 'partition/unknown-parameter', 'it takes alpha, by'],
    ['dirichlet:0', 'partition/bad-parameter', 'a positive number'],
    ['shards:1.5', 'partition/bad-parameter', 'an integer from 1'],
  ])('refuses %s', (text, code, message) => {
    expect(() => parsePartition(text)).toThrow(expect.objectContaining({ code }));
    expect(() => parsePartition(text)).toThrow(message);
  });

  it('are listed with their parameters', () => {
    const text = describePartitions(listPartitions());
    for (const { name, parameters } of listPartitions()) {
      expect(text).toContain(`\n  ${name} `);
      for (const parameter of parameters) expect(text).toContain(`${parameter.name} = ${parameter.default}: `);
    }
  });
});

describe('a partition from a file', () => {
  it('cuts', async () => {
    expect(await own('[Int32Array.of(0, 3), Int32Array.of(1)]')).toEqual([Int32Array.of(0, 3), Int32Array.of(1)]);
  });

  it.each([
    ['[Int32Array.of(0)]', 'did not return 2 parts'],
    ['[Int32Array.of(0), [1]]', 'returned no Int32Array for client 1'],
    ['[Int32Array.of(0), new Int32Array(0)]', 'left client 1 without examples'],
    ['[Int32Array.of(0, 4), Int32Array.of(1)]', 'gave client 0 example 4 of 4'],
    ['[Int32Array.of(2, 1), Int32Array.of(0)]', 'gave client 0 examples that do not ascend'],
    ['[Int32Array.of(0, 1), Int32Array.of(1)]', 'gave example 1 to two clients'],
  ])('is held to what partitions promise: %s', async (body, message) => {
    const refusal = own(body);
    await expect(refusal).rejects.toMatchObject({ code: 'partition/bad-cut' });
    await expect(refusal).rejects.toThrow(message);
  });

  it('must have a function', async () => {
    writeFileSync(join(folder, 'none.mjs'), `export default { name: 'None' };`);
    const refusal = resolvePartition({ name: './none.mjs', params: {} }, folder);
    await expect(refusal).rejects.toMatchObject({ code: 'partition/bad-file' });
    await expect(refusal).rejects.toThrow('has no function "cut"');
  });
});
