import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { DataOf } from '../../../client/data/classification-data.ts';
import { openNdjson } from '../../../client/data/ndjson-source.ts';
import { taskData } from './records.ts';
import { makeFolder } from './temporary-folder.ts';

const task = { format: 'ndjson', inputShape: [2, 2], classes: 2, label: 'y', features: 'x' };

async function openText(text: string | Uint8Array, changes: Readonly<Record<string, unknown>> = {}, name = 'a.ndjson') {
  const folder = await makeFolder({ [name]: text });
  const source = await openNdjson([folder], taskData({ ...task, ...changes }) as DataOf<'ndjson'>);
  const rows = Array.from(source.labels, (label, index) => {
    const into = new Float32Array(4);
    source.readInput(index, into, 0);
    return [...into, label];
  });
  return { source, rows };
}

describe('openNdjson', () => {
  it('reads arrays of the shape or flat ones, in files with CRLF, empty lines and a byte-order mark', async () => {
    const { rows, source } = await openText(
      '\uFEFF{"x":[[1,2],[3,4]],"y":1}\r\n\n  \r\n{"y":"0","x":[5,6,7,8],"z":[]}',
    );
    expect(rows).toEqual([
      [1, 2, 3, 4, 1],
      [5, 6, 7, 8, 0],
    ]);
    expect(Buffer.from(source.readRaw(0)).toString()).toBe('\uFEFF{"x":[[1,2],[3,4]],"y":1}');
    expect(Buffer.from(source.readRaw(1)).toString()).toBe('{"y":"0","x":[5,6,7,8],"z":[]}');
    source.close();
  });

  it('reads named fields, packed files and lines longer than a piece', async () => {
    const changes = { features: ['a', 'b', 'c', 'd'], missing: 9 };
    const long = JSON.stringify({ a: 1, b: 2, c: null, y: 1, note: 'é'.repeat(900_000) });
    const { rows, source } = await openText(
      gzipSync(`${long}\n{"a":1,"b":2,"c":3,"d":4,"y":0}`),
      changes,
      'a.jsonl.gz',
    );
    expect(rows).toEqual([
      [1, 2, 9, 9, 1],
      [1, 2, 3, 4, 0],
    ]);
    source.close();
  });

  it.each([
    ['what is no JSON', '{"x":[1,2,3,4],"y":1}\n{"x":', 'data/bad-record', 'line 2'],
    ['what is no object', '[1,2]', 'data/bad-record', 'no JSON object'],
    ['what is no UTF-8', Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x7d), 'data/bad-record', 'line 1'],
    ['another shape', '{"x":[1,2,3],"y":1}', 'data/bad-record', 'shape [2,2]'],
    ['a ragged array', '{"x":[[1,2],[3]],"y":1}', 'data/bad-record', 'shape [2,2]'],
    ['a number that is text', '{"x":[1,2,3,"four"],"y":1}', 'data/bad-value', 'number 3'],
    ['a number that is true', '{"x":[1,2,3,true],"y":1}', 'data/bad-value', 'number 3'],
    ['a number beyond 32 bits', '{"x":[1,2,3,1e300],"y":1}', 'data/bad-value', 'no finite number'],
    ['a label that is not there', '{"x":[1,2,3,4]}', 'data/bad-label', 'line 1: there is no label'],
    ['a label beyond the classes', '{"x":[1,2,3,4],"y":2}', 'data/bad-label', '"2"'],
    ['a label that is no whole number', '{"x":[1,2,3,4],"y":0.5}', 'data/bad-label', '0.5'],
    ['a label from an object’s ancestors', '{"x":[1,2,3,4],"__proto__":{"y":1}}', 'data/bad-label', 'no label'],
  ])('names file, line and remedy of %s', async (_, text, code, told) => {
    await expect(openText(text)).rejects.toMatchObject({ code, message: expect.stringContaining(told) });
  });
});
