import { describe, expect, it } from 'vitest';
import { readWork, workOf } from '../../../client/agent/read-work.ts';
import type { JobFacts } from '../../../contracts/ledger/facts.ts';
import type { Manifest } from '../../../shared/round/manifest.ts';
import { hash, wallet } from '../../contracts/harness.ts';
import { startServer } from '../../coordinator/server-harness.ts';
import { createToyJob } from '../toy-job.ts';

const manifestWith = (task: object, participation: object = {}): Manifest => {
  const { manifest } = createToyJob().terms;
  return {
    ...manifest,
    task: { ...manifest.task, ...task },
    participation: { ...manifest.participation, ...participation },
  };
};

describe('what an agent reads of a manifest', () => {
  it('is the work it asks for and what a share of the pot would be', () => {
    const training = { steps: 7, epochs: '3', batchSize: 16 };
    const asked = manifestWith({ training }, { expected: 9, sample: { size: 4, extra: 1 } });
    expect(workOf(asked)).toEqual({
      ...{ task: 'toy', steps: 7, epochs: undefined, batchSize: 16, parameters: 43, sharers: 4 },
      ...{ isAdmitted: true, publishedBytes: undefined },
    });
    expect(workOf(manifestWith({ training: [] }, { expected: 9 }))).toMatchObject({ steps: undefined, sharers: 9 });
  });

  it('tells how many bytes are published', () => {
    const file = (name: string, bytes: number) => ({ name, bytes, sha256: hash(name) });
    const source = { kind: 'published', shards: 2, exact: true, files: [file('a', 5), file('b', 7)] };
    expect(workOf(manifestWith({ data: { source } })).publishedBytes).toBe(12);
    expect(() => workOf(manifestWith({ data: { source: { kind: 'published' } } }))).toThrow(
      expect.objectContaining({ code: 'public-data/invalid' }),
    );
  });

  it('is nothing but a refusal where the coordinator does not admit the account', async () => {
    const { url, world } = await startServer();
    const { job } = world.job.terms;
    const facts = {
      chainId: 31337n,
      anchor: wallet('y').address,
      job,
      manifestHash: job,
      coordinator: wallet('x').address,
    };
    const work = await readWork(url, true, wallet('stranger to the job'), facts as unknown as JobFacts);
    expect(work).toMatchObject({ isAdmitted: false });
  });
});
