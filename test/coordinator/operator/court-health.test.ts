import { describe, expect, it } from 'vitest';
import type { Rpc } from '../../../contracts/rpc.ts';
import type { DisputeBoard } from '../../../coordinator/court/dispute-board.ts';
import { createJobRegister } from '../../../coordinator/job-register.ts';
import { createChainCounts, createCoordinatorMetrics } from '../../../coordinator/metrics/coordinator-metrics.ts';
import { summaryOf } from '../../../coordinator/operator/describe-job.ts';
import { createOperatorDesk } from '../../../coordinator/operator/operator-desk.ts';
import { createReadiness } from '../../../coordinator/operator/readiness.ts';
import { createSessions } from '../../../coordinator/sessions.ts';
import { DOMAIN, temporaryFolder } from '../fixture.ts';
import { createWorld, startLife } from '../runner-harness.ts';

const CALM: DisputeBoard = { open: [], ended: { answered: 3, moot: 0, abandoned: 1, won: 0 } };
const dispute = { id: 7n, round: 2, kind: 'scores', deadlineS: 100, isOurMove: true } as const;

/** A coordinator with one job that has a court, as those see it who look after it. */
async function open(disputes: DisputeBoard | undefined, bond: bigint) {
  const world = await createWorld();
  const { runner, uploads } = await startLife(world);
  await runner.weighBond({ held: bond, needed: 10n });
  const jobs = createJobRegister();
  const job = { terms: world.job.terms, anchor: DOMAIN.anchor, runner, blobs: world.blobs, uploads };
  jobs.add({ ...job, ...(disputes && { disputes }) });
  const rpc = { url: 'http://node', call: async () => '0x1' } as unknown as Rpc;
  const folder = await temporaryFolder();
  const ready = await createReadiness({ folder, rpc, jobs, unavailable: new Map(), now: () => 0 })();
  const sessions = createSessions(1n, `0x${'00'.repeat(20)}`);
  const desk = createOperatorDesk({ jobs, sessions, now: () => 0 });
  const status = () => ({ address: '0x' as const, balanceWei: 0n, pending: [], endpoint: '' });
  const metrics = createCoordinatorMetrics({ jobs, desk, outbox: { status } }, createChainCounts());
  await runner.rewind({ firstRound: 1, lastRound: 1, minAttempt: 1 });
  return {
    ready: ready.ready,
    court: ready.checks.find(({ name }) => name === 'court'),
    reason: summaryOf(jobs.all[0] as (typeof jobs.all)[number]).reason,
    metrics: (await metrics.text()).replaceAll(world.job.terms.job, 'JOB'),
  };
}

describe('a job with a court', () => {
  it('is well with its bond and no dispute', async () => {
    const { ready, court, reason, metrics } = await open(CALM, 10n);
    expect({ ready, ok: court?.ok, reason }).toEqual({ ready: true, ok: true, reason: null });
    expect(metrics).toContain('fedanchor_disputes_open{job="JOB"} 0');
    expect(metrics).toContain('fedanchor_disputes_ended{job="JOB",outcome="answered"} 3');
    expect(metrics).toContain('fedanchor_bond_short{job="JOB"} 0');
    expect(metrics).toContain('fedanchor_rewinds_total{job="JOB"} 1');
  });

  it('is well while its disputes can be answered', async () => {
    const { ready, court, reason, metrics } = await open({ ...CALM, open: [dispute] }, 10n);
    expect(ready).toBe(true);
    expect(court?.message).toContain('1 disputes');
    expect(reason).toContain('round 2 is disputed');
    expect(metrics).toContain('fedanchor_disputes_open{job="JOB"} 1');
    expect(metrics).toContain('fedanchor_disputes_unanswerable{job="JOB"} 0');
  });

  it('is not when one cannot be, and says what is missing', async () => {
    const trouble = 'blob 0x12 is missing';
    const { ready, court, reason, metrics } = await open({ ...CALM, open: [{ ...dispute, trouble }] }, 10n);
    expect(ready).toBe(false);
    expect(court?.message).toContain(trouble);
    expect(reason).toContain(trouble);
    expect(metrics).toContain('fedanchor_disputes_unanswerable{job="JOB"} 1');
  });

  it('is not when its bond is too small, and says what to do', async () => {
    const { ready, court, reason, metrics } = await open(CALM, 9n);
    expect(ready).toBe(false);
    expect(court?.message).toContain('fedanchor stake bond add');
    expect(reason).toContain('the bond is 9, 10 are needed');
    expect(metrics).toContain('fedanchor_bond_short{job="JOB"} 1');
  });
});

it('a coordinator without a court is asked nothing about one', async () => {
  const { court, metrics } = await open(undefined, 10n);
  expect(court).toBeUndefined();
  expect(metrics).not.toContain('fedanchor_disputes_open{');
});
