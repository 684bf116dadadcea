import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { openEnergyMeter } from '../../../client/energy/energy-meter.ts';
import type { Log } from '../../../client/log.ts';
import { createClient } from '../../../client/run.ts';
import { createWallet } from '../../../contracts/wallet.ts';
import { describeEvent } from '../../../coordinator/cli/describe-event.ts';
import type { Hex } from '../../../shared/bytes.ts';
import { OPERATIONS } from '../../../shared/protocol/messages.ts';
import { makeFolder } from '../data/temporary-folder.ts';
import { startScriptedCoordinator } from '../scripted-coordinator.ts';
import { createToyJob, createToyTrainer } from '../toy-job.ts';

const quiet = Object.fromEntries(
  ['debug', 'info', 'warn', 'error'].map((level) => [level, () => undefined]),
) as unknown as Log;

it('what a round has used is reported with the metrics that follow it', async () => {
  const job = createToyJob();
  const coordinator = await startScriptedCoordinator(job.terms, job.models);
  const stateDir = await mkdtemp(join(tmpdir(), 'fedanchor-energy-'));
  onTestFinished(async () => {
    await coordinator.close();
    await rm(stateDir, { recursive: true, force: true });
  });
  const powercap = await makeFolder({
    'intel-rapl:0/name': 'package-0',
    'intel-rapl:0/energy_uj': '0',
    'intel-rapl:0/max_energy_range_uj': '1000000000',
  });
  const meter = await openEnergyMeter({ powercap, nvidia: false });
  onTestFinished(() => meter.close());
  const running = createClient({
    ...{ coordinatorUrl: coordinator.url, facts: coordinator.facts, signer: createWallet(`0x${'7a'.repeat(32)}`) },
    // Round 1 uses 2 J, round 2 3 J; the evaluations nothing.
    createTrainer: async () =>
      createToyTrainer(({ round }) =>
        writeFile(join(powercap, 'intel-rapl:0', 'energy_uj'), String(round === 1 ? 2_000_000 : 5_000_000)),
      ),
    ...{ stateDir, seed: 7, energy: meter, log: quiet },
  }).run();
  await coordinator.answered('job.join', 1);
  coordinator.open(job.plan(1));
  await coordinator.answered('update.submit', 1);
  coordinator.open(job.plan(2));
  await coordinator.answered('update.submit', 2);
  coordinator.say({ phase: 'closed', round: 2, modelRoot: job.models[2]?.root as Hex, plan: null });
  await running;
  const reports = coordinator.payloads('metrics.report');
  expect(reports.map(({ round, energy }) => [round, energy?.millijoules, energy?.estimated])).toEqual([
    [0, 0, false],
    [1, 2000, false],
    [2, 3000, false],
  ]);
  const [, first] = reports;
  if (first === undefined) throw new Error('nothing was reported');
  const { job: _, ...metrics } = first;
  const event = { type: 'metricsReported', at: 0, participant: `0x${'1'.repeat(40)}`, ...metrics } as const;
  expect(describeEvent(event)).toContain('2.0 J since its last report');
  expect(describeEvent({ ...event, energy: { millijoules: 1500, durationMs: 1, estimated: true } })).toContain(
    'about 1.5 J',
  );
});

it('energy may be left out of a report, and must be a number of millijoules where it is not', () => {
  const { request } = OPERATIONS['metrics.report'];
  const HASH = `0x${'1'.repeat(64)}`;
  const metrics = { job: HASH, round: 1, modelRoot: HASH, correct: 1, total: 2, lossSum: 0.5, constantCorrect: 1 };
  const energy = { millijoules: 1, durationMs: 2, estimated: false };
  expect(request.safeParse(metrics).success).toBe(true);
  expect(request.safeParse({ ...metrics, energy }).success).toBe(true);
  for (const wrong of [
    { ...energy, millijoules: -1 },
    { ...energy, millijoules: 0.5 },
    { ...energy, watts: 3 },
    { millijoules: 1 },
    null,
  ]) {
    expect(request.safeParse({ ...metrics, energy: wrong }).success).toBe(false);
  }
});
