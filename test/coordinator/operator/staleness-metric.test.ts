import { expect, it } from 'vitest';
import type { Signer } from '../../../contracts/wallet.ts';
import { createJobRegister } from '../../../coordinator/job-register.ts';
import { createChainCounts, createCoordinatorMetrics } from '../../../coordinator/metrics/coordinator-metrics.ts';
import { createOperatorDesk } from '../../../coordinator/operator/operator-desk.ts';
import { createSessions } from '../../../coordinator/sessions.ts';
import { DOMAIN, WALLETS } from '../fixture.ts';
import { contribute, createWorld, startLife, until } from '../runner-harness.ts';

it('a buffered job counts its updates by age', async () => {
  const [one, two, three] = WALLETS as [Signer, Signer, Signer];
  const participation = { expected: 3, quorum: 2, buffer: { size: 2, maxStaleness: 1 } };
  const world = await createWorld({ participation, rule: { rule: 'Average', f: 0 } });
  const life = await startLife(world);
  const { runner, uploads } = life;
  const jobs = createJobRegister();
  const sessions = createSessions(1n, `0x${'00'.repeat(20)}`);
  const desk = createOperatorDesk({ jobs, sessions, now: () => 0 });
  const status = () => ({ address: '0x' as const, balanceWei: 0n, pending: [], endpoint: '' });
  const metrics = createCoordinatorMetrics({ jobs, desk, outbox: { status } }, createChainCounts());
  jobs.add({ terms: world.job.terms, anchor: DOMAIN.anchor, runner, blobs: world.blobs, uploads });

  for (const { address } of [one, two, three]) await runner.join(address);
  for (const signer of [one, two]) await contribute(life, world, signer);
  await until(life, ({ phase, progress }) => phase === 'collecting' && progress.rounds === 1);
  const parentRoot = world.job.terms.manifest.initialModelRoot;
  expect(await contribute(life, world, three, undefined, { parentRoot })).toMatchObject({ verdict: 'accepted' });
  expect(await contribute(life, world, one, undefined, { parentRoot: `0x${'12'.repeat(32)}` })).toMatchObject({
    ...{ verdict: 'rejected', code: 'gate/too-stale' },
  });

  const text = (await metrics.text()).replaceAll(world.job.terms.job, 'JOB');
  expect(text).toContain('fedanchor_update_staleness_rounds_bucket{le="0",job="JOB"} 2');
  expect(text).toContain('fedanchor_update_staleness_rounds_bucket{le="1",job="JOB"} 3');
  expect(text).toContain('fedanchor_update_staleness_rounds_count{job="JOB"} 3');
});
