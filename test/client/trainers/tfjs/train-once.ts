import { createHash } from 'node:crypto';
import type { BackendPreference } from '../../../../client/trainers/tfjs/backend.ts';
import { initialWeights } from '../../../../client/trainers/tfjs/layers-model.ts';
import { createTfjsTrainer } from '../../../../client/trainers/tfjs/tfjs-trainer.ts';
import { makeToyData, toyArchitecture, toyTraining } from './toy.ts';

// The whole program of a process of its own: trains one round and prints a digest of the update, nothing else.
const backend = process.argv[2] as BackendPreference;
const data = makeToyData();
const trainer = await createTfjsTrainer({ architecture: toyArchitecture, training: toyTraining, data, backend });
const { update } = await trainer.train({ weights: await initialWeights(toyArchitecture, 1), seed: 7, round: 0 });
const digest = createHash('sha256');
for (const values of update) digest.update(new Uint8Array(values.buffer));
process.stdout.write(`${digest.digest('hex')} ${process.listenerCount('uncaughtException')}`);
