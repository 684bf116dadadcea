import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findMarked } from '../../../../client/trainers/process/process-tree.ts';
import type { TrainingProgress } from '../../../../client/trainers/trainer.ts';
import { failureOf, type Lab, openLab, WEIGHTS } from './lab.ts';

let lab: Lab;
beforeEach(async () => {
  lab = await openLab();
});
afterEach(async () => {
  expect(await lab.close()).toEqual([]);
});

const task = { weights: WEIGHTS, seed: 5, round: 3 };

/** The marks of the folders that trainers of this lab work in, from what they put into their environments. */
async function marked(): Promise<number[]> {
  const folders = (await readdir(lab.folder)).filter((name) => name.startsWith('fedanchor-trainer-'));
  const found = await Promise.all(
    folders.map(async (name) => {
      const { mark } = JSON.parse(await readFile(join(lab.folder, name, '.owner.json'), 'utf8')) as { mark: string };
      return findMarked(mark);
    }),
  );
  return found.flat();
}

describe('createProcessTrainer', () => {
  it('hands weights over and takes update, metrics and progress', async () => {
    const trainer = await lab.start(['nothing']);
    expect(trainer).toMatchObject({ name: 'program.mjs', datasetCommitment: `0x${'ab'.repeat(32)}` });
    const heard: TrainingProgress[] = [];
    const result = await trainer.train({ ...task, onProgress: (progress) => heard.push(progress) });
    expect(result).toEqual({ update: WEIGHTS, samples: 7, loss: 0.25 });
    expect(heard).toEqual([{ done: 0.5, loss: 2 }]);
    expect(await trainer.evaluate(WEIGHTS)).toEqual({ correct: 3, total: 10, lossSum: 12.5, constantCorrect: 1 });
    // Neither weights nor updates stay.
    const [folder = ''] = await readdir(lab.folder);
    expect(await readdir(join(lab.folder, folder))).toEqual(['.owner.json']);
    expect(lab.told).toContainEqual(expect.objectContaining({ fields: { round: 3, energyJ: 12 } }));
  });

  it('asks one thing after the other, in the order in which it was asked', async () => {
    const trainer = await lab.start(['nothing']);
    const order: string[] = [];
    await Promise.all([
      trainer.train(task).then(() => order.push('trained')),
      trainer.evaluate(WEIGHTS).then(() => order.push('evaluated')),
      trainer.train(task).then(() => order.push('trained again')),
    ]);
    expect(order).toEqual(['trained', 'evaluated', 'trained again']);
  });

  it('tells the program what it needs, and nothing of the client', async () => {
    const trainer = await lab.start(['environment'], {
      environment: {
        ...process.env,
        FEDANCHOR_KEY: 'the key',
        FEDANCHOR_PASSPHRASE_FILE: 'the file',
        CUDA_VISIBLE_DEVICES: '1',
        OTHER: 'another',
        NAMED: 'passed on',
      },
      environmentNames: ['NAMED', 'UNSET'],
      cwd: lab.folder,
    });
    await trainer.train(task);
    const { fields } = lab.told.find(({ message }) => message === 'trainer') as (typeof lab.told)[number];
    const { env, cwd, request } = JSON.parse(fields['trainer'] as string);
    expect(cwd).toBe(lab.folder);
    expect(request).toEqual({
      type: 'train',
      id: 1,
      round: 3,
      seed: 5,
      weights: 'weights-1.safetensors',
      timeoutS: 20,
    });
    expect(env).toMatchObject({ CUDA_VISIBLE_DEVICES: '1', NAMED: 'passed on', PATH: process.env['PATH'] });
    expect(env['TMPDIR']).toBe(env['FEDANCHOR_TRAINER_DIR']);
    expect(
      Object.keys(env)
        .filter((name) => name.startsWith('FEDANCHOR_'))
        .sort(),
    ).toEqual(['FEDANCHOR_TRAINER_DIR', 'FEDANCHOR_TRAINER_MARK']);
    expect(env).not.toHaveProperty('OTHER');
    expect(env).not.toHaveProperty('UNSET');
  });

  it.each([
    ['exit', 'trainer/process-exited'],
    ['kill-itself', 'trainer/process-exited'],
    ['garbage', 'trainer/process-bad-output'],
    ['not-a-message', 'trainer/process-bad-output'],
    ['other-request', 'trainer/process-bad-output'],
    ['deep-json', 'trainer/process-bad-output'],
    ['endless-line', 'trainer/process-bad-output'],
    ['endless-progress', 'trainer/process-bad-output'],
    ['wrong-answer', 'trainer/process-bad-output'],
    ['no-samples', 'trainer/process-bad-output'],
    ['says-error', 'trainer/process-reported'],
    ['no-file', 'trainer/process-bad-file'],
    ['absolute', 'trainer/process-bad-file'],
    ['parent', 'trainer/process-bad-file'],
    ['link', 'trainer/process-bad-file'],
    ['folder', 'trainer/process-bad-file'],
    ['pipe', 'trainer/process-bad-file'],
    ['huge', 'trainer/process-too-large'],
    ['no-safetensors', 'trainer/process-bad-tensors'],
    ['half', 'trainer/process-bad-tensors'],
    ['missing', 'trainer/process-bad-tensors'],
    ['extra', 'trainer/process-bad-tensors'],
    ['wrong-shape', 'trainer/process-bad-tensors'],
    ['nan', 'trainer/process-not-finite'],
    ['infinite', 'trainer/process-not-finite'],
  ])('fails one round when the program does this: %s', async (what, code) => {
    const trainer = await lab.start([what, join(lab.folder, 'once')]);
    const failure = await failureOf(trainer.train(task));
    expect(failure).toMatchObject({ code });
    expect(failure.message).not.toMatch(/secret|Epoch|passwd/);
    // The next round finds a program that was started afresh.
    expect(await trainer.train(task)).toMatchObject({ update: WEIGHTS });
  });

  it('fails an evaluation that counts more right than there are', async () => {
    const trainer = await lab.start(['too-right']);
    expect(await failureOf(trainer.evaluate(WEIGHTS))).toMatchObject({ code: 'trainer/process-bad-output' });
  });

  it('keeps what the program says of its error on this machine', async () => {
    const trainer = await lab.start(['says-error']);
    expect((await failureOf(trainer.train(task))).message).toContain('"out-of-memory"');
    expect(lab.told).toContainEqual(
      expect.objectContaining({ fields: { code: 'out-of-memory', trainer: 'the secret of row 17' } }),
    );
  });

  it('waits no longer than it is told to', async () => {
    const trainer = await lab.start(['hang', join(lab.folder, 'once')], { timeouts: { trainMs: 50, cancelMs: 1_000 } });
    expect(await failureOf(trainer.train(task))).toMatchObject({ code: 'trainer/process-timeout' });
    const patient = await lab.start(['hang'], { timeouts: { evaluateMs: 50, cancelMs: 1_000 } });
    expect(await failureOf(patient.evaluate(WEIGHTS))).toMatchObject({ code: 'trainer/process-timeout' });
  });

  it('cancels, and goes on with the same program', async () => {
    const trainer = await lab.start(['hang', join(lab.folder, 'once')]);
    const round = new AbortController();
    const training = failureOf(trainer.train(task, round.signal));
    setTimeout(() => round.abort(), 100);
    expect(await training).toMatchObject({ code: 'trainer/aborted' });
    expect(await trainer.train(task)).toMatchObject({ update: WEIGHTS });
    expect(lab.told.filter(({ message }) => message.includes('started again'))).toEqual([]);
  });

  it('does not ask what is called off before its turn', async () => {
    const trainer = await lab.start(['hang', join(lab.folder, 'once')]);
    const round = new AbortController();
    const first = failureOf(trainer.train(task, round.signal));
    const second = failureOf(trainer.evaluate(WEIGHTS, round.signal));
    round.abort();
    expect(await first).toMatchObject({ code: 'trainer/aborted' });
    expect(await second).toMatchObject({ code: 'trainer/aborted' });
  });

  it('kills a program that hears neither a cancellation nor SIGTERM', async () => {
    const trainer = await lab.start(['stubborn'], { timeouts: { cancelMs: 500 } });
    const round = new AbortController();
    const training = failureOf(trainer.train({ ...task, onProgress: () => round.abort() }, round.signal));
    expect(await training).toMatchObject({ code: 'trainer/process-timeout' });
    trainer.dispose();
    await trainer.ended();
    expect(await marked()).toEqual([]);
    expect(lab.told).toContainEqual(expect.objectContaining({ fields: { trainer: 'SIGTERM is for others' } }));
  });

  it.runIf(process.platform === 'linux')('ends what the program has started, also beyond its group', async () => {
    const go = join(lab.folder, 'go');
    const trainer = await lab.start(['forks', join(lab.folder, 'once'), go]);
    const training = failureOf(trainer.train(task));
    // The program itself, one in its group and one beyond.
    await expect.poll(marked, { interval: 20, timeout: 20_000 }).toHaveLength(3);
    await writeFile(go, '');
    expect(await training).toMatchObject({ code: 'trainer/process-exited' });
    await expect.poll(marked, { interval: 20, timeout: 20_000 }).toEqual([]);
    expect(await trainer.train(task)).toMatchObject({ update: WEIGHTS });
  });

  it('takes no program that has other data than the one before', async () => {
    const trainer = await lab.start(['other-data', join(lab.folder, 'once')]);
    expect(await failureOf(trainer.train(task))).toMatchObject({ code: 'trainer/process-exited' });
    expect(await failureOf(trainer.train(task))).toMatchObject({ code: 'trainer/process-data-changed' });
  });

  it('pauses longer with each failure in a row, and can be called off meanwhile', async () => {
    const trainer = await lab.start(['exit'], { pauses: { firstMs: 1, mostMs: 3_600_000 } });
    for (let time = 0; time < 3; time++) {
      expect(await failureOf(trainer.train(task))).toMatchObject({ code: 'trainer/process-exited' });
    }
    const pauses = lab.told.flatMap(({ fields }) => fields['pauseMs'] ?? []);
    expect(pauses).toEqual([1, 2]);
    const patience = await lab.start(['exit'], { pauses: { firstMs: 3_600_000, mostMs: 3_600_000 } });
    expect(await failureOf(patience.train(task))).toMatchObject({ code: 'trainer/process-exited' });
    const round = new AbortController();
    const training = failureOf(patience.train(task, round.signal));
    setTimeout(() => round.abort(), 20);
    expect(await training).toMatchObject({ code: 'trainer/aborted' });
  });

  it('refuses weights that are not of the manifest, and keeps the program', async () => {
    const trainer = await lab.start(['nothing']);
    const weights = WEIGHTS.slice(0, 1);
    expect(await failureOf(trainer.train({ ...task, weights }))).toMatchObject({ code: 'trainer/shape-mismatch' });
    expect(await trainer.train(task)).toMatchObject({ update: WEIGHTS });
    expect(lab.told.filter(({ message }) => message.includes('started again'))).toEqual([]);
  });

  it('is of no use once it is disposed, and fails what is under way', async () => {
    const trainer = await lab.start(['hang']);
    const training = failureOf(trainer.train(task));
    setTimeout(() => trainer.dispose(), 50);
    expect(await training).toMatchObject({ code: 'trainer/disposed' });
    expect(await failureOf(trainer.evaluate(WEIGHTS))).toMatchObject({ code: 'trainer/disposed' });
  });

  it('passes on what the program writes to standard error: bounded, a line at a time, without control characters', async () => {
    const trainer = await lab.start(['stderr']);
    trainer.dispose();
    await trainer.ended();
    const lines = lab.told.filter(({ message }) => message === 'trainer').map(({ fields }) => fields['trainer']);
    expect(lines.slice(0, 2)).toEqual(['first', ' [31msecond [0m']);
    expect(lines[2]).toMatch(/^(long ){399}.* …$/);
    expect(lines).toHaveLength(200);
    expect(lab.told).toContainEqual(expect.objectContaining({ fields: { lines: expect.any(Number) } }));
  });
});

describe('starting a program', () => {
  it.each<[string, readonly string[], string]>([
    ['speaks another version', ['old'], 'trainer/process-bad-version'],
    ['says a wrong hello', ['bad-hello'], 'trainer/process-bad-output'],
    ['says no hello in time', ['late-hello'], 'trainer/process-timeout'],
    ['does not listen', ['deaf'], 'trainer/process-timeout'],
  ])('fails when it %s', async (_, args, code) => {
    const isSlow = code === 'trainer/process-timeout';
    const starting = lab.start(args, { timeouts: { helloMs: isSlow ? 1_000 : 30_000, cancelMs: 500 } });
    expect(await failureOf(starting)).toMatchObject({ code });
  });

  it.each([
    ['no-such-program-anywhere', {}, 'trainer/process-not-started'],
    ['true', { cwd: '/no/such/folder' }, 'trainer/process-not-started'],
    ['true', {}, 'trainer/process-exited'],
    ['python train.py > log', {}, 'trainer/process-bad-command'],
    ['true', { environmentNames: ['FEDANCHOR_KEY'] }, 'trainer/process-bad-environment'],
    ['true', { environmentNames: ['A B'] }, 'trainer/process-bad-environment'],
  ])('fails with %s %o', async (command, changes, code) => {
    expect(await failureOf(lab.start([], { ...changes, command }))).toMatchObject({ code });
  });

  it('is called off', async () => {
    const whole = new AbortController();
    const starting = failureOf(lab.start(['late-hello'], { signal: whole.signal, timeouts: { cancelMs: 500 } }));
    setTimeout(() => whole.abort(), 100);
    expect(await starting).toMatchObject({ code: 'trainer/process-exited' });
  });
});
