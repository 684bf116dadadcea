import { describe, expect, it } from 'vitest';
import { type AuditOptions, audit } from '../../../client/auditor/audit.ts';
import type { AuditReport, RoundVerdict } from '../../../client/auditor/report.ts';
import { recoverAddress } from '../../../contracts/wallet.ts';
import type { ServerStep } from '../../../shared/fixed-point/server-step-settings.ts';
import { SERVER_STEPS } from '../../shared/round/server-steps.ts';
import { createHistory, type History, type HistoryOptions, memoryBlobs, signers } from './history.ts';

const auditOf = (history: History, more: Partial<AuditOptions> = {}): Promise<AuditReport> =>
  audit({ ...history, blobs: memoryBlobs(history.blobs), recover: recoverAddress, ...more });

const rule = (
  name: string,
  f: number,
  pre: readonly string[] = [],
  params: Record<string, unknown> = {},
  serverStep: ServerStep = { name: 'FedAvg', learningRate: 40_000 },
) => ({
  aggregation: {
    rule: { rule: name, pre, f, params },
    sampleCap: 102,
    serverStep,
  },
});

describe('an honest history', () => {
  const histories: [string, HistoryOptions][] = [
    ['by the trimmed mean', {}],
    ['by the median', { replace: rule('Median', 1) }],
    ['by the weighted mean', { replace: rule('Average', 0) }],
    ['by Krum', { replace: rule('Krum', 1) }],
    ['by the trimmed mean behind NNM', { replace: rule('TrMean', 1, ['NNM']) }],
    [
      'by an allow-list',
      {
        replace: {
          participation: {
            admission: signers.map(({ address }) => address),
            expected: 5,
            quorum: 5,
            deadlineMs: 1,
            retries: 0,
          },
        },
      },
    ],
    ...SERVER_STEPS.map((step): [string, HistoryOptions] => [
      `by ${step.name}`,
      { replace: rule('TrMean', 1, [], {}, step), rounds: 4 },
    ]),
    ['with attempts that were restarted', { attempts: [0, 2, 2] }],
    ['of one round', { rounds: 1 }],
    ['of no round', { rounds: 0 }],
    ['scored by confirmation', { replace: { rewards: { pricePerRound: '1000', score: 'confirmation' } } }],
    ['that pays nothing', { replace: { rewards: { pricePerRound: '0' } } }],
  ];

  it.each(histories)('%s holds', async (_, options) => {
    const history = await createHistory(options);
    const report = await auditOf(history);
    expect(report).toEqual({
      holds: true,
      origin: { holds: true },
      rounds: history.records.map(({ record: { round, attempt, modelRoot } }) => ({
        round,
        attempt,
        modelRoot,
        holds: true,
      })),
    });
  });

  it('is judged round by round, in order, as the audit goes', async () => {
    const history = await createHistory();
    const seen: RoundVerdict[] = [];
    const report = await auditOf(history, { onRound: (verdict) => seen.push(verdict) });
    expect(seen).toEqual(report.rounds);
    expect(seen.map(({ round }) => round)).toEqual([1, 2, 3]);
  });

  it('pays everybody who helped, so that rewards are something to tamper with', async () => {
    const { outcomes } = await createHistory();
    for (const { earned } of outcomes) expect(earned.filter((amount) => amount > 0n).length).toBe(5);
  });

  it('goes on from each scale to the next by the rule', async () => {
    const { records } = await createHistory();
    expect(new Set(records.map(({ record }) => record.updateBits)).size).toBeGreaterThan(1);
  });
});

describe('the vault', () => {
  const vaultOf = ({ records }: History, round: number) => ({
    activatedRound: round,
    rewardsRoot: records[round - 1]?.record.rewardsRoot ?? (`0x${'00'.repeat(32)}` as const),
    activated: records[round - 1]?.record.rewardsTotal ?? 0n,
    isFinal: async () => true,
  });

  it('holds when it pays a final round, or nothing yet', async () => {
    const history = await createHistory();
    for (const round of [0, 1, 3]) {
      const report = await auditOf(history, { vault: vaultOf(history, round) });
      expect(report.vault).toEqual({ holds: true });
      expect(report.holds).toBe(true);
    }
  });

  it.each([
    ['another root', { rewardsRoot: `0x${'ab'.repeat(32)}` as const }, 'activated rewardsRoot'],
    ['another total', { activated: 1n }, 'activated total'],
    ['a round that is not anchored', { activatedRound: 9 }, 'activated round'],
    ['a round in its window', { isFinal: async () => false }, 'activated round'],
    [
      'a total before any round',
      { activatedRound: 0, rewardsRoot: `0x${'00'.repeat(32)}` as const },
      'activated total',
    ],
    ['a root before any round', { activatedRound: 0, activated: 0n }, 'activated rewardsRoot'],
  ])('does not hold when it pays %s', async (_, change, what) => {
    const history = await createHistory();
    const report = await auditOf(history, { vault: { ...vaultOf(history, 2), ...change } });
    expect(report.vault?.divergence?.what).toBe(what);
    expect(report.holds).toBe(false);
    expect(report.rounds.every(({ holds }) => holds)).toBe(true);
  });

  it('does not hold when the round it pays does not', async () => {
    const history = await createHistory({
      meddling: {
        2: {
          outcome: (outcome) => ({ ...outcome, record: { ...outcome.record, scoresRoot: outcome.record.gramRoot } }),
        },
      },
    });
    const report = await auditOf(history, { vault: vaultOf(history, 2) });
    expect(report.vault?.divergence).toMatchObject({ what: 'activated round', expected: 'a round that holds' });
  });
});

describe('what the chain says of the job', () => {
  const other = `0x${'ee'.repeat(32)}` as const;
  it.each([
    ['job', { job: other }, 'job'],
    ['fixedPlanHash', { fixedPlanHash: other }, 'fixedPlanHash of the job'],
    ['tensorTableRoot', { tensorTableRoot: other }, 'tensorTableRoot of the job'],
    ['genesisModelRoot', { genesisModelRoot: other }, 'genesisModelRoot of the job'],
    ['pricePerRound', { pricePerRound: 7n }, 'pricePerRound of the job'],
    ['maxRounds', { maxRounds: 99 }, 'maxRounds of the job'],
    ['windowTicks', { windowTicks: 99 }, 'windowTicks of the job'],
    ['manifestHash', { manifestHash: other }, 'manifest'],
  ])('is held to the manifest: %s', async (_, change, what) => {
    const history = await createHistory();
    const report = await auditOf(history, { facts: { ...history.facts, ...change } });
    expect(report.origin.divergence?.what).toBe(what);
    expect(report.holds).toBe(false);
    expect(report.rounds.map(({ divergence }) => divergence?.what)).toEqual(['parent', 'parent', 'parent']);
  });

  it.each([
    ['chain', { chainId: 1n }],
    ['contract', { anchor: `0x${'a2'.repeat(20)}` as const }],
  ])('binds heads and signatures to one %s', async (_, change) => {
    const history = await createHistory();
    const report = await auditOf(history, { facts: { ...history.facts, ...change } });
    expect(report.rounds[0]?.divergence?.what).toBe('head');
  });
});
