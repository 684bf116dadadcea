import { afterEach, describe, expect, it } from 'vitest';
import { createFileJournal } from '../../client/journal/file-journal.ts';
import { deferred } from './deferred.ts';
import { startVictim, type Victim, victimWallet } from './evil/victim.ts';
import { createToyJob, createToyTrainer } from './toy-job.ts';

let client: Victim | undefined;
afterEach(async () => {
  await client?.close();
  client = undefined;
});

const receipts = ({ stateDir, job }: Victim) =>
  createFileJournal({ folder: stateDir, participant: victimWallet.address, sign: () => '0x' }).receipts(job.terms.job);

describe('a client that is told to stop', () => {
  it('declines the round that it trains, so that nobody waits for it', async () => {
    const drain = new AbortController();
    const training = deferred<AbortSignal | undefined>();
    const trainer = createToyTrainer(async (_, signal) => {
      training.resolve(signal);
      await new Promise((_resolve, reject) => {
        signal?.addEventListener('abort', () => reject(new Error('told to stop')));
      });
    });
    client = await startVictim({ drain: drain.signal, createTrainer: async () => trainer });
    const { coordinator, job } = client;
    await coordinator.answered('job.join', 1);
    coordinator.open(job.plan(1));
    const signal = await training.promise;
    drain.abort();
    expect(await client.running).toEqual({ kind: 'aborted' });
    expect(signal?.aborted).toBe(true);
    expect(coordinator.payloads('round.decline')).toMatchObject([{ round: 1, code: 'client/stopping' }]);
    expect(coordinator.payloads('update.offer')).toEqual([]);
    expect(trainer.isDisposed()).toBe(true);
  });

  it('finishes the upload of what is signed, keeps the receipt, and then stops', async () => {
    const drain = new AbortController();
    const job = createToyJob(600_000);
    client = await startVictim({ drain: drain.signal }, job);
    const { coordinator } = client;
    await coordinator.answered('job.join', 1);
    let puts = 0;
    coordinator.intercept = (request) => {
      // In the middle of the upload: the first of two parts is on its way.
      if (request.method === 'PUT' && ++puts === 1) drain.abort();
      return false;
    };
    coordinator.open(job.plan(1));
    expect(await client.running).toEqual({ kind: 'aborted' });
    expect(coordinator.parts.size).toBe(2);
    expect(coordinator.payloads('round.decline')).toEqual([]);
    expect(await receipts(client)).toMatchObject([{ round: 1, verdict: 'accepted' }]);
  });

  it('sends in its next run, and from where it was, what was not delivered', async () => {
    const stop = new AbortController();
    const job = createToyJob(600_000);
    client = await startVictim({ signal: stop.signal }, job);
    const { coordinator, stateDir } = client;
    await coordinator.answered('job.join', 1);
    // The second part never comes through: the process is stopped at once instead.
    coordinator.intercept = (request, response) => {
      if (request.method !== 'PUT' || !request.url?.endsWith('/1')) return false;
      response.destroy();
      stop.abort();
      return true;
    };
    coordinator.open(job.plan(1));
    expect(await client.running).toEqual({ kind: 'aborted' });
    expect([...coordinator.parts.keys()].every((key) => key.endsWith('/0'))).toBe(true);
    const before = coordinator.parts.size;

    const puts: string[] = [];
    coordinator.intercept = (request) => {
      if (request.method === 'PUT') puts.push(request.url?.split('/').at(-1) ?? '');
      return false;
    };
    const again = await startVictim({ coordinatorUrl: coordinator.url, facts: coordinator.facts, stateDir }, job);
    await again.says('update accepted');
    expect(puts.sort()).toEqual(before === 0 ? ['0', '1'] : ['1']);
    expect(again.trainer.tasks).toEqual([]);
    await again.close();
    expect(await receipts(client)).toMatchObject([{ round: 1, verdict: 'accepted' }]);
  });

  it('ends while it waits for a coordinator that is away', async () => {
    const drain = new AbortController();
    client = await startVictim({ drain: drain.signal, coordinatorUrl: 'http://127.0.0.1:9' });
    await client.says('no connection to the coordinator');
    drain.abort();
    expect(await client.running).toEqual({ kind: 'aborted' });
  });

  it('does not begin where it was told before', async () => {
    client = await startVictim({ drain: AbortSignal.abort() });
    expect(await client.running).toEqual({ kind: 'aborted' });
    expect(client.coordinator.requests).toEqual([]);
  });
});
