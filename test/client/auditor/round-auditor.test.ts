import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { afterEach, describe, expect, it } from 'vitest';
import { audit } from '../../../client/auditor/audit.ts';
import { createRoundAuditor, type RoundAuditor } from '../../../client/auditor/round-auditor.ts';
import { recoverAddress } from '../../../contracts/wallet.ts';
import { createEngine } from '../../../shared/runtime/engine/create-engine.ts';
import { createHistory, type History, memoryBlobs, signers } from './history.ts';

const auditors: RoundAuditor[] = [];
afterEach(async () => {
  for (const auditor of auditors.splice(0)) await auditor.close();
});

function open(history: History, more: Partial<Parameters<typeof createRoundAuditor>[0]> = {}): RoundAuditor {
  const auditor = createRoundAuditor({
    ...{ facts: history.facts, blobs: memoryBlobs(history.blobs), recover: recoverAddress },
    ...more,
  });
  auditors.push(auditor);
  return auditor;
}

const liar = (): Promise<History> =>
  createHistory({
    rounds: 4,
    meddling: {
      2: {
        outcome: (outcome) => ({
          ...outcome,
          record: { ...outcome.record, aggregateRoot: `0x${'ab'.repeat(32)}` },
        }),
      },
    },
  });

describe('an auditor of one round after the other', () => {
  it('comes to the verdicts of an audit of them all', async () => {
    const history = await liar();
    const whole = await audit({ ...history, blobs: memoryBlobs(history.blobs), recover: recoverAddress });
    const auditor = open(history);
    const verdicts = [];
    for (const anchored of history.records) verdicts.push((await auditor.next(anchored)).verdict);
    expect(verdicts).toEqual(whole.rounds);
    expect(verdicts.map(({ holds }) => holds)).toEqual([true, false, false, false]);
  });

  it('says of a round that diverges what it should have been, with its updates at hand', async () => {
    const history = await liar();
    const auditor = open(history);
    await auditor.next(history.records[0] as never);
    const { finding } = await auditor.next(history.records[1] as never);
    expect(finding.divergence?.what).toBe('aggregateRoot');
    expect(finding.recomputed?.outcome.aggregate).toEqual(history.outcomes[1]?.aggregate);
    const { rows } = finding.recomputed?.admitted ?? {};
    expect(rows?.place === 'memory' && rows.rows.length).toBe(signers.length);
    expect(finding.document?.plan.round).toBe(2);
  });

  it.each([0, 1, 2, 4])('goes back to round %i, near or far, and comes to the same again', async (round) => {
    const history = await createHistory({
      rounds: 5,
      replace: { aggregation: momentum() },
    });
    const auditor = open(history);
    for (const anchored of history.records) await auditor.next(anchored);
    auditor.backTo(round);
    expect(auditor.round()).toBe(round);
    for (const anchored of history.records.slice(round)) {
      expect((await auditor.next(anchored)).verdict).toMatchObject({ round: anchored.record.round, holds: true });
    }
  });

  it('goes on from rounds that were audited before', async () => {
    const history = await liar();
    const auditor = open(history);
    await auditor.adopt(history.records[0] as never);
    expect((await auditor.next(history.records[1] as never)).verdict.divergence?.what).toBe('aggregateRoot');
  });

  it('does not go forward by going back', async () => {
    const auditor = open(await createHistory({ rounds: 1 }));
    await auditor.origin();
    expect(() => auditor.backTo(1)).toThrow(RangeError);
  });

  it('tells withheld data from a lie', async () => {
    const history = await createHistory();
    history.blobs.delete(history.contributions[0]?.contribution.updateRoot as never);
    const auditor = open(history);
    const { verdict, finding } = await auditor.next(history.records[0] as never);
    expect([verdict.holds, finding.isWithheld, finding.recomputed]).toEqual([false, true, undefined]);
  });

  it('names a participant without a sufficient stake', async () => {
    const history = await createHistory({ rounds: 2 });
    const poor = signers[3]?.address as string;
    const auditor = open(history, {
      eligibility: { isEligible: async (participant, round) => participant !== poor || round === 1 },
    });
    expect((await auditor.next(history.records[0] as never)).verdict.holds).toBe(true);
    const { divergence } = (await auditor.next(history.records[1] as never)).verdict;
    expect(divergence?.found).toContain(poor);
  });

  it('keeps more updates than memory may hold in files, and removes them', async () => {
    const history = await createHistory({ rounds: 3 });
    const engine = createEngine({ threads: 1 });
    const before = (await folders()).length;
    const auditor = open(history, { engine, memoryBytes: 100 });
    for (const anchored of history.records) {
      const { verdict, finding } = await auditor.next(anchored);
      expect(verdict.holds).toBe(true);
      expect(finding.recomputed?.admitted.rows.place).toBe('files');
    }
    expect((await folders()).length).toBeGreaterThan(before);
    await auditor.close();
    await engine.close();
    expect((await folders()).length).toBe(before);
  });
});

async function folders(): Promise<string[]> {
  return (await readdir(tmpdir())).filter((name) => name.startsWith('fedanchor-updates-'));
}

function momentum() {
  return {
    rule: { rule: 'TrMean', pre: [], f: 1, params: {} },
    sampleCap: 102,
    serverStep: { name: 'FedAvgM', learningRate: 40_000, momentum: 30_000 },
  };
}
