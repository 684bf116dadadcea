import { createHash } from 'node:crypto';
import type { BackendPreference } from '../../../../client/trainers/tfjs/backend.ts';
import { initialWeights } from '../../../../client/trainers/tfjs/layers-model.ts';
import { createTfjsTrainer } from '../../../../client/trainers/tfjs/tfjs-trainer.ts';
import type { TrainingSettings } from '../../../../client/trainers/tfjs/training-settings.ts';
import { makeToyData, toyArchitecture, toyTraining } from './toy.ts';

// The whole program of a process of its own: trains one round with each of the given settings, or else with the toy's, and
// prints a digest of the updates, nothing else.
const [backend, ...given] = process.argv.slice(2);
const settings = given.length === 0 ? [toyTraining] : given.map((text) => JSON.parse(text) as TrainingSettings);
const device = process.env['TRAIN_ON_DEVICE'];
const digest = createHash('sha256');
for (const training of settings) {
  const data = makeToyData();
  const preference = backend as BackendPreference;
  const backendOptions = device === undefined ? {} : { device };
  const architecture = toyArchitecture;
  const trainer = await createTfjsTrainer({ architecture, training, data, backend: preference, backendOptions });
  const { update } = await trainer.train({ weights: await initialWeights(toyArchitecture, 1), seed: 7, round: 0 });
  for (const values of update) digest.update(new Uint8Array(values.buffer));
}
process.stdout.write(`${digest.digest('hex')} ${process.listenerCount('uncaughtException')}`);
