import { describe, expect, it } from 'vitest';
import { type AuditOptions, audit } from '../../../client/auditor/audit.ts';
import type { AuditReport } from '../../../client/auditor/report.ts';
import { createRoundAuditor } from '../../../client/auditor/round-auditor.ts';
import { recoverAddress } from '../../../contracts/wallet.ts';
import type { Hex } from '../../../shared/bytes.ts';
import { decodeDocument } from '../../../shared/round/document.ts';
import { type AdmittedUpdate, type RoundFunction, transition } from '../../../shared/round/transition.ts';
import { exampleManifestJson } from '../../shared/round/example-manifest.ts';
import { createHistory, type History, type HistoryOptions, type Meddling, memoryBlobs, signers } from './history.ts';

const buffered = (maxStaleness = 2, size = 5): Readonly<Record<string, unknown>> => ({
  participation: { ...(exampleManifestJson()['participation'] as object), buffer: { size, maxStaleness } },
  aggregation: {
    rule: { rule: 'Average', pre: [], f: 0, params: {} },
    ...{ sampleCap: 102, serverStep: { name: 'FedAvg', learningRate: 40_000 } },
  },
});

const auditOf = (history: History, more: Partial<AuditOptions> = {}): Promise<AuditReport> =>
  audit({ ...history, blobs: memoryBlobs(history.blobs), recover: recoverAddress, ...more });

/** The first is always up to date, the next always one round behind, and so on: as far as there are rounds, and it may. */
const ageOf = (_round: number, participant: number): number => Math.min(2, participant);

const run = (options: HistoryOptions = {}): Promise<History> =>
  createHistory({ rounds: 4, replace: buffered(), ageOf, ...options });

const divergenceOf = async (history: History, round: number, more: Partial<AuditOptions> = {}) => {
  const { rounds } = await auditOf(history, more);
  expect(rounds.slice(0, round - 1).map(({ holds }) => holds)).toEqual(Array(round - 1).fill(true));
  return rounds[round - 1]?.divergence;
};

/** A coordinator that counts every update alike, however old it is. */
const ageless: RoundFunction = (terms, ...rest) => {
  const { buffer: _, ...participation } = terms.manifest.participation;
  return transition({ ...terms, manifest: { ...terms.manifest, participation } }, ...rest);
};

describe('an audit of buffered rounds', () => {
  it('recomputes them, whatever model each update was trained from', async () => {
    const history = await run();
    const report = await auditOf(history);
    expect(report.rounds.map(({ holds, divergence }) => divergence ?? holds)).toEqual([true, true, true, true]);
    const { contributions, weights } = decodeDocument(history.outcomes[3]?.document as Uint8Array);
    expect(new Set(contributions.map(({ parentRoot }) => parentRoot)).size).toBe(3);
    // Those who state as many samples count less the older their model is.
    expect((weights as number[])[2] as number).toBeLessThan(((weights as number[])[0] as number) * 0.6);
  });

  it('goes on in the middle, from rounds that were audited before', async () => {
    const history = await run();
    const auditor = createRoundAuditor({ ...history, blobs: memoryBlobs(history.blobs), recover: recoverAddress });
    for (const anchored of history.records.slice(0, 3)) await auditor.adopt(anchored);
    const last = history.records[3];
    expect(last && (await auditor.next(last)).verdict).toMatchObject({ round: 4, holds: true });
    await auditor.close();
  });

  it('finds that age was left out of the weights', async () => {
    const history = await run({ meddling: { 3: { transition: ageless } } });
    expect((await divergenceOf(history, 3))?.what).toBe('modelRoot');
  });

  it('finds it also where the updates have gone', async () => {
    const gone = async (options: HistoryOptions): Promise<History> => {
      const history = await run(options);
      for (const { round, contribution } of history.contributions) {
        if (round === 3) history.blobs.delete(contribution.updateRoot);
      }
      return history;
    };
    const retention = { isOver: async () => true };
    expect((await auditOf(await gone({}), { retention })).rounds[2]).toMatchObject({ holds: true, rootsOnly: true });
    const lie = await gone({ meddling: { 3: { transition: ageless } } });
    expect((await divergenceOf(lie, 3, { retention }))?.what).toBe('weightsRoot by the Gram matrix');
  });

  const restated = (change: (parentRoot: Hex) => Hex): Meddling => ({
    admitted: (admitted) =>
      admitted.map((one, index): AdmittedUpdate => {
        const { parentRoot } = one.contribution;
        if (index !== 2 || parentRoot === undefined) return one;
        return { ...one, contribution: { ...one.contribution, parentRoot: change(parentRoot) } };
      }),
  });

  it('finds that an update is called younger than its participant signed', async () => {
    const honest = await run();
    const newest = honest.records[1]?.record.modelRoot as Hex;
    const history = await run({ meddling: { 3: restated(() => newest) } });
    expect((await divergenceOf(history, 3))?.what).toBe(`signature of ${signers[2]?.address}`);
  });

  it('finds an update older than the job takes, though it is signed for', async () => {
    const lenient: RoundFunction = (terms, parent, plan, admitted, engine) => {
      const { parents = [] } = admitted;
      const genesis = terms.manifest.initialModelRoot;
      return transition(terms, parent, plan, { ...admitted, parents: [...parents, genesis] }, engine);
    };
    const history = await run({
      ageOf: (round, participant) => (round === 4 && participant === 2 ? 3 : ageOf(round, participant)),
      meddling: { 4: { transition: lenient } },
    });
    const divergence = await divergenceOf(history, 4);
    expect(divergence).toMatchObject({
      what: `parent of the update of ${signers[2]?.address}`,
      expected: 'one of the last 3 models',
      found: history.terms.manifest.initialModelRoot,
    });
  });

  it('finds more updates than the buffer takes', async () => {
    const history = await run({ replace: buffered(2, 4) });
    expect(await divergenceOf(history, 1)).toMatchObject({ what: 'participants', expected: 'at most the buffer of 4' });
    const four = await run({ replace: buffered(2, 4), party: signers.slice(0, 4) });
    expect((await auditOf(four)).holds).toBe(true);
  });

  it('finds a parent named in a job that is not buffered, where none is', async () => {
    const named: Meddling = {
      admitted: (admitted) =>
        admitted.map((one) => ({ ...one, contribution: { ...one.contribution, parentRoot: `0x${'11'.repeat(32)}` } })),
    };
    const divergence = await divergenceOf(await createHistory({ meddling: { 2: named } }), 2);
    expect(divergence?.what).toBe(`parent of the update of ${signers[0]?.address}`);
  });

  it('finds a parent left out where the job is buffered', async () => {
    const unnamed: Meddling = {
      transition: ageless,
      admitted: (admitted) =>
        admitted.map(({ update, contribution: { parentRoot: _, ...contribution } }) => ({ update, contribution })),
    };
    const divergence = await divergenceOf(await run({ meddling: { 2: unnamed } }), 2);
    expect(divergence).toMatchObject({ found: 'none named' });
  });
});
