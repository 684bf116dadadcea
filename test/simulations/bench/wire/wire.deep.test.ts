import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { createRng } from '../../../../shared/rng.ts';
import { benchWire } from '../../../../simulations/bench/wire/wire.ts';

/** Images of noise in which the class is where a bright square lies, in the IDX format. */
async function writeImages(folder: string, part: string, count: number, seed: number): Promise<void> {
  const rng = createRng(seed, 'images');
  const images = Buffer.alloc(16 + count * 784);
  const labels = Buffer.alloc(8 + count);
  for (const [at, value] of [0x803, count, 28, 28].entries()) images.writeUInt32BE(value, 4 * at);
  for (const [at, value] of [0x801, count].entries()) labels.writeUInt32BE(value, 4 * at);
  for (let image = 0; image < count; image++) {
    const label = rng.below(10);
    labels[8 + image] = label;
    for (let pixel = 0; pixel < 784; pixel++) {
      const isBright = Math.floor(pixel / 28 / 6) * 4 + Math.floor((pixel % 28) / 7) === label;
      images[16 + image * 784 + pixel] = rng.below(100) + (isBright ? 120 : 0);
    }
  }
  await writeFile(join(folder, `${part}-images-idx3-ubyte`), images);
  await writeFile(join(folder, `${part}-labels-idx1-ubyte`), labels);
}

it('measures accuracy and bytes of every format on images', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'fedanchor-wire-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await writeImages(folder, 'train', 400, 1);
  await writeImages(folder, 't10k', 100, 2);
  const told: string[] = [];
  const options = { data: folder, clients: 2, rounds: 2, seeds: 1, rule: 'Average' };
  const { text, document } = await benchWire(options, (sentence) => told.push(sentence));
  const played = document['played'] as readonly {
    readonly wire: { readonly format: string; readonly errorFeedback?: true };
    readonly result: { readonly accuracy: number; readonly bytesPerUpdate: number; readonly dimension: number };
  }[];
  const of = (format: string, errorFeedback?: true) =>
    played
      .filter(({ wire }) => wire.format === format && wire.errorFeedback === errorFeedback)
      .map(({ result }) => result);
  const [plain, bytes8, bytes4] = [of('int16')[0], of('int8')[0], of('int4')[0]];
  const blocks = (plain?.dimension ?? 0) / 64;
  expect(plain?.bytesPerUpdate).toBe(128 * blocks);
  expect(bytes8?.bytesPerUpdate).toBe(1 + 65 * blocks);
  expect(bytes4?.bytesPerUpdate).toBe(1 + 33 * blocks);
  const [tenth, hundredth] = of('topk');
  expect(tenth?.bytesPerUpdate).toBeLessThan(0.75 * (bytes4?.bytesPerUpdate ?? 0));
  expect(hundredth?.bytesPerUpdate).toBeLessThan(0.2 * (tenth?.bytesPerUpdate ?? 0));
  // A tenth of the images of ten classes would be guessed.
  expect(plain?.accuracy).toBeGreaterThan(0.5);
  expect(played).toHaveLength(10);
  expect(told).toHaveLength(10);
  expect(text).toContain('topk 1%, error feedback');
}, 60_000);
