import { describe, expect, it } from 'vitest';
import { type AuditOptions, audit } from '../../../client/auditor/audit.ts';
import type { AuditReport } from '../../../client/auditor/report.ts';
import { roundLine, summary } from '../../../client/auditor/report-text.ts';
import { createRetentionView } from '../../../client/auditor/retention.ts';
import { recoverAddress } from '../../../contracts/wallet.ts';
import type { Hex } from '../../../shared/bytes.ts';
import { weightsRoot } from '../../../shared/commitments/number-trees.ts';
import type { ServerStep } from '../../../shared/fixed-point/server-step-settings.ts';
import { decodeDocument, encodeDocument } from '../../../shared/round/document.ts';
import type { RoundOutcome } from '../../../shared/round/transition.ts';
import { SERVER_STEPS } from '../../shared/round/server-steps.ts';
import { createHistory, type History, type HistoryOptions, type Meddling, memoryBlobs, sha256Hex } from './history.ts';

const over = { isOver: async () => true };
const auditOf = (history: History, more: Partial<AuditOptions> = {}): Promise<AuditReport> =>
  audit({ ...history, blobs: memoryBlobs(history.blobs), recover: recoverAddress, retention: over, ...more });

/** Drops the updates of these rounds. */
function withoutUpdates(history: History, rounds: readonly number[]): History {
  const blobs = new Map(history.blobs);
  for (const { contribution } of history.contributions.filter(({ round }) => rounds.includes(round))) {
    blobs.delete(contribution.updateRoot);
  }
  return { ...history, blobs };
}

const gram: HistoryOptions = {
  replace: {
    aggregation: {
      rule: { rule: 'Krum', pre: [], f: 1, params: {} },
      sampleCap: 102,
      serverStep: { name: 'FedAvg', learningRate: 40_000 },
    },
  },
};

const withStep = (serverStep: ServerStep): HistoryOptions => ({
  replace: { aggregation: { rule: { rule: 'TrMean', pre: [], f: 1, params: {} }, sampleCap: 102, serverStep } },
});

describe('rounds whose updates have gone', () => {
  it.each([
    ['by a coordinate rule', {}],
    ['by a Gram rule', gram],
    ['scored by confirmation', { replace: { rewards: { pricePerRound: '1000', score: 'confirmation' } } }],
    ...SERVER_STEPS.map((step): [string, HistoryOptions] => [`by ${step.name}`, withStep(step)]),
  ])('hold by their roots when their retention is over, and say that it is only by them: %s', async (_, options) => {
    const report = await auditOf(withoutUpdates(await createHistory(options), [1, 2]));
    expect(report.rounds.map(({ holds, rootsOnly }) => [holds, rootsOnly])).toEqual([
      [true, true],
      [true, true],
      [true, undefined],
    ]);
    expect(report.holds).toBe(true);
    expect(summary(report)).toContain('1 of 3 rounds recompute');
    expect(summary(report)).toContain('of the other 2, whose updates have gone, the roots are consistent');
    const [first] = report.rounds;
    expect(first && roundLine(first)).toMatch(/not recomputable any more/);
    expect(report.rounds[2] && roundLine(report.rounds[2])).toMatch(/recomputed/);
  });

  it.each(['gone', 'damaged'])('hide no signature that is none, where the first of them is %s', async (how) => {
    const forged: Meddling = {
      admitted: (admitted) =>
        admitted.map((one, row) => {
          const { contribution } = one;
          const signature = (row === 3 ? admitted[2] : one)?.contribution.signature as Hex;
          return { ...one, contribution: { ...contribution, signature } };
        }),
    };
    const history = await createHistory({ rounds: 1, meddling: { 1: forged } });
    const [first, , , third] = history.contributions;
    const id = first?.contribution.updateRoot as Hex;
    if (how === 'gone') history.blobs.delete(id);
    else history.blobs.set(id, new Uint8Array(history.blobs.get(id)?.length ?? 0));
    const report = await auditOf(history);
    expect(report.rounds[0]?.divergence?.what).toBe(`signature of ${third?.contribution.participant}`);
  });

  it('do not hold while their retention is not over', async () => {
    const history = withoutUpdates(await createHistory(), [2]);
    for (const retention of [undefined, { isOver: async (round: number) => round < 2 }]) {
      const report = await audit({
        ...{ ...history, blobs: memoryBlobs(history.blobs), recover: recoverAddress },
        ...(retention && { retention }),
      });
      expect(report.rounds[1]?.divergence).toMatchObject({ found: 'no such blob' });
      expect(report.holds).toBe(false);
    }
  });

  it('are asked about with the retention of the manifest', async () => {
    const asked: [number, number][] = [];
    const history = withoutUpdates(await createHistory({ replace: { retentionS: 77 } }), [3]);
    await auditOf(history, {
      retention: {
        isOver: async (...question) => {
          asked.push(question);
          return true;
        },
      },
    });
    expect(asked).toEqual([[3, 77]]);
  });

  const other = `0x${'ee'.repeat(32)}` as const;
  const alter = (change: (outcome: RoundOutcome) => RoundOutcome): HistoryOptions => ({
    meddling: { 2: { outcome: change } },
  });
  const record = (changes: Partial<RoundOutcome['record']>): HistoryOptions =>
    alter((outcome) => ({ ...outcome, record: { ...outcome.record, ...changes } }));
  it.each([
    ['gramRoot', record({ gramRoot: other }), 'gramRoot'],
    ['weightsRoot', record({ weightsRoot: other }), 'weightsRoot'],
    ['scoresRoot', record({ scoresRoot: other }), 'scoresRoot'],
    ['rewardsRoot', record({ rewardsRoot: other }), 'rewardsRoot'],
    ['rewardsTotal', record({ rewardsTotal: 5n }), 'rewardsTotal'],
    ['fixedPlanHash', record({ fixedPlanHash: other }), 'fixedPlanHash'],
    ['tensorTableRoot', record({ tensorTableRoot: other }), 'tensorTableRoot'],
    ['serverStateRoot', record({ serverStateRoot: other }), 'serverStateRoot by the aggregate'],
    ['contributionsRoot', record({ contributionsRoot: other }), 'contributionsRoot'],
    [
      'model',
      alter((outcome) => {
        const model = outcome.model.map((value, at) => (at === 3 ? value + 1 : value));
        return { ...outcome, model };
      }),
      'published model',
    ],
    ['modelRoot', record({ modelRoot: other }), 'modelRoot by the aggregate'],
    ['aggregateRoot', record({ aggregateRoot: other }), 'published aggregate'],
    ...SERVER_STEPS.map((step): [string, HistoryOptions, string] => [
      `serverStateRoot of ${step.name}`,
      { ...withStep(step), ...record({ serverStateRoot: other }) },
      'serverStateRoot by the aggregate',
    ]),
    [
      'weights, in document and record alike',
      {
        ...gram,
        ...alter((outcome) => {
          const weights = [0, 0, 0, 0, 2 ** 30];
          const bytes = encodeDocument({ ...decodeDocument(outcome.document), weights });
          const changes = { weightsRoot: weightsRoot(weights), location: sha256Hex(bytes) };
          return { ...outcome, document: bytes, record: { ...outcome.record, ...changes } };
        }),
      },
      'weightsRoot by the Gram matrix',
    ],
  ])('do not hold with another %s', async (_, options, what) => {
    const report = await auditOf(withoutUpdates(await createHistory(options), [2]));
    expect(report.rounds[1]?.divergence?.what).toBe(what);
    expect(report.holds).toBe(false);
  });
});

describe('whether retention is over', () => {
  const ledger = (nowS: number) => ({
    facts: async () => ({ ringSize: 2 }) as never,
    latestRound: async () => 3,
    chainTimeS: async () => nowS,
    finality: async (round: number) =>
      round >= 2 ? { anchored: true, finalAtS: 100 * round } : { anchored: false, finalAtS: 0 },
  });
  it.each([
    [349, 3, false],
    [350, 3, true],
    [249, 2, false],
    [250, 2, true],
    // No longer in the ring: final no later than the oldest that is.
    [249, 1, false],
    [250, 1, true],
    [9999, 4, true],
  ])('is told by the chain: at %i s for round %i: %s', async (nowS, round, expected) => {
    const view = createRetentionView({
      ...ledger(nowS),
      finality: async (asked) => (asked === 4 ? { anchored: true, finalAtS: 400 } : ledger(nowS).finality(asked)),
    });
    expect(await view.isOver(round, 50)).toBe(expected);
  });

  it('is never over for a round that is not anchored', async () => {
    const view = createRetentionView({ ...ledger(9999), finality: async () => ({ anchored: false, finalAtS: 0 }) });
    expect(await view.isOver(4, 0)).toBe(false);
  });
});
