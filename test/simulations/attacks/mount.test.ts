import { describe, expect, it } from 'vitest';
import type { Trainer, TrainingTask } from '../../../client/trainers/trainer.ts';
import { LONE_ATTACKS, mountAttack, parseLoneAttack } from '../../../simulations/attacks/mount.ts';

const LEARNT = [Float32Array.of(1, -2, 3), Float32Array.of(0.5, 4)];

/** A trainer that has always learnt the same. */
function honest(): Trainer & { disposed: boolean } {
  return {
    workerMomentum: 0.9,
    disposed: false,
    train: async () => ({ update: LEARNT.map((values) => values.slice()), samples: 17, loss: 0.25 }),
    evaluate: async () => ({ correct: 1, total: 2, lossSum: 3, constantCorrect: 1 }),
    dispose() {
      this.disposed = true;
    },
  };
}

function task(round: number, weights = [new Float32Array(3), new Float32Array(2)]): TrainingTask {
  return { weights, seed: 5, round };
}

describe('an attack that one client mounts', () => {
  it.each([
    ['ipm:10', -10],
    ['sign-flip', -1],
    ['IPM', -2],
    ['ZeroUpdate', 0],
  ])('%s sends %d times what was learnt, and says the rest as it is', async (text, factor) => {
    const trainer = mountAttack(honest(), parseLoneAttack(text));
    const { update, ...rest } = await trainer.train(task(0));
    const wanted = LEARNT.map((values) => values.map((value) => factor * value + 0));
    expect(update.map((values) => values.map((value) => value + 0))).toEqual(wanted);
    expect(rest).toEqual({ samples: 17, loss: 0.25 });
  });

  it('leaves evaluation, momentum and disposal to the trainer', async () => {
    const inner = honest();
    const trainer = mountAttack(inner, parseLoneAttack('ipm:10'));
    expect(trainer.workerMomentum).toBe(0.9);
    expect(await trainer.evaluate([])).toEqual({ correct: 1, total: 2, lossSum: 3, constantCorrect: 1 });
    trainer.dispose();
    expect(inner.disposed).toBe(true);
    const { workerMomentum, ...without } = honest();
    expect('workerMomentum' in mountAttack(without, parseLoneAttack('ipm'))).toBe(false);
  });

  it('knows by what the model moved since it was asked before', async () => {
    const trainer = mountAttack(honest(), parseLoneAttack('DeltaWeights'));
    const zeros = [new Float32Array(3), new Float32Array(2)];
    const moved = [Float32Array.of(1, 2, 3), Float32Array.of(4, 5)];
    expect((await trainer.train(task(0, zeros))).update).toEqual(zeros);
    expect((await trainer.train(task(1, moved))).update).toEqual(moved);
    expect((await trainer.train(task(2, moved))).update).toEqual(zeros);
  });

  it('sends an old update again until its period is over, counted in rounds of the job', async () => {
    let learnt = 0;
    const trainer = mountAttack(
      {
        ...honest(),
        train: async () => {
          learnt += 1;
          return { update: [Float32Array.of(learnt)], samples: 1, loss: 0 };
        },
      },
      parseLoneAttack('StaleUpdate:period=3'),
    );
    const sent: number[] = [];
    for (let round = 0; round < 7; round += 1) {
      const { update } = await trainer.train(task(round));
      sent.push(update[0]?.[0] as number);
    }
    expect(sent).toEqual([1, 1, 1, 4, 4, 4, 7]);
  });

  it('draws the same noise for the same seed and round', async () => {
    const noise = async (round: number) =>
      (await mountAttack(honest(), parseLoneAttack('Gaussian')).train(task(round))).update;
    expect(await noise(1)).toEqual(await noise(1));
    expect(await noise(1)).not.toEqual(await noise(2));
  });

  it.each(['ALIE', 'OptimalIPM', 'LabelFlipping', 'InflatedSamples', 'CopiedUpdate'])('cannot be %s', (text) => {
    expect(() => parseLoneAttack(text)).toThrow(expect.objectContaining({ code: 'attack/not-alone' }));
    expect(() => parseLoneAttack(text)).toThrow('choose one of SignFlipping, IPM, Gaussian');
  });

  it('is one of those that need nothing of others', () => {
    expect(LONE_ATTACKS.map(({ name }) => name)).toEqual([
      'SignFlipping',
      'IPM',
      'Gaussian',
      'ZeroUpdate',
      'DeltaWeights',
      'StaleUpdate',
    ]);
  });

  it('cannot try the rule', async () => {
    const { attack, params } = parseLoneAttack('ZeroUpdate');
    const curious = {
      ...attack,
      forge: async ({ aggregate, honest: all }: Parameters<typeof attack.forge>[0]) => [await aggregate(all)],
    };
    const training = mountAttack(honest(), { attack: curious, params }).train(task(0));
    await expect(training).rejects.toMatchObject({ code: 'attack/not-alone' });
  });
});
