import { describe, expect, it } from 'vitest';
import { audit } from '../../../client/auditor/audit.ts';
import type { AuditReport } from '../../../client/auditor/report.ts';
import { recoverAddress } from '../../../contracts/wallet.ts';
import type { Hex } from '../../../shared/bytes.ts';
import { serverStateRoot } from '../../../shared/fixed-point/server-state.ts';
import { SERVER_STEPS } from '../../shared/round/server-steps.ts';
import { createHistory, type History, type HistoryOptions, type Meddling, memoryBlobs } from './history.ts';

const auditOf = ({ blobs, ...history }: History): Promise<AuditReport> =>
  audit({ ...history, blobs: memoryBlobs(blobs), recover: recoverAddress });

const FORGOTTEN: Hex = `0x${'5a'.repeat(32)}`;

describe.each(SERVER_STEPS)('a job by $name', (serverStep) => {
  const options = (meddling: HistoryOptions['meddling'] = {}): HistoryOptions => ({
    rounds: 4,
    replace: { aggregation: { rule: { rule: 'TrMean', pre: [], f: 1, params: {} }, sampleCap: 102, serverStep } },
    meddling,
  });
  const whatOf = (report: AuditReport) => report.rounds.map(({ divergence }) => divergence?.what);

  it('has a state of its own after every round', async () => {
    const { records, blobs } = await createHistory(options());
    const roots = records.map(({ record }) => record.serverStateRoot);
    expect(new Set(roots).size).toBe(4);
    for (const root of roots) expect(blobs.has(root)).toBe(true);
  });

  it.each([
    ['forgotten', () => null],
    ['of another round', (state: Int32Array) => state.map((word, at) => (at < 64 ? word * 2 : word))],
  ])('does not hold where a round starts from a state %s', async (_, change) => {
    const parent: Meddling['parent'] = (before) => ({
      ...before,
      serverState: change(before.serverState as Int32Array),
    });
    const report = await auditOf(await createHistory(options({ 2: { parent } })));
    expect(whatOf(report)).toEqual([undefined, 'modelRoot', 'parent', 'parent']);
  });

  it('does not hold where a state is anchored that the round does not leave', async () => {
    const outcome: Meddling['outcome'] = (honest) => {
      const serverState = (honest.serverState as Int32Array).map((word, at) => (at === 3 ? word ^ 1 : word));
      return { ...honest, serverState, record: { ...honest.record, serverStateRoot: serverStateRoot(serverState) } };
    };
    const report = await auditOf(await createHistory(options({ 2: { outcome } })));
    // The audit goes on from what was published, on which later rounds were built without a further lie.
    expect(whatOf(report)).toEqual([undefined, 'serverStateRoot', 'parent', 'parent']);
  });

  it('does not hold where the published state has gone or is another, and goes on from the recomputed one', async () => {
    const history = await createHistory(options());
    const root = history.records[1]?.record.serverStateRoot as Hex;
    const state = history.blobs.get(root) as Uint8Array;
    const flipped = state.slice();
    flipped[5] = (flipped[5] as number) ^ 1;
    for (const bytes of [undefined, flipped, state.subarray(4), new Uint8Array()]) {
      const blobs = new Map(history.blobs);
      if (bytes === undefined) blobs.delete(root);
      else blobs.set(root, bytes);
      const report = await auditOf({ ...history, blobs });
      expect(whatOf(report)).toEqual([undefined, 'published server state', undefined, undefined]);
    }
  });

  it('cannot be audited on from a round that does not hold when its state was not published', async () => {
    const outcome: Meddling['outcome'] = (honest) => ({
      ...honest,
      record: { ...honest.record, scoresRoot: FORGOTTEN },
    });
    const history = await createHistory(options({ 2: { outcome } }));
    const blobs = new Map(history.blobs);
    blobs.delete(history.records[1]?.record.serverStateRoot as Hex);
    const report = await auditOf({ ...history, blobs });
    expect(report.rounds[2]?.divergence?.found).toBe('round 2, whose state cannot be recovered, does not hold');
  });
});

describe('a job by FedAvg', () => {
  it('does not hold where a state is anchored, for it keeps none', async () => {
    const outcome: Meddling['outcome'] = (honest) => ({
      ...honest,
      record: { ...honest.record, serverStateRoot: FORGOTTEN },
    });
    const report = await auditOf(await createHistory({ meddling: { 2: { outcome } } }));
    expect(report.rounds[1]?.divergence?.what).toBe('serverStateRoot');
  });
});
