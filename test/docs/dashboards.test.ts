import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { createJobRegister } from '../../coordinator/job-register.ts';
import { createChainCounts, createCoordinatorMetrics } from '../../coordinator/metrics/coordinator-metrics.ts';
import { createOperatorDesk } from '../../coordinator/operator/operator-desk.ts';
import { createSessions } from '../../coordinator/sessions.ts';

const page = (name: string): Promise<string> => readFile(new URL(`../../docs/${name}`, import.meta.url), 'utf8');

it.each(['grafana/coordinator.json', 'alerts.yml'])(
  '%s asks for no metric that the coordinator does not have',
  async (name) => {
    const jobs = createJobRegister();
    const sessions = createSessions(1n, `0x${'00'.repeat(20)}`);
    const desk = createOperatorDesk({ jobs, sessions, now: () => 0 });
    const status = () => ({ address: '0x' as const, balanceWei: 0n, pending: [], endpoint: '' });
    const metrics = createCoordinatorMetrics({ jobs, desk, outbox: { status } }, createChainCounts());
    const known = new Set(
      [...(await metrics.text()).matchAll(/^# TYPE (\S+) (\S+)$/gm)].flatMap(([, metric, type]) =>
        type === 'histogram' ? [`${metric}_bucket`] : [`${metric}`],
      ),
    );
    const asked = new Set((await page(name)).match(/fedanchor_[a-z0-9_]+/g));
    expect(asked.size).toBeGreaterThan(5);
    expect([...asked].filter((metric) => !known.has(metric))).toEqual([]);
  },
);

it('the dashboard is JSON of the form that Grafana imports', async () => {
  const dashboard = JSON.parse(await page('grafana/coordinator.json'));
  const ids = dashboard.panels.map(({ id }: { id: number }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  for (const { targets, gridPos } of dashboard.panels) {
    expect(targets.length).toBeGreaterThan(0);
    expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
  }
});
