import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { classificationDataSchema } from '../../../client/data/classification-data.ts';
import { openLabelledRecords } from '../../../client/data/labelled-records.ts';
import { splitRecords } from '../../../client/data/split-records.ts';
import { createRng } from '../../../shared/rng.ts';
import { idxFiles, png, taskData } from './records.ts';
import { makeFolder } from './temporary-folder.ts';

const csv = { format: 'csv', inputShape: [2], classes: 3, label: 'c', features: ['a', 'b'] };
const table = (rows: readonly (readonly number[])[]): string =>
  ['a,b,c', ...rows.map((row) => row.join(','))].join('\n');

async function openTable(rows: readonly (readonly number[])[], changes: Readonly<Record<string, unknown>> = {}) {
  return openLabelledRecords([await makeFolder({ 'a.csv': table(rows) })], taskData({ ...csv, ...changes }));
}

const rows = Array.from({ length: 200 }, (_, at) => [at, at / 8, at % 5 === 0 ? 2 : 0]);

describe('openLabelledRecords', () => {
  it('splits, counts classes and scales by the manifest’s constants', async () => {
    const records = await openTable(rows, { scale: { mean: [100, 0], deviation: [50, 0.5] } });
    expect(records).toMatchObject({ samples: 180, heldOutSamples: 20, mostFrequentClass: 0, duplicates: 0 });
    expect(records.histogram).toEqual([160, 0, 40]);
    expect(records.heldOutHistogram.reduce((sum, count) => sum + count, 0)).toBe(20);
    const { inputs, labels } = records.heldOut(0, 20);
    inputs.forEach((value, at) => {
      if (at % 2 === 1) return;
      const row = Math.round(value * 50 + 100);
      expect(inputs[at + 1]).toBe(row / 8 / 0.5);
      expect(labels[at / 2]).toBe(row % 5 === 0 ? 2 : 0);
    });
    records.close();
  });

  it('draws the same batch from the same stream, gives the held-out part in one order, and keeps both apart', async () => {
    const records = await openTable(rows);
    const first = records.sample(createRng(7), 500);
    expect(records.sample(createRng(7), 500)).toEqual(first);
    expect(records.sample(createRng(8), 500)).not.toEqual(first);
    const firstOf = (inputs: Float32Array): number[] => [...inputs.filter((_, at) => at % 2 === 0)];
    const held = firstOf(records.heldOut(0, 20).inputs);
    expect(firstOf(records.heldOut(12, 8).inputs)).toEqual(held.slice(12));
    expect(firstOf(first.inputs).filter((value) => held.includes(value))).toEqual([]);
    const all = firstOf(records.examples(Array.from({ length: records.samples }, (_, at) => at)).inputs);
    expect([...all, ...held].sort((a, b) => a - b)).toEqual(rows.map(([a]) => a));
    records.close();
  });

  it('holds out the same records in whatever order and files they stand', async () => {
    const whole = await openTable(rows);
    const parts = await openLabelledRecords(
      [await makeFolder({ 'z.csv': table(rows.slice(0, 90)), 'a.csv': table([...rows.slice(90)].reverse()) })],
      taskData(csv),
    );
    const held = (records: typeof whole): number[] => [...records.heldOut(0, 20).inputs].sort((a, b) => a - b);
    expect(held(parts)).toEqual(held(whole));
    whole.close();
    parts.close();
  });

  it('brings pixels to the range of 0 to 1 unless the manifest says otherwise', async () => {
    const images = await makeFolder({ '0/a.png': png(1, 1, [255, 0, 51]), '1/b.png': png(1, 1, [0, 0, 0]) });
    const task = { format: 'images', inputShape: [1, 1, 3], classes: 2, heldOutShare: 0.5 };
    const records = await openLabelledRecords([images], taskData(task));
    const values = [...records.examples([0]).inputs, ...records.heldOut(0, 1).inputs].sort((a, b) => a - b);
    expect(values).toEqual([0, 0, 0, 0, Math.fround(0.2), 1]);
    const channels = { mean: [255, 0, 51], deviation: [1, 1, 2] };
    const scaled = await openLabelledRecords([images], taskData({ ...task, scale: channels }));
    const both = [...scaled.examples([0]).inputs, ...scaled.heldOut(0, 1).inputs].sort((a, b) => a - b);
    expect(both).toEqual([-255, -25.5, 0, 0, 0, 0]);
  });

  it('follows data that says itself what is held out, up to the most that are wanted', async () => {
    const folder = await makeFolder({ ...idxFiles(30), ...idxFiles(10, 't10k') });
    const task = { format: 'idx', inputShape: [2, 2, 1], classes: 3, heldOutPart: 't10k', heldOutSamples: 6 };
    const records = await openLabelledRecords([folder], taskData(task));
    expect(records).toMatchObject({ samples: 30, heldOutSamples: 6, duplicates: 10 });
    expect(records.heldOut(5, 1).inputs[0]).toBe(Math.fround(5 / 255));
    records.close();
  });

  it('names data that is too little: none, one record, or one record many times', async () => {
    await expect(openTable([])).rejects.toMatchObject({ code: 'data/no-records' });
    await expect(openTable([[1, 2, 0]])).rejects.toMatchObject({ code: 'data/too-few-records' });
    await expect(openTable(Array.from({ length: 50 }, () => [1, 2, 0]))).rejects.toMatchObject({
      code: 'data/too-few-records',
    });
  });
});

describe('splitRecords', () => {
  it('puts every copy of an input on one side, and holds out the share that was asked for', () => {
    const key = fc.integer({ min: 0, max: 40 });
    fc.assert(
      fc.property(
        fc.array(key, { minLength: 2, maxLength: 200 }),
        fc.double({ min: 0.01, max: 0.5, noNaN: true }),
        (list, share) => {
          const keys = Float64Array.from(list);
          const { training, heldOut, duplicates } = splitRecords({ keys }, { share, most: 50 });
          const trained = new Set(Array.from(training, (record) => keys[record]));
          expect(Array.from(heldOut).some((record) => trained.has(keys[record]))).toBe(false);
          expect(training.length + heldOut.length).toBe(keys.length);
          const wanted = Math.min(50, Math.ceil(share * keys.length));
          expect(heldOut.length).toBeGreaterThanOrEqual(wanted);
          // More only by copies of the last one.
          const last = Math.max(...Array.from(heldOut, (record) => keys[record] as number));
          expect(Array.from(heldOut).filter((record) => (keys[record] as number) < last).length).toBeLessThan(wanted);
          expect(duplicates).toBe(keys.length - new Set(list).size);
        },
      ),
    );
  });
});

describe('classificationDataSchema', () => {
  const idx = { format: 'idx', inputShape: [28, 28, 1], classes: 10 };
  it.each([
    ['a format it does not know', { ...idx, format: 'parquet' }, 'format'],
    ['a name it does not know', { ...idx, shuffle: true }, ''],
    ['two classes of one name', { ...idx, classes: ['a', 'a'] }, 'classes'],
    ['a single class', { ...idx, classes: 1 }, 'classes'],
    ['scaling of another length', { ...idx, scale: { mean: [1, 2], deviation: 1 } }, 'scale.mean'],
    ['a deviation of zero', { ...idx, scale: { mean: 0, deviation: [0] } }, 'scale.deviation'],
    ['an input beyond all memory', { ...idx, inputShape: [65_536, 65_536] }, 'inputShape'],
    ['images of two channels', { format: 'images', inputShape: [4, 4, 2], classes: 2 }, 'inputShape'],
    ['features as many as the input has not', { ...csv, features: ['a'] }, 'features'],
    ['a label among the features', { ...csv, features: ['a', 'c'] }, 'features'],
    ['a header without names of features', { ...csv, features: undefined }, 'features'],
    ['a label by number under a header', { ...csv, label: 2 }, 'label'],
    [
      'a label by name without a header',
      { format: 'csv', inputShape: [2], classes: 3, header: false, label: 'c' },
      'label',
    ],
    ['a share that leaves nothing to train on', { ...idx, heldOutShare: 0.9 }, 'heldOutShare'],
  ])('refuses %s', (_, value, field) => {
    const parsed = classificationDataSchema.safeParse(JSON.parse(JSON.stringify(value)));
    expect(parsed.success).toBe(false);
    expect(parsed.error?.issues.map(({ path }) => path.join('.'))).toContain(field);
  });
});
