import { expect, it } from 'vitest';
import { dealData } from '../../../../simulations/bench/wire/deal.ts';
import { type FederationOptions, playFederation } from '../../../../simulations/bench/wire/federation.ts';
import { makeToyData, toyArchitecture, toyTraining } from '../../../client/trainers/tfjs/toy.ts';

const options: FederationOptions = {
  ...{ architecture: toyArchitecture, training: toyTraining, data: dealData(makeToyData(), 2, 200) },
  ...{ rule: { rule: 'Average', pre: [], f: 0, params: {} }, wire: { format: 'int16' }, rounds: 3, seed: 1 },
};

it('deals every client examples of its own', () => {
  const [first, second] = dealData({ ...makeToyData(), samples: 10 }, 3, 100);
  expect(first?.samples).toBe(3);
  const inputsOf = (positions: number[]): Float32Array => makeToyData().examples(positions).inputs;
  expect(first?.examples([0, 2, 0]).inputs).toEqual(inputsOf([0, 6, 0]));
  expect(second?.examples([1]).inputs).toEqual(inputsOf([4]));
  expect(dealData(makeToyData(), 2, 50)[0]?.samples).toBe(50);
});

it('learns, the same again from the same seed, with fewer bytes in fewer bits', async () => {
  const plain = await playFederation(options);
  expect(plain.accuracy).toBeGreaterThan(0.6);
  expect(plain.bytesPerUpdate).toBe(2 * plain.dimension);
  const few = await playFederation({ ...options, wire: { format: 'int4', errorFeedback: true } });
  expect(few.accuracy).toBeGreaterThan(0.6);
  expect(few.bytesPerUpdate).toBe(1 + 33 * (plain.dimension / 64));
  expect(await playFederation({ ...options, wire: { format: 'int4', errorFeedback: true } })).toEqual(few);
});
