import { execFileSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { classificationDataSchema } from '../../../../client/data/classification-data.ts';
import { commitRecords } from '../../../../client/data/dataset-commitment.ts';
import { openLabelledRecords } from '../../../../client/data/labelled-records.ts';
import { labelledRecords } from '../../../../client/tasks/classification.ts';
import { toHex, utf8, ZERO_HASH } from '../../../../shared/bytes.ts';
import type { Json } from '../../../../shared/codec.ts';
import { createRng } from '../../../../shared/rng.ts';
import { decodeSafetensors, encodeSafetensors, type NamedTensor } from '../../../../shared/safetensors.ts';
import { failureOf, type Lab, openLab } from './lab.ts';
import { EXAMPLES, PYTHON_ENVIRONMENT, pythonWith, startPython, trainRounds } from './python.ts';

const python = pythonWith('array');
const noPython = python === undefined ? ' (skipped: there is no python3)' : '';

let lab: Lab;
beforeEach(async () => {
  lab = await openLab();
});
afterEach(async () => {
  expect(await lab.close()).toEqual([]);
});

/** Runs a program over the helper. */
function script(text: string): string {
  return execFileSync(python as string, ['-c', text], { cwd: EXAMPLES, encoding: 'utf8', env: PYTHON_ENVIRONMENT });
}

const start = (program: string, tensors: readonly NamedTensor[], task: Json, data: readonly string[]) =>
  startPython(lab, python as string, program, tensors, task, data);

describe.skipIf(python === undefined)(`the Python helper${noPython}`, () => {
  it('reads and writes the tensors that the product reads and writes', async () => {
    const file = join(lab.folder, 'tensors');
    const tensor = fc.record({
      shape: fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 3 }),
      name: fc
        .string({ minLength: 1, maxLength: 12 })
        .filter((name) => name !== '__metadata__' && name !== '__proto__'),
    });
    const cases = fc.sample(fc.uniqueArray(tensor, { selector: ({ name }) => name, maxLength: 5 }), {
      numRuns: 20,
      seed: 1,
    });
    const files = cases.map((tensors, index) => ({
      path: `${file}-${index}`,
      bytes: encodeSafetensors(
        tensors.map(({ name, shape }, at) => {
          const rng = createRng(index, `tensor-${at}`);
          const size = shape.reduce((product, extent) => product * extent, 1);
          return { name, shape, values: Float32Array.from({ length: size }, () => rng.nextFloat() - 0.5) };
        }),
        { note: 'é' },
      ),
    }));
    for (const { path, bytes } of files) await writeFile(path, bytes);
    script(`
import json, fedanchor_trainer as f
for path in json.loads(${JSON.stringify(JSON.stringify(files.map(({ path }) => path)))}):
    f.write_safetensors(path + ".back", f.read_safetensors(path))
`);
    for (const { path, bytes } of files) {
      const byName = (tensors: readonly NamedTensor[]) => new Map(tensors.map((tensor) => [tensor.name, tensor]));
      expect(byName(decodeSafetensors(await readFile(`${path}.back`)))).toEqual(byName(decodeSafetensors(bytes)));
    }
  });

  it('commits to records as the product does', () => {
    const salt = Uint8Array.from({ length: 32 }, (_, at) => 3 * at);
    const records = Array.from({ length: 9 }, (_, index) => utf8(`record ${index} é`));
    const roots = script(`
import fedanchor_trainer as f
records = [(index % 3, f"record {index} é".encode()) for index in range(9)]
for count in range(10):
    print("0x" + f.commit(records[:count], bytes.fromhex("${toHex(salt).slice(2)}")).hex())
`);
    const label = (index: number) => index % 3;
    const raw = (index: number) => records[index] as Uint8Array;
    const expected = records.map((_, last) => commitRecords({ count: last + 1, label, raw }, salt));
    expect(roots.trim().split('\n')).toEqual([ZERO_HASH, ...expected]);
  });

  const SCHEMA = [{ name: 'w', shape: [2], values: Float32Array.of(1, 2) }];
  const program = async (body: string): Promise<string> => {
    const file = join(lab.folder, 'mine.py');
    await writeFile(
      file,
      `import sys\nsys.path.insert(0, ${JSON.stringify(EXAMPLES)})\nimport fedanchor_trainer as fedanchor\n${body}`,
    );
    return file;
  };
  const weights = SCHEMA.map(({ values }) => values);

  it('prints where nothing is disturbed, and tells of what is raised', async () => {
    const file = await program(`
class Mine(fedanchor.Trainer):
    def train(self, task):
        print("printed")
        raise ValueError("row 17")
    def evaluate(self, weights):
        raise fedanchor.Failure("no-gpu", "row 18")
fedanchor.serve(lambda hello: Mine())
`);
    const trainer = await start(file, SCHEMA, {}, []);
    const failure = await failureOf(trainer.train({ weights, seed: 1, round: 1 }));
    expect(failure).toMatchObject({ code: 'trainer/process-reported', data: { reported: 'value-error' } });
    expect(failure.message).not.toContain('17');
    expect(lab.told).toContainEqual(expect.objectContaining({ fields: { trainer: 'printed' } }));
    expect(await failureOf(trainer.evaluate(weights))).toMatchObject({ data: { reported: 'no-gpu' } });
  });

  it('stops at its next look when the round is called off', async () => {
    const file = await program(`
import time
class Mine(fedanchor.Trainer):
    def train(self, task):
        while task.round == 1:
            task.progress(0.5)
            time.sleep(0.01)
        return fedanchor.Update(task.weights, samples=1, loss=0.5, energy_j=3)
fedanchor.serve(lambda hello: Mine())
`);
    const trainer = await start(file, SCHEMA, {}, []);
    const round = new AbortController();
    const onProgress = () => round.abort();
    expect(await failureOf(trainer.train({ weights, seed: 1, round: 1, onProgress }, round.signal))).toMatchObject({
      code: 'trainer/aborted',
    });
    expect(await trainer.train({ weights, seed: 1, round: 2 })).toEqual({ update: weights, samples: 1, loss: 0.5 });
    expect(lab.told.some(({ message }) => message.includes('started again'))).toBe(false);
  });
});

describe.skipIf(python === undefined)(`linear.py${noPython}`, () => {
  const CLASSES = ['low', 'high'];
  const DATA = { format: 'csv', inputShape: [2], classes: CLASSES, label: 'size', features: ['y', 'x'], missing: 0 };
  const TENSORS = [
    { name: 'logits/kernel', shape: [2, 2], values: new Float32Array(4) },
    { name: 'logits/bias', shape: [2], values: new Float32Array(2) },
  ];
  const TASK = {
    kind: 'classification',
    architecture: {},
    training: { learningRate: 0.5, batchSize: 16, steps: 20 },
    data: DATA,
  };

  /** Points, of which those above a line are high. */
  async function points(): Promise<string> {
    const rng = createRng(1);
    const rows = Array.from({ length: 300 }, () => {
      const [x, y] = [rng.nextFloat() * 4 - 2, rng.nextFloat() * 4 - 2];
      return `${x},"${x + 2 * y > 0.5 ? 'high' : 'low'}",${y}`;
    });
    const file = join(lab.folder, 'points.csv');
    await writeFile(file, `\ufeffx,size,y\r\n${rows.join('\r\n')}\r\n\r\n,low,-1\r\n`);
    return file;
  }

  it('learns, the same from the same seed', async () => {
    const file = await points();
    const trainer = await start('linear.py', TENSORS, TASK, [file]);
    expect(trainer.name).toBe('linear.py');
    // A client that trains by itself says the same of the same file.
    const records = await openLabelledRecords([file], classificationDataSchema.parse(DATA));
    const salt = new Uint8Array(32).fill(7);
    expect(trainer.datasetCommitment).toBe(commitRecords(labelledRecords(records), salt));
    records.close();
    const first = TENSORS.map(({ values }) => values);
    const before = await trainer.evaluate(first);
    const trained = await trainRounds(trainer, first, 4);
    const after = await trainer.evaluate(trained);
    expect(before.total).toBe(31);
    expect(after.correct).toBeGreaterThan(27);
    expect(after.lossSum).toBeLessThan(before.lossSum / 2);
    expect(after.constantCorrect).toBeLessThan(24);

    const again = await start('linear.py', TENSORS, TASK, [lab.folder]);
    expect(again.datasetCommitment).toBe(trainer.datasetCommitment);
    expect(await trainRounds(again, first, 4)).toEqual(trained);
  });

  it('gives the gradient that the definition gives', async () => {
    const file = join(lab.folder, 'one.csv');
    await writeFile(file, 'x,size,y\n9,low,9\n3,high,-1\n');
    const data = { ...DATA, scale: { mean: [1, 2], deviation: 2 }, heldOutShare: 0.5 };
    const training = { learningRate: 0.25, batchSize: 1, steps: 1 };
    const trainer = await start('linear.py', TENSORS, { ...TASK, training, data }, [file]);
    const weights = [Float32Array.of(0.1, -0.2, 0.3, 0.4), Float32Array.of(0.5, -0.5)];
    // The first record is held out; of the second y comes first: (-1 - 1) / 2 and (3 - 2) / 2, in class 1.
    const inputs = [-1, 0.5];
    const logits = [0, 1].map(
      (k) => (weights[1]?.[k] ?? 0) + inputs.reduce((sum, x, at) => sum + x * (weights[0]?.[2 * at + k] ?? 0), 0),
    );
    const total = logits.reduce((sum, z) => sum + Math.exp(z), 0);
    const errors = logits.map((z, k) => Math.exp(z) / total - (k === 1 ? 1 : 0));
    const { update, loss, samples } = await trainer.train({ weights, seed: 1, round: 1 });
    expect(samples).toBe(1);
    expect(loss).toBeCloseTo(Math.log(total) - (logits[1] ?? 0), 6);
    const expected = [
      inputs.flatMap((x) => errors.map((error) => -0.25 * error * x)),
      errors.map((error) => -0.25 * error),
    ];
    update.forEach((tensor, index) => {
      tensor.forEach((value, at) => {
        expect(value).toBeCloseTo(expected[index]?.[at] ?? Number.NaN, 6);
      });
    });
  });

  it.each([
    ['other data', { format: 'idx' }, 'unsupported-data'],
    ['another shape', { ...DATA, features: ['x'] }, 'bad-record'],
    ['no such column', { ...DATA, features: ['x', 'z'] }, 'value-error'],
  ])('says that it has %s', async (_, data, reported) => {
    const file = await points();
    expect(await failureOf(start('linear.py', TENSORS, { ...TASK, data }, [file]))).toMatchObject({
      code: 'trainer/process-reported',
      data: { reported },
    });
  });
});
