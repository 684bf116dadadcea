import { describe, expect, it } from 'vitest';
import { parseArchitecture } from '../../../../client/trainers/tfjs/architecture.ts';
import { describeTensors, initialWeights } from '../../../../client/trainers/tfjs/layers-model.ts';
import { nextCharacterJob } from '../../../../simulations/demo/next-character.ts';
import { toyArchitecture } from './toy.ts';

const withLayers = (...layers: unknown[]): unknown => ({ class_name: 'Sequential', config: { name: 'm', layers } });
const layer = (kind: string, config: Record<string, unknown> = {}): unknown => ({
  class_name: kind,
  config: { name: kind.toLowerCase(), ...config },
});
const refused = (message: string): unknown =>
  expect.objectContaining({ code: 'trainer/bad-architecture', message: expect.stringContaining(message) });

describe('parseArchitecture', () => {
  it('accepts the job of the demonstration', () => {
    expect(parseArchitecture(nextCharacterJob.architecture)).toBe(nextCharacterJob.architecture);
  });

  it.each([
    ['Lambda', 'an architecture is data'],
    ['Dropout', 'random numbers'],
    ['Conv3D', 'WASM'],
    ['LSTM', 'Conv1D'],
    ['BatchNormalization', 'moving averages'],
    ['SomethingElse', 'is not allowed'],
    ['constructor', 'is not allowed'],
  ])('refuses the layer %s and says why', (kind, why) => {
    expect(() => parseArchitecture(withLayers(layer(kind)))).toThrow(refused(why));
  });

  it.each([
    ['not an object', null, 'must be an object'],
    ['another class', { class_name: 'Evil', config: {} }, 'class_name'],
    ['no layers', withLayers(), 'config.layers'],
    ['too many layers', withLayers(...Array(300).fill(layer('Flatten'))), 'at most 256'],
    ['a layer without config', withLayers({ class_name: 'Dense' }), 'class_name and a config'],
    ['a layer without name', withLayers({ class_name: 'Dense', config: {} }), 'no name'],
    ['one name twice', withLayers(layer('Flatten'), layer('Flatten')), 'two layers'],
    ['a nested model', withLayers(layer('Sequential', { layers: [] })), 'is not allowed'],
    ['a softmax at the end', withLayers(layer('Dense', { activation: 'softmax' })), 'logits'],
    ['channels first', withLayers(layer('Conv2D', { data_format: 'channels_first' })), 'channels last'],
    ['dilated convolutions', withLayers(layer('Conv2D', { dilation_rate: [1, 2] })), 'dilation_rate to [1,2]'],
    ['means over the edge', withLayers(layer('AveragePooling2D', { padding: 'same' })), 'over the edge'],
    ['masks', withLayers(layer('Embedding', { mask_zero: true })), 'mask_zero'],
    ['state', withLayers(layer('Dense', { stateful: true })), 'stateful'],
    ['a regularizer', withLayers(layer('Dense', { kernel_regularizer: { class_name: 'L1L2' } })), 'kernel_regularizer'],
  ])('refuses %s', (_, architecture, why) => {
    expect(() => parseArchitecture(architecture)).toThrow(refused(why));
  });
});

describe('describeTensors', () => {
  it('names tensors the same however often a model is built', async () => {
    const expected = [
      { name: 'hidden/kernel', shape: [6, 8] },
      { name: 'hidden/bias', shape: [8] },
      { name: 'logits/kernel', shape: [8, 3] },
      { name: 'logits/bias', shape: [3] },
    ];
    expect(await describeTensors(toyArchitecture)).toEqual(expected);
    expect(await describeTensors(toyArchitecture)).toEqual(expected);
  });

  it('explains a model that cannot be built', async () => {
    const noInput = { class_name: 'Sequential', config: { name: 'm', layers: [layer('Dense', { units: 3 })] } };
    await expect(describeTensors(noInput)).rejects.toMatchObject({ code: 'trainer/bad-architecture' });
    const noUnits = { class_name: 'Sequential', config: { name: 'm', layers: [layer('Dense')] } };
    await expect(describeTensors(noUnits)).rejects.toMatchObject({ code: 'trainer/bad-architecture' });
  });
});

describe('initialWeights', () => {
  it('follows the uniform law within its limit and repeats with its seed', async () => {
    const [kernel, bias] = await initialWeights(nextCharacterJob.architecture, 5).then((all) => [all[1], all[2]]);
    const limit = Math.fround(Math.sqrt(6 / (384 + 192)));
    const values = [...(kernel ?? [])];
    expect(values.length).toBe(384 * 192);
    expect(values.every((value) => Math.abs(value) <= limit)).toBe(true);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const variance = values.reduce((sum, value) => sum + value * value, 0) / values.length;
    expect(Math.abs(mean)).toBeLessThan(0.02 * limit);
    expect(variance).toBeGreaterThan(0.98 * (limit ** 2 / 3));
    expect(variance).toBeLessThan(1.02 * (limit ** 2 / 3));
    expect(bias?.every((value) => value === 0)).toBe(true);
    expect(await initialWeights(toyArchitecture, 5)).toEqual(await initialWeights(toyArchitecture, 5));
    expect(await initialWeights(toyArchitecture, 6)).not.toEqual(await initialWeights(toyArchitecture, 5));
  });
});
