import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { checkWork, DEFAULT_WORK_LIMITS, type WorkLimits } from '../../../client/limits/work-limits.ts';
import { checkTerms } from '../../../client/session/check-terms.ts';
import { parseTrainingSettings } from '../../../client/trainers/tfjs/training-settings.ts';
import { utf8 } from '../../../shared/bytes.ts';
import { manifestHash, parseManifest } from '../../../shared/round/manifest.ts';
import { startScriptedCoordinator } from '../scripted-coordinator.ts';
import { createToyJob } from '../toy-job.ts';
import { startVictim, type Victim, victimWallet } from './victim.ts';

let victim: Victim | undefined;
afterEach(async () => {
  await victim?.close();
  victim = undefined;
});

const limits: WorkLimits = { ...DEFAULT_WORK_LIMITS, memoryBytes: 4 * 2 ** 30 };
const task = (training: unknown) => ({ kind: 'toy', architecture: {}, training, data: {} }) as never;
const tensors = createToyJob().terms.manifest.tensors;

describe('a publisher whose manifest is a trap', () => {
  it.each([
    ['steps', { steps: 1e9 }],
    ['epochs', { epochs: 1e9 }],
    ['batchSize', { steps: 1, batchSize: 1e9 }],
    ['steps', { steps: Number.MAX_VALUE }],
  ])('asks for too many %s', (field, training) => {
    expect(() => checkWork({ task: task(training), tensors }, limits)).toThrow(
      expect.objectContaining({
        code: 'limits/too-much-work',
        data: expect.objectContaining({ field: `task.training.${field}` }),
      }),
    );
  });

  it('asks for a model larger than any memory', () => {
    const shape = [2 ** 31, 2 ** 31, 2 ** 31, 2 ** 31, 2 ** 31, 2 ** 31, 2 ** 31, 2 ** 31];
    const huge = [{ name: 'w', shape, fractionBits: 24, preScaleBits: 0 }];
    expect(() => checkWork({ task: task({}), tensors: huge }, limits)).toThrow(
      expect.objectContaining({ code: 'limits/too-much-memory' }),
    );
  });

  it('gets what a client allows, and no limit is met by leaving it out', () => {
    fc.assert(
      fc.property(fc.nat({ max: 200_000 }), fc.nat({ max: 2000 }), (steps, epochs) => {
        const isAllowed = steps <= limits.steps && epochs <= limits.epochs;
        const check = () => checkWork({ task: task({ steps, epochs }), tensors }, limits);
        if (isAllowed) expect(check()).toBeUndefined();
        else expect(check).toThrow(expect.objectContaining({ code: 'limits/too-much-work' }));
      }),
    );
    expect(checkWork({ task: task('a string'), tensors }, limits)).toBeUndefined();
    expect(checkWork({ task: task(JSON.parse('{"__proto__":{"steps":1e9}}')), tensors }, limits)).toBeUndefined();
  });

  it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])('asks to learn at a rate of %d', (learningRate) => {
    const training = { optimizer: 'sgd', learningRate, momentum: 0, batchSize: 1, steps: 1 };
    expect(() => parseTrainingSettings(training)).toThrow(expect.objectContaining({ code: 'trainer/bad-training' }));
  });

  it.each([
    ['nests without end', `${'['.repeat(100_000)}${']'.repeat(100_000)}`, 'codec/too-deep'],
    ['is no JSON', '{', 'codec/not-json'],
    ['says one thing twice', '{"a":1,"a":2}', 'codec/not-canonical'],
    ['has keys of the prototype', '{"__proto__":{"polluted":true},"constructor":{"prototype":{}}}', 'manifest/invalid'],
  ])('%s', (_, text, code) => {
    const bytes = utf8(text);
    const { terms } = createToyJob();
    const facts = {
      ...{ chainId: 1n, anchor: '0x' as const, job: terms.job, fixedPlanHash: terms.fixedPlanHash },
      ...{ tensorTableRoot: terms.tensorTableRoot, genesisModelRoot: terms.manifest.initialModelRoot },
      ...{ coordinator: '0x' as const, manifestHash: manifestHash(bytes) },
    };
    expect(() => checkTerms(bytes, facts, victimWallet.address)).toThrow(expect.objectContaining({ code }));
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it.each(['../../../../tmp/escaped', '/etc/passwd', '..\\..\\x', 'a\u0000b', '__proto__', 'constructor'])(
    'names a tensor %j: it is a name, and no path',
    async (name) => {
      const trap = createToyJob(40, {
        tensors: [
          { name, shape: [40], fractionBits: 24, preScaleBits: 0 },
          { name: 'bias', shape: [3], fractionBits: 24, preScaleBits: 0 },
        ],
        name: `${name}\u001b[2J`,
        task: { kind: name, architecture: { class_name: name }, training: { [name]: 1 }, data: { path: name } },
      });
      victim = await startVictim({}, trap);
      await victim.coordinator.answered('job.join', 1);
      await victim.answersHonestly(0);
    },
  );

  it('is not run, whatever it holds: text that is code stays text', () => {
    const code = 'globalThis.polluted = true; process.exit(1)';
    const { manifest } = createToyJob().terms;
    const read = parseManifest({ ...manifest, name: code, task: { ...manifest.task, kind: code, data: { code } } });
    expect(read.task.kind).toBe(code);
    expect((globalThis as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it('serves another manifest than the one on chain', async () => {
    victim = await startVictim();
    const other = createToyJob(40, { name: 'other' });
    const coordinator = await startScriptedCoordinator(other.terms, other.models);
    coordinator.blobs.set(victim.job.terms.job, other.terms.manifestBytes);
    const duped = await startVictim({ coordinatorUrl: coordinator.url });
    await expect(duped.running).rejects.toMatchObject({ code: 'session/chain-mismatch' });
    await duped.close();
    await coordinator.close();
  });
});
