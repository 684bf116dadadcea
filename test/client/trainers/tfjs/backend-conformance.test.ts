import { expect, it } from 'vitest';
import { SAMPLE_MODELS } from '../../../../client/check-gpu/sample-models.ts';
import { ALLOWED_LAYERS } from '../../../../client/trainers/tfjs/allowed-layers.ts';
import { parseArchitecture } from '../../../../client/trainers/tfjs/architecture.ts';
import { describeTrainingBackend } from '../../../conformance/training-backend.ts';

describeTrainingBackend('cpu', { leakRounds: 8 });
describeTrainingBackend('wasm', { leakRounds: 8 });

it('is a suite that trains every layer class a job may use', () => {
  const kinds = SAMPLE_MODELS.flatMap(({ architecture }) => {
    const { layers } = parseArchitecture(architecture)['config'] as { layers: { class_name: string }[] };
    return layers.map(({ class_name }) => class_name);
  });
  expect([...new Set(kinds)].sort()).toEqual([...ALLOWED_LAYERS].sort());
});
