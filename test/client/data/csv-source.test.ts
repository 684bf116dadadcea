import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DataOf } from '../../../client/data/classification-data.ts';
import { openCsv } from '../../../client/data/csv-source.ts';
import { taskData } from './records.ts';
import { makeFolder } from './temporary-folder.ts';

const task = { format: 'csv', inputShape: [2], classes: ['cat', 'dog'], label: 'kind', features: ['height', 'weight'] };

async function openText(text: string | Uint8Array, changes: Readonly<Record<string, unknown>> = {}, name = 'a.csv') {
  const folder = await makeFolder({ [name]: text });
  const source = await openCsv([folder], taskData({ ...task, ...changes }) as DataOf<'csv'>);
  const rows = Array.from(source.labels, (label, index) => {
    const into = new Float32Array(2);
    source.readInput(index, into, 0);
    return [...into, label];
  });
  return { folder, source, rows, raw: rows.map((_, index) => Buffer.from(source.readRaw(index)).toString()) };
}

describe('openCsv', () => {
  it('reads columns by name, whatever their order, with quotes, CRLF, a byte-order mark and empty lines', async () => {
    const text = '\uFEFF"weight",name,kind,height\r\n4.5,"Tom, the ""cat""",cat,0.25\r\n\r\n9,"a\r\nb",dog,5e-1\r\n';
    const { rows, raw, source } = await openText(text);
    expect(rows).toEqual([
      [0.25, 4.5, 0],
      [0.5, 9, 1],
    ]);
    expect(raw).toEqual(['4.5,"Tom, the ""cat""",cat,0.25', '9,"a\r\nb",dog,5e-1']);
    expect(source.locate(1)).toMatch(/a\.csv, record 1$/);
    source.close();
  });

  it('reads files without a header by number, packed ones too', async () => {
    const changes = { header: false, label: 1, features: undefined, classes: 3, delimiter: ';' };
    const { features: _, ...rest } = { ...task, ...changes };
    const folder = await makeFolder({ 'a.csv.gz': gzipSync('1;2;3\n4;0;6\n'), 'b.csv': '7;1.0;9' });
    const source = await openCsv([folder], taskData(rest) as DataOf<'csv'>);
    expect([...source.labels]).toEqual([2, 0, 1]);
    const into = new Float32Array(6);
    for (const at of [0, 1, 2]) source.readInput(at, into, 2 * at);
    expect([...into]).toEqual([1, 3, 4, 6, 7, 9]);
    expect(source.files).toBe(2);
    source.close();
  });

  it('gives every table back that could be written, across the pieces in which it is read', async () => {
    const number = fc.integer({ min: -1_000_000, max: 1_000_000 });
    const row = fc.tuple(number, fc.string({ maxLength: 30 }), fc.constantFrom('cat', 'dog'), number);
    await fc.assert(
      fc.asyncProperty(
        fc.array(row, { minLength: 1, maxLength: 20 }),
        fc.constantFrom('\n', '\r\n'),
        async (all, end) => {
          const quote = (text: string): string => `"${text.replaceAll('"', '""')}"`;
          const lines = all.map(([height, note, kind, weight]) => [height, quote(note), kind, weight].join(','));
          const { rows, source } = await openText(['height,note,kind,weight', ...lines].join(end));
          source.close();
          expect(rows).toEqual(all.map(([height, , kind, weight]) => [height, weight, kind === 'cat' ? 0 : 1]));
        },
      ),
      { numRuns: 40 },
    );
  });

  it('has one key for equal inputs, however they are written', async () => {
    const { source } = await openText('height,weight,kind\n0.10,2,cat\n.1,2.0,dog\n0.1,3,cat');
    expect(source.keys[0]).toBe(source.keys[1]);
    expect(source.keys[0]).not.toBe(source.keys[2]);
    source.close();
  });

  it('fills in what the manifest says a missing value counts as', async () => {
    const { rows, source } = await openText('height,weight,kind\n,2,cat', { missing: -1 });
    expect(rows).toEqual([[-1, 2, 0]]);
    source.close();
  });

  it.each([
    ['a ragged line', 'height,weight,kind\n1,2,cat\n1,2', 'data/bad-record', 'line 3'],
    ['a quote that is never closed', 'height,weight,kind\n1,2,"cat', 'data/bad-record', 'a.csv'],
    ['text behind a quote', 'height,weight,kind\n1,2,"cat"x', 'data/bad-record', 'line 2'],
    ['a column that is not there', 'height,kind\n1,cat', 'data/bad-record', '"weight"'],
    ['a column that is there twice', 'height,weight,kind,weight\n1,2,cat,3', 'data/bad-record', 'two columns'],
    ['a value that is no number', 'height,weight,kind\n1,2,cat\n1,NaN,cat', 'data/bad-value', 'line 3, column weight'],
    ['an infinite one', 'height,weight,kind\nInfinity,2,cat', 'data/bad-value', 'line 2, column height'],
    ['one beyond 32 bits', 'height,weight,kind\n1e39,2,cat', 'data/bad-value', 'no finite number'],
    ['hexadecimal', 'height,weight,kind\n0x10,2,cat', 'data/bad-value', '0x10'],
    ['nothing where a value belongs', 'height,weight,kind\n,2,cat', 'data/bad-value', 'no value'],
    ['a label of another job', 'height,weight,kind\n1,2,cat\n1,2,cow', 'data/bad-label', 'line 3: "cow"'],
    ['no label', 'height,weight,kind\n1,2,', 'data/bad-label', 'line 2: there is no label'],
  ])('names file, place and remedy of %s', async (_, text, code, told) => {
    await expect(openText(text)).rejects.toMatchObject({ code, message: expect.stringContaining(told) });
  });

  it('names a file that is no gzip, and a folder without files', async () => {
    await expect(openText('1,2', {}, 'a.csv.gz')).rejects.toMatchObject({ code: 'data/unreadable' });
    await expect(openText('1,2', {}, 'a.txt')).rejects.toMatchObject({ code: 'data/no-records' });
    await expect(openCsv(['/nowhere/at/all'], taskData(task) as DataOf<'csv'>)).rejects.toMatchObject({
      code: 'data/folder-missing',
    });
  });

  it('notices that a file was changed under it', async () => {
    const { folder, source } = await openText('height,weight,kind\n1,2,cat\n3,4,dog');
    await writeFile(join(folder, 'a.csv'), 'height,weight,kind\n1');
    expect(() => source.readInput(1, new Float32Array(2), 0)).toThrow(
      expect.objectContaining({ code: 'data/changed' }),
    );
    source.close();
  });
});
