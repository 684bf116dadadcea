import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ALPHABET_SIZE, decodeSymbols } from '../../../client/data/alphabet.ts';
import { openCorpus } from '../../../client/data/text-corpus.ts';
import { createRng } from '../../../shared/rng.ts';
import { makeFolder, makeText } from './temporary-folder.ts';

/** A text in which every 17 symbols occur once: numbers in sequence. */
const counting = Array.from({ length: 12_000 }, (_, index) => `${index};`).join('');

function windowsOf(inputs: Float32Array, labels: Int32Array, context: number): string[] {
  return Array.from(labels, (label, row) => {
    const symbols = Array.from({ length: context }, (_, at) => {
      const from = (row * context + at) * ALPHABET_SIZE;
      return inputs.subarray(from, from + ALPHABET_SIZE).indexOf(1);
    });
    return decodeSymbols([...symbols, label]);
  });
}

describe('openCorpus', () => {
  it('never trains on a held-out window', async () => {
    const corpus = await openCorpus([await makeFolder({ 'a.txt': counting })]);
    const held = new Set(corpus.heldOutWindows.map((window) => decodeSymbols(window)));
    expect(held.size).toBe(1_024);
    const batch = corpus.sample(createRng(1), 20_000);
    const drawn = windowsOf(batch.inputs, batch.labels, 16);
    expect(new Set(drawn).size).toBeGreaterThan(10_000);
    expect(drawn.filter((window) => held.has(window))).toEqual([]);
    for (const window of drawn.slice(0, 200)) expect(counting).toContain(window);
  });

  it('draws the same batch from the same stream', async () => {
    const corpus = await openCorpus([await makeFolder({ 'a.txt': makeText(1, 9_000) })], { contextLength: 5 });
    const first = corpus.sample(createRng(7), 32);
    expect(corpus.sample(createRng(7), 32)).toEqual(first);
    expect(corpus.sample(createRng(8), 32)).not.toEqual(first);
    expect(first.inputs.length).toBe(32 * 5 * ALPHABET_SIZE);
    expect(first.inputs.reduce((sum, value) => sum + value, 0)).toBe(32 * 5);
  });

  it('gives held-out examples in one order, whatever the slices', async () => {
    const corpus = await openCorpus([await makeFolder({ 'a.txt': makeText(2, 30_000) })], { heldOutSamples: 100 });
    const whole = corpus.heldOut(0, 100);
    const tail = corpus.heldOut(60, 40);
    expect([...whole.labels.slice(60)]).toEqual([...tail.labels]);
    expect(corpus.heldOutSamples).toBe(100);
  });

  it('commits to contents and paths but not to where the folder lies', async () => {
    const files = { 'b/x.txt': makeText(1, 3_000), 'a.md': makeText(2, 3_000) };
    const folder = await makeFolder(files);
    const { datasetCommitment } = await openCorpus([folder]);
    expect(datasetCommitment).toMatch(/^0x[0-9a-f]{64}$/);
    expect((await openCorpus([await makeFolder(files)])).datasetCommitment).toBe(datasetCommitment);
    await rename(join(folder, 'a.md'), join(folder, 'c.md'));
    expect((await openCorpus([folder])).datasetCommitment).not.toBe(datasetCommitment);
    const changed = { ...files, 'a.md': makeText(3, 3_000) };
    expect((await openCorpus([await makeFolder(changed)])).datasetCommitment).not.toBe(datasetCommitment);
  });

  it('reads a file that occurs twice only once', async () => {
    const text = makeText(1, 5_000);
    const corpus = await openCorpus([await makeFolder({ 'a.txt': text, 'copy.txt': text })]);
    expect(corpus.symbols).toBe(5_000);
    expect(corpus.files).toBe(1);
  });

  it('leaves out what is not UTF-8 text, links and nested packages', async () => {
    const corpus = await openCorpus([
      await makeFolder({
        'a.txt': makeText(1, 4_000),
        'picture.png': Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0, 1),
        'latin1.txt': Uint8Array.of(0xe9, 0x20, 0xe8),
        'node_modules/other/readme.md': makeText(5, 4_000),
      }),
    ]);
    expect(corpus.files).toBe(1);
  });

  it('takes only documentation where asked to, cut per file', async () => {
    const folder = await makeFolder({
      'a.md': makeText(1, 50_000),
      'b.d.ts': makeText(2, 9_000),
      'c.js': makeText(3, 9_000),
    });
    const corpus = await openCorpus([folder], { kind: 'documentation' });
    expect(corpus.files).toBe(2);
    expect(corpus.symbols).toBe(32_768 + 9_000);
  });

  it('finds the most frequent symbol of the training part', async () => {
    const corpus = await openCorpus([await makeFolder({ 'a.txt': `${'q'.repeat(30_000)}${makeText(1, 5_000)}` })]);
    expect(decodeSymbols([corpus.mostFrequentClass])).toBe('q');
  });

  it('names the folder whose text is too short', async () => {
    const folder = await makeFolder({ 'a.txt': 'short' });
    await expect(openCorpus([folder])).rejects.toMatchObject({
      code: 'data/too-little-text',
      message: expect.stringContaining(folder),
    });
    const enough = await makeFolder({ 'a.txt': makeText(1, 2_000) });
    expect((await openCorpus([enough])).heldOutSamples).toBeGreaterThan(100);
    await expect(openCorpus([enough], { contextLength: 400 })).rejects.toMatchObject({ code: 'data/too-little-text' });
  });

  it('names a missing folder and a wrong option', async () => {
    const missing = join(await makeFolder({}), 'gone');
    await expect(openCorpus([missing])).rejects.toMatchObject({ code: 'data/folder-missing' });
    await expect(openCorpus([missing], { contextLength: 0 })).rejects.toMatchObject({ code: 'data/bad-option' });
  });
});
