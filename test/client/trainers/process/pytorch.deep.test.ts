import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Json } from '../../../../shared/codec.ts';
import { createRng } from '../../../../shared/rng.ts';
import { decodeSafetensors, type NamedTensor } from '../../../../shared/safetensors.ts';
import { failureOf, type Lab, openLab } from './lab.ts';
import { EXAMPLES, PYTHON_ENVIRONMENT, pythonWith, startPython, trainRounds } from './python.ts';

const withTorch = pythonWith('torch');
const noTorch = withTorch === undefined ? ' (skipped: python3 has no torch)' : '';

let lab: Lab;
beforeEach(async () => {
  lab = await openLab();
});
afterEach(async () => {
  expect(await lab.close()).toEqual([]);
});

const start = (program: string, tensors: readonly NamedTensor[], task: Json, data: readonly string[]) =>
  startPython(lab, withTorch as string, program, tensors, task, data);

describe.skipIf(withTorch === undefined)(`the PyTorch examples${noTorch}`, () => {
  /** The tensors that an example's --init writes. */
  async function initial(command: readonly string[]): Promise<{ tensors: NamedTensor[]; said: string }> {
    const file = join(lab.folder, 'start.safetensors');
    const said = execFileSync(withTorch as string, [...command, '--init', file], {
      cwd: EXAMPLES,
      encoding: 'utf8',
      env: PYTHON_ENVIRONMENT,
    });
    return { tensors: decodeSafetensors(await readFile(file)), said };
  }

  it('train a convolutional network on images of the size of CIFAR', async () => {
    const rng = createRng(1);
    // Each class is bright in a place of its own.
    const records = Array.from({ length: 400 }, () => {
      const label = rng.below(10);
      const record = Uint8Array.from({ length: 3073 }, () => rng.below(100));
      record[0] = label;
      for (let pixel = 0; pixel < 3072; pixel++) {
        if (Math.floor((pixel % 1024) / 103) === label) record[1 + pixel] = 200 + rng.below(56);
      }
      return record;
    });
    const data = join(lab.folder, 'data_batch_1.bin');
    await writeFile(data, Buffer.concat(records));
    const { tensors } = await initial(['cifar_cnn.py']);
    const training = { learningRate: 0.02, momentum: 0.8, batchSize: 32, steps: 30 };
    const trainer = await start('cifar_cnn.py', tensors, { kind: 'custom', architecture: {}, training, data: {} }, [
      data,
    ]);
    const first = tensors.map(({ values }) => values);
    const before = await trainer.evaluate(first);
    const after = await trainer.evaluate(await trainRounds(trainer, first, 3));
    expect(before.total).toBe(40);
    expect(after.lossSum).toBeLessThan(before.lossSum);
    expect(after.correct).toBeGreaterThan(before.correct);
  });

  it('adapt a transformer, of which the adapters alone travel', async () => {
    const [open, own] = [join(lab.folder, 'open.txt'), join(lab.folder, 'own.txt')];
    await writeFile(
      open,
      Array.from({ length: 200 }, (_, line) => `the clerk counts what the warehouse holds, ${line}.\n`).join(''),
    );
    await writeFile(
      own,
      Array.from({ length: 200 }, (_, line) => `${line}: a harbour, a letter, a ship to the north!\n`).join(''),
    );
    const base = join(lab.folder, 'base.safetensors');
    const { tensors, said } = await initial(['lora.py', '--base', base, '--text', open, '--steps', '60']);
    const [, baseSha256 = ''] = /baseSha256 ([0-9a-f]{64})/.exec(said) ?? [];
    expect(
      createHash('sha256')
        .update(await readFile(base))
        .digest('hex'),
    ).toBe(baseSha256);
    // Eight matrices of rank 4; the base has fifty times as many numbers, and stays.
    expect(tensors.map(({ name, shape }) => [name, shape])).toEqual(
      [0, 1].flatMap((block) =>
        ['query', 'value'].flatMap((part) => [
          [`blocks.${block}.${part}.lora_a`, [64, 4]],
          [`blocks.${block}.${part}.lora_b`, [4, 64]],
        ]),
      ),
    );
    const size = (all: readonly NamedTensor[]) => all.reduce((sum, { values }) => sum + values.length, 0);
    expect(size(decodeSafetensors(await readFile(base)))).toBeGreaterThan(50 * size(tensors));
    const task = (digest: string) => ({
      kind: 'custom',
      architecture: {},
      training: { learningRate: 0.01, batchSize: 16, steps: 15 },
      data: { baseSha256: digest },
    });
    const trainer = await start(`lora.py --base ${base}`, tensors, task(baseSha256), [own]);
    const first = tensors.map(({ values }) => values);
    const before = await trainer.evaluate(first);
    const after = await trainer.evaluate(await trainRounds(trainer, first, 3));
    expect(after.lossSum).toBeLessThan(0.9 * before.lossSum);
    expect(await readFile(base).then((bytes) => createHash('sha256').update(bytes).digest('hex'))).toBe(baseSha256);
    const other = start(`lora.py --base ${base}`, tensors, task('00'.repeat(32)), [own]);
    expect(await failureOf(other)).toMatchObject({ data: { reported: 'other-base' } });
  });
});
