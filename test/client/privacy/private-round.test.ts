import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createPrivacyGuard, type PrivacySpent } from '../../../client/privacy/privacy-guard.ts';
import { createPrivacyLedger } from '../../../client/privacy/privacy-ledger.ts';
import { createClient } from '../../../client/run.ts';
import { createWallet } from '../../../contracts/wallet.ts';
import { makeFolder } from '../data/temporary-folder.ts';
import { startScriptedCoordinator } from '../scripted-coordinator.ts';
import { createToyJob, createToyTrainer, type ToyTrainer } from '../toy-job.ts';

const wallet = createWallet(`0x${'7a'.repeat(32)}`);
const job = createToyJob(600);
const silent = { debug() {}, info() {}, warn() {}, error() {} };
/** Noise for which this budget pays exactly one update. */
const privacy = { clip: 0.1, noise: 2, epsilon: 6, delta: 1e-5 };

async function federation() {
  const coordinator = await startScriptedCoordinator(job.terms, job.models);
  onTestFinished(() => coordinator.close());
  const stateDir = await makeFolder({});
  const spent: PrivacySpent[] = [];
  const start = (trainer: ToyTrainer) =>
    createClient({
      coordinatorUrl: coordinator.url,
      facts: coordinator.facts,
      signer: wallet,
      createTrainer: async () => trainer,
      stateDir,
      seed: 7,
      pauses: { firstDelayMs: 1, mostDelayMs: 5 },
      privacy: createPrivacyGuard({
        privacy,
        ledger: createPrivacyLedger(stateDir),
        onSpent: (now) => spent.push(now),
      }),
      log: silent,
    }).run();
  return { coordinator, stateDir, spent, start };
}

describe('a client with a privacy budget', () => {
  it('sends covered updates while the budget lasts, then declines without training, and reports no metrics', async () => {
    const { coordinator, stateDir, spent, start } = await federation();
    const trainer = createToyTrainer();
    const running = start(trainer);
    await coordinator.answered('job.join', 1);
    coordinator.open(job.plan(1));
    await coordinator.answered('update.submit', 1);
    coordinator.open(job.plan(2));
    await coordinator.answered('round.decline', 1);
    coordinator.say({ phase: 'failed', reason: 'enough', plan: null });
    await running;

    expect(coordinator.payloads('round.decline')).toMatchObject([{ round: 2, code: 'privacy/budget-spent' }]);
    expect(coordinator.payloads('metrics.report')).toEqual([]);
    expect(trainer.tasks.map(({ round }) => round)).toEqual([1]);
    expect(spent).toMatchObject([{ updatesLeft: 0, budget: 6 }]);

    // What was sent has the noise's spread, 0.2, which is far above the clip's: 0.1 over the root of 603.
    const { statement } = coordinator.payloads('update.submit')[0] as { statement: { updateRoot: string } };
    const bytes = coordinator.parts.get(`${statement.updateRoot}/0`) as Uint8Array;
    const sent = new Int16Array(bytes.slice().buffer).subarray(0, 600);
    const deviation = Math.sqrt(sent.reduce((sum, q) => sum + q * q, 0) / sent.length) / 2 ** 12;
    expect(deviation).toBeGreaterThan(0.18);
    expect(deviation).toBeLessThan(0.22);
    const expense = JSON.parse(await readFile(join(stateDir, 'privacy', 'expense-000001.json'), 'utf8'));
    expect(expense).toMatchObject({ job: job.terms.job, round: 1, attempt: 0 });
  });

  it('pays once for an update that is sent again as it was', async () => {
    const { coordinator, stateDir, start } = await federation();
    coordinator.handlers['update.submit'] = () => {
      coordinator.drop();
      throw new Error('the connection is gone');
    };
    const first = start(createToyTrainer());
    await coordinator.answered('job.join', 1);
    coordinator.open(job.plan(1));
    await coordinator.answered('update.offer', 1);
    await coordinator.answered('job.join', 2);
    delete coordinator.handlers['update.submit'];
    coordinator.drop();
    await coordinator.answered('update.submit', 2);
    coordinator.say({ phase: 'failed', reason: 'enough', plan: null });
    await first;
    const roots = coordinator.payloads('update.submit').map(({ statement }) => statement.updateRoot);
    expect(new Set(roots).size).toBe(1);
    expect(await readdir(join(stateDir, 'privacy'))).toEqual(['expense-000001.json']);
  });
});
