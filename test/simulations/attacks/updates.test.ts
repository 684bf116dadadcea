import { describe, expect, it } from 'vitest';
import { aggregateFloats } from '../../../shared/aggregation/aggregate-floats.ts';
import { parseRuleSpec } from '../../../shared/aggregation/registry.ts';
import { createRng } from '../../../shared/rng.ts';
import { forgeUpdates } from '../../../simulations/attacks/forge-updates.ts';
import { zMax } from '../../../simulations/attacks/little-is-enough.ts';
import { followMainDirection } from '../../../simulations/attacks/mimic.ts';
import { parseSimulatedAttack } from '../../../simulations/attacks/registry.ts';
import type { Scene, UpdateAttack } from '../../../simulations/attacks/scene.ts';
import { innerProduct, lengthOf, meanOf, squaredDistance } from '../../../simulations/attacks/vectors.ts';
import { normalQuantile } from '../../../simulations/random/normal-quantile.ts';
import { sceneOf, updatesOf } from './scenes.ts';

function send(text: string, scene: Scene): Promise<readonly Float32Array[]> {
  const { attack, params } = parseSimulatedAttack(text);
  return forgeUpdates(attack as UpdateAttack, scene, params);
}

describe('ALIE', () => {
  it('has the quantiles of tables', () => {
    // Abramowitz and Stegun, table 26.5, and by symmetry.
    for (const [p, z] of [
      [0.5, 0],
      [0.6, 0.2533471031357997],
      [0.975, 1.959963984540054],
      [0.999, 3.090232306167813],
      [0.1, -1.2815515655446004],
    ] as const) {
      expect(normalQuantile(p)).toBeCloseTo(z, 13);
    }
  });

  it('takes the z_max of the paper: n = 50, f = 12 leaves 38 honest, of whom 14 are needed', () => {
    expect(zMax(50, 12)).toBeCloseTo(normalQuantile(24 / 38), 14);
    expect(zMax(13, 3)).toBeCloseTo(0.2533471031357997, 13);
  });

  it('refuses to guess where attackers are a majority', () => {
    expect(() => zMax(5, 3)).toThrow(expect.objectContaining({ code: 'attack/bad-parameter' }));
    expect(() => zMax(5, 3)).toThrow('give tau as a number');
  });

  it('counts all participants of the round, not those it sees', async () => {
    const honest = updatesOf(4, 6);
    const [few] = await send('ALIE', sceneOf(honest, { byzantine: 3, participants: 13 }));
    const [same] = await send(`ALIE:tau=${zMax(13, 3)}`, sceneOf(honest));
    expect(few).toEqual(same);
  });

  it('of one update alone is that update: nothing varies', async () => {
    const [one] = updatesOf(1, 5) as [Float32Array];
    expect(await send('ALIE:tau=3', sceneOf([one]))).toEqual([one]);
  });
});

describe('attacks that know the rule', () => {
  const honest = updatesOf(10, 30);
  const spec = parseRuleSpec('NNM+TrMean:f=3');
  const seen: number[] = [];
  const scene = (): Scene =>
    sceneOf(honest, {
      byzantine: 3,
      aggregate: async (updates) => {
        seen.push(updates.length);
        return new Float32Array(
          aggregateFloats(
            updates.map((row) => Float64Array.from(row)),
            spec,
          ).output,
        );
      },
    });
  const harmOf = async (text: string): Promise<number> => {
    const all = scene();
    const sent = await send(text, all);
    return squaredDistance(await all.aggregate([...honest, ...sent]), meanOf(honest));
  };

  it('try it with all updates of the round, as often as they are asked to', async () => {
    seen.length = 0;
    await send('OptimalIPM:evals=9', scene());
    expect(seen).toEqual(Array.from({ length: 9 }, () => 13));
  });

  it('hurt at least as much as the same attack without knowing it, at any factor they tried first', async () => {
    expect(await harmOf('OptimalALIE')).toBeGreaterThanOrEqual(await harmOf('ALIE:tau=10'));
    expect(await harmOf('OptimalALIE')).toBeGreaterThanOrEqual(await harmOf('ALIE:tau=0'));
    expect(await harmOf('OptimalIPM')).toBeGreaterThanOrEqual(await harmOf('IPM:tau=10'));
  });

  it.each(['std', 'sign', 'unit'])(
    'Adaptive along %s finds more harm than Min-Max along it, and than no step',
    async (direction) => {
      const found = await harmOf(`Adaptive:direction=${direction}`);
      expect(found).toBeGreaterThan(await harmOf(`MinMax:direction=${direction}`));
      expect(found).toBeGreaterThanOrEqual(await harmOf('IPM:tau=-1'));
    },
  );

  it('Adaptive leaves the mean backwards', async () => {
    const mean = meanOf(honest);
    const [sent] = await send('Adaptive:direction=unit', scene());
    expect(innerProduct(sent as Float32Array, mean)).toBeLessThan(innerProduct(mean, mean));
  });

  it('Adaptive finds the same harm whatever the scale of updates', async () => {
    const shrunk = honest.map((update) => update.map((value) => value / 2 ** 20));
    const aggregate: Scene['aggregate'] = async (updates) =>
      new Float32Array(
        aggregateFloats(
          updates.map((row) => Float64Array.from(row)),
          spec,
        ).output,
      );
    const [large] = await send('Adaptive', sceneOf(honest, { byzantine: 3, aggregate }));
    const [small] = await send('Adaptive', sceneOf(shrunk, { byzantine: 3, aggregate }));
    expect((small as Float32Array).map((value) => value * 2 ** 20)).toEqual(large);
  });

  it('Adaptive can turn the aggregate instead', async () => {
    const mean = meanOf(honest);
    const all = scene();
    const along = async (text: string) =>
      innerProduct(await all.aggregate([...honest, ...(await send(text, all))]), mean);
    expect(await along('Adaptive:direction=unit,goal=turn')).toBeLessThan(await along('SignFlipping'));
  });
});

describe('Mimic', () => {
  it('refuses a position that nobody has', async () => {
    const refusal = send('Mimic:epsilon=5', sceneOf(updatesOf(5, 3)));
    await expect(refusal).rejects.toMatchObject({
      code: 'attack/bad-parameter',
      data: { parameter: 'epsilon', value: 5 },
    });
  });

  it('follows the direction in which updates vary most', () => {
    // Spread 5 along (3, 4) / 5, spread 0.1 across it.
    const rng = createRng(3);
    const round = (): Float32Array[] =>
      Array.from({ length: 12 }, () => {
        const [a, b] = [10 * rng.nextFloat() - 5, 0.2 * rng.nextFloat() - 0.1];
        return Float32Array.of(7 + (3 * a - 4 * b) / 5, (4 * a + 3 * b) / 5);
      });
    let known = { rounds: 0, mean: new Float64Array(2), z: Float64Array.of(1, 0.3) };
    for (let i = 0; i < 10; i += 1) known = { ...followMainDirection(known, round()) } as typeof known;
    expect(Math.abs(innerProduct(known.z, Float64Array.of(0.6, 0.8)))).toBeGreaterThan(0.999);
    expect(lengthOf(known.z)).toBeCloseTo(1, 12);
    expect(known.rounds).toBe(10);
  });

  it('copies the one farthest along it, and keeps to it after the warm-up', async () => {
    const honest = [Float32Array.of(0, 0), Float32Array.of(0, 1), Float32Array.of(9, 0), Float32Array.of(0, -1)];
    const memory = new Map<string, unknown>();
    const [first] = await send('Mimic:epsilon=search,warmup=1', sceneOf(honest, { memory }));
    const victim = honest.findIndex((update) => update.every((value, at) => value === first?.[at]));
    const { z } = memory.get('direction') as { readonly z: Float64Array };
    expect(Math.abs(z[0] as number)).toBeGreaterThan(0.99);
    // The sign of the main direction is open; the victim is the one farthest on its side.
    const along = honest.map((update) => innerProduct(update, z));
    expect(along[victim]).toBe(Math.max(...along));
    const later = [Float32Array.of(1, 1), Float32Array.of(2, 2), Float32Array.of(3, 3), Float32Array.of(4, 4)];
    expect(await send('Mimic:epsilon=search,warmup=1', sceneOf(later, { memory, round: 2 }))).toEqual([later[victim]]);
  });
});

describe('Gaussian', () => {
  it('has the mean and the deviation asked for, another draw for each attacker', async () => {
    const [a, b] = (await send('Gaussian:sigma=3,mu=-2', sceneOf([new Float32Array(20_000)], { byzantine: 2 }))) as [
      Float32Array,
      Float32Array,
    ];
    for (const update of [a, b]) {
      const mean = update.reduce((sum, value) => sum + value, 0) / update.length;
      const variance = update.reduce((sum, value) => sum + (value - mean) ** 2, 0) / update.length;
      // Five standard errors.
      expect(Math.abs(mean + 2)).toBeLessThan((5 * 3) / Math.sqrt(20_000));
      expect(Math.abs(variance - 9)).toBeLessThan(5 * 9 * Math.sqrt(2 / 20_000));
    }
    expect(a).not.toEqual(b);
  });
});

describe('free-riders', () => {
  const honest = updatesOf(4, 8);

  it('ZeroUpdate sends zeros', async () => {
    expect(await send('ZeroUpdate', sceneOf(honest, { byzantine: 2 }))).toEqual([
      new Float32Array(8),
      new Float32Array(8),
    ]);
  });

  it('DeltaWeights sends the last move, zeros before there is one, and noise of the size asked for', async () => {
    const lastMove = Float32Array.from({ length: 8 }, (_, i) => i - 3);
    expect(await send('DeltaWeights', sceneOf(honest))).toEqual([new Float32Array(8)]);
    expect(await send('DeltaWeights', sceneOf(honest, { lastMove }))).toEqual([lastMove]);
    expect(await send('DeltaWeights:scale=-2', sceneOf(honest, { lastMove }))).toEqual([lastMove.map((x) => -2 * x)]);
    const long = new Float32Array(10_000).fill(2);
    const [a, b] = await send('DeltaWeights:noise=0.5', sceneOf([long], { lastMove: long, byzantine: 2 }));
    expect(a).not.toEqual(b);
    const deviation = Math.sqrt(squaredDistance(a as Float32Array, long) / long.length);
    expect(Math.abs(deviation - 1)).toBeLessThan(0.05);
  });

  it('StaleUpdate trains once a period, and sends a copy in between', async () => {
    const memory = new Map<string, unknown>();
    const sent: number[] = [];
    for (let round = 1; round <= 7; round += 1) {
      const own = [Float32Array.of(round)];
      const [update] = await send('StaleUpdate:period=3', sceneOf([Float32Array.of(0)], { round, own, memory }));
      sent.push(update?.[0] as number);
      own[0]?.fill(-1);
    }
    expect(sent).toEqual([1, 1, 1, 4, 4, 4, 7]);
  });

  it('StaleUpdate without data of its own takes an honest update', async () => {
    expect(await send('StaleUpdate', sceneOf(honest, { byzantine: 5 }))).toEqual([...honest, honest[0]]);
  });

  it('CopiedUpdate sends somebody’s, another one in another round', async () => {
    const copied = new Set<number>();
    for (let round = 1; round <= 20; round += 1) {
      const [update] = await send('CopiedUpdate', sceneOf(honest, { round, rng: createRng(round) }));
      const whose = honest.findIndex((one) => one.every((value, at) => value === update?.[at]));
      expect(whose).toBeGreaterThanOrEqual(0);
      copied.add(whose);
    }
    expect(copied.size).toBe(4);
    const [disguised] = await send('CopiedUpdate:noise=0.1', sceneOf(honest));
    expect(honest).not.toContainEqual(disguised);
  });
});
