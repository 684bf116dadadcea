import { describe, expect, it } from 'vitest';
import { ManifestError, parseManifest } from '../../../shared/round/manifest.ts';
import { exampleManifestJson } from './example-manifest.ts';
import { SERVER_STEPS } from './server-steps.ts';

const withStep = (serverStep: unknown): Record<string, unknown> => {
  const json = exampleManifestJson();
  return { ...json, aggregation: { ...(json['aggregation'] as object), serverStep } };
};

const stepOf = (name: string): Record<string, unknown> => ({ ...SERVER_STEPS.find((step) => step.name === name) });

function refusalOf(serverStep: unknown): ManifestError {
  try {
    parseManifest(withStep(serverStep));
  } catch (error) {
    if (error instanceof ManifestError) return error;
    throw error;
  }
  throw new Error('it was accepted');
}

describe('a manifest with a server step', () => {
  it.each(SERVER_STEPS)('holds $name with its parameters and nothing else', (step) => {
    expect(parseManifest(withStep(step)).aggregation.serverStep).toEqual(step);
  });

  it.each([
    ['FedAvgM', 'learningRate', 0],
    ['FedAvgM', 'learningRate', 2 ** 20 + 1],
    ['FedAvgM', 'momentum', 65536],
    ['FedAvgM', 'momentum', undefined],
    ['FedAdagrad', 'beta1', -1],
    ['FedYogi', 'beta2', 0.9],
    ['FedYogi', 'beta2', undefined],
    ['FedAdam', 'beta1', '58982'],
    ['FedAdam', 'tau', 0],
    ['FedAdam', 'tau', 2 ** 30 + 1],
  ])('names the parameter of %s that is at fault: %s of %j', (name, member, value) => {
    const error = refusalOf({ ...stepOf(name), [member]: value });
    expect(error.code).toBe('manifest/invalid');
    expect(error.data['field']).toBe(`aggregation.serverStep.${member}`);
  });

  it.each([
    ['FedAvg', 'momentum'],
    ['FedAdagrad', 'beta2'],
    ['FedAdam', 'momentum'],
  ])('refuses a parameter that %s does not have: %s', (name, member) => {
    const step = name === 'FedAvg' ? { name, learningRate: 1 } : stepOf(name);
    expect(refusalOf({ ...step, [member]: 5 }).message).toContain(member);
  });

  it('names the steps there are when it is asked for another', () => {
    const error = refusalOf({ name: 'FedProx', learningRate: 65536 });
    expect(error.data['field']).toBe('aggregation.serverStep.name');
    expect(error.message).toMatch(/FedAvg, FedAvgM, FedAdagrad, FedYogi or FedAdam/);
  });
});
