import { describe, expect, it, onTestFinished } from 'vitest';
import { DataError } from '../../../client/data/data-error.ts';
import { createClient } from '../../../client/run.ts';
import { declineMessage } from '../../../client/runner/decline-message.ts';
import { createWallet } from '../../../contracts/wallet.ts';
import { makeFolder } from '../data/temporary-folder.ts';
import { startScriptedCoordinator } from '../scripted-coordinator.ts';
import { createToyJob, createToyTrainer } from '../toy-job.ts';

describe('declineMessage', () => {
  it('tells what is about the job, and keeps what is about the client', () => {
    expect(declineMessage('session/plan-mismatch', 'the plan is of another job')).toBe('the plan is of another job');
    for (const code of ['data/bad-label', 'journal/damaged', 'privacy/budget-spent', 'client/internal']) {
      expect(declineMessage(code, 'line 3 of /home/me/patients.csv: "cow"')).toBe("the client's own log says why");
    }
  });

  it('keeps files and values of the data from the coordinator', async () => {
    const job = createToyJob();
    const coordinator = await startScriptedCoordinator(job.terms, job.models);
    onTestFinished(() => coordinator.close());
    const told: string[] = [];
    const log = { debug() {}, info() {}, warn: (_: unknown, text: string) => void told.push(text), error() {} };
    const trainer = createToyTrainer(async () => {
      throw new DataError('data/bad-image', '/home/me/patients/ann.png: it is cut off; leave it out');
    });
    const running = createClient({
      coordinatorUrl: coordinator.url,
      facts: coordinator.facts,
      signer: createWallet(`0x${'7a'.repeat(32)}`),
      createTrainer: async () => trainer,
      stateDir: await makeFolder({}),
      pauses: { firstDelayMs: 1, mostDelayMs: 5 },
      log,
    }).run();
    await coordinator.answered('job.join', 1);
    coordinator.open(job.plan(1));
    await coordinator.answered('round.decline', 1);
    coordinator.say({ phase: 'failed', reason: 'enough', plan: null });
    await running;
    expect(coordinator.payloads('round.decline')).toMatchObject([{ code: 'data/bad-image' }]);
    expect(JSON.stringify(coordinator.requests)).not.toContain('ann.png');
    expect(told.join()).toContain('ann.png');
  });
});
