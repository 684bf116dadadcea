import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readResults } from '../../../simulations/report/read-results.ts';
import { ndjsonOf, sampleExperiment } from './sample-experiment.ts';

describe('reading results', () => {
  const { experiment, lines } = sampleExperiment({ rules: ['Median'], attacks: ['none'], hasNetwork: true });
  const [first, second] = ndjsonOf(lines).split('\n') as [string, string];
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'fedanchor-results-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  async function read(text: string): Promise<unknown> {
    await writeFile(join(folder, 'results.ndjson'), text);
    return readResults(join(folder, 'results.ndjson'), experiment);
  }

  it('gives the lines back in the order of the grid', async () => {
    expect(await read(`${second}\n\n${first}\n`)).toEqual(lines.slice(0, 2));
  });

  it.each([
    ['report/no-results', ''],
    ['report/bad-line', first.slice(0, 40)],
    ['report/bad-line', first.replace('"finished"', '"won"')],
    ['report/bad-line', first.replace(/"earned":"[0-9]+"/, '"earned":"-1"')],
    ['report/bad-line', first.replace(/"finalAccuracy":[0-9.]+/, '"finalAccuracy":1.5')],
    ['report/unknown-run', first.replace(/"id":"..../, '"id":"0000')],
    ['report/run-twice', `${first}\n${first}`],
  ])('refuses with %s', async (code, text) => {
    await expect(read(text)).rejects.toMatchObject({ code });
  });

  it('names the line and the field at fault', async () => {
    const text = `${first}\n${second.replace('"updates":3000', '"updates":-3000')}`;
    await expect(read(text)).rejects.toMatchObject({
      data: { line: 2, field: 'result.kinds.honest.updates' },
    });
  });
});
