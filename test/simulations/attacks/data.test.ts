import { describe, expect, it } from 'vitest';
import { createRng } from '../../../shared/rng.ts';
import { triggerPositions } from '../../../simulations/attacks/pixel-trigger.ts';
import { parseSimulatedAttack } from '../../../simulations/attacks/registry.ts';
import type { DataAttack } from '../../../simulations/attacks/scene.ts';
import type { Examples } from '../../../simulations/data/dataset.ts';

const FACTS = { classes: 10, shape: [5, 6, 1] };

/** 40 images of 5 x 6 pixels, in every class four times; the brightest pixel is 0.75. */
function images(): Examples {
  const inputs = Float32Array.from({ length: 40 * 30 }, (_, i) => (i % 4) / 4);
  return { inputs, labels: Int32Array.from({ length: 40 }, (_, i) => i % 10), count: 40 };
}

/** Examples as text: comparing long arrays one by one takes its time. */
function bytesOf({ inputs, labels, count }: Examples): string {
  const text = [inputs, labels].map(({ buffer, byteOffset, byteLength }) =>
    Buffer.from(buffer, byteOffset, byteLength).toString('base64'),
  );
  return [...text, count].join();
}

function dataAttack(text: string): { attack: DataAttack; params: Readonly<Record<string, string | number>> } {
  const { attack, params } = parseSimulatedAttack(text);
  if (attack.kind !== 'data') throw new Error(`${text} is no attack on data`);
  return { attack, params };
}

describe('LabelFlipping', () => {
  it.each([
    ['LabelFlipping', [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]],
    ['LabelFlipping:next', [1, 2, 3, 4, 5, 6, 7, 8, 9, 0]],
    ['LabelFlipping:to=3', [3, 3, 3, 3, 3, 3, 3, 3, 3, 3]],
    ['LabelFlipping:from=5,to=3', [0, 1, 2, 3, 4, 3, 6, 7, 8, 9]],
    ['LabelFlipping:from=5', [0, 1, 2, 3, 4, 4, 6, 7, 8, 9]],
  ])('%s', (text, wanted) => {
    const { attack, params } = dataAttack(text);
    const before = images();
    const after = attack.poison(before, FACTS, params, createRng(1));
    expect([...after.labels.subarray(0, 10)]).toEqual(wanted);
    expect(bytesOf(after)).not.toBe(bytesOf(before));
    expect(bytesOf({ ...after, labels: before.labels })).toBe(bytesOf(images()));
    expect(bytesOf(before)).toBe(bytesOf(images()));
  });

  it.each(['to', 'from'])('refuses a class in %s that the data has not', (name) => {
    const { attack, params } = dataAttack(`LabelFlipping:${name}=10`);
    expect(() => attack.poison(images(), FACTS, params, createRng(1))).toThrow(
      expect.objectContaining({
        code: 'attack/bad-parameter',
        data: expect.objectContaining({ parameter: name, classes: 10 }),
      }),
    );
  });
});

describe('Backdoor', () => {
  it('marks the share asked for with trigger and label, and leaves the rest as it was', () => {
    const { attack, params } = dataAttack('Backdoor:fraction=0.25,size=2,target=7');
    const before = images();
    const after = attack.poison(before, FACTS, params, createRng(1));
    expect(bytesOf(before)).toBe(bytesOf(images()));
    const marked = new Set([3 * 6 + 4, 3 * 6 + 5, 4 * 6 + 4, 4 * 6 + 5]);
    let poisoned = 0;
    for (let at = 0; at < 40; at += 1) {
      const [was, is] = [before, after].map(({ inputs }) => [...inputs.subarray(at * 30, (at + 1) * 30)]) as [
        number[],
        number[],
      ];
      const isMarked = is.some((value, i) => value !== was[i]);
      if (!isMarked) {
        expect(after.labels[at]).toBe(before.labels[at]);
        continue;
      }
      poisoned += 1;
      expect(after.labels[at]).toBe(7);
      expect(is).toEqual(was.map((value, i) => (marked.has(i) ? 0.75 : value)));
    }
    expect(poisoned).toBe(10);
  });

  it('tests with every example of another class, all with the trigger and the target’s label', () => {
    const { attack, params } = dataAttack('Backdoor:size=1,target=7,value=-1');
    const test = attack.triggered?.(images(), FACTS, params) as Examples;
    expect(test.count).toBe(36);
    expect([...test.labels]).toEqual(Array.from({ length: 36 }, () => 7));
    expect(test.inputs.length).toBe(36 * 30);
    const others = [...images().labels.keys()].filter((at) => at % 10 !== 7);
    for (const [i, at] of others.entries()) {
      const wanted = images().inputs.slice(at * 30, (at + 1) * 30);
      wanted[29] = -1;
      expect(test.inputs.slice(i * 30, (i + 1) * 30)).toEqual(wanted);
    }
  });

  it('has one boost, and another set of examples for another seed', () => {
    const { attack, params } = dataAttack('Backdoor:boost=13');
    expect(attack.boost?.(params)).toBe(13);
    const labels = (seed: number) => attack.poison(images(), FACTS, params, createRng(seed)).labels;
    expect(labels(1)).toEqual(labels(1));
    expect(labels(1)).not.toEqual(labels(2));
  });

  it('refuses a target that the data has not', () => {
    const { attack, params } = dataAttack('Backdoor:target=10');
    const refusal = expect.objectContaining({ code: 'attack/bad-parameter' });
    expect(() => attack.poison(images(), FACTS, params, createRng(1))).toThrow(refusal);
    expect(() => attack.triggered?.(images(), FACTS, params)).toThrow(refusal);
  });
});

describe('a trigger', () => {
  it.each([
    [[3, 3], 2, [4, 5, 7, 8]],
    [[2, 2, 3], 1, [9, 10, 11]],
    [[2, 2, 1], 9, [0, 1, 2, 3]],
    [[6], 2, [4, 5]],
    [[3], 5, [0, 1, 2]],
  ])('in examples of shape %j of size %i is at %j', (shape, size, wanted) => {
    expect(triggerPositions(shape, size)).toEqual(wanted);
  });
});

describe('InflatedSamples', () => {
  it.each([
    ['InflatedSamples', 60, 6000],
    ['InflatedSamples:factor=0.001', 60, 1],
    ['InflatedSamples:factor=1e9', 60, 2 ** 32 - 1],
  ])('%s of %i states %i', (text, samples, wanted) => {
    const { attack, params } = parseSimulatedAttack(text);
    expect(attack.kind === 'claim' && attack.claim(samples, params)).toBe(wanted);
  });
});
