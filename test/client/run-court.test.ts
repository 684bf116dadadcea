import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Log } from '../../client/log.ts';
import { type CourtDuty, createClient } from '../../client/run.ts';
import type { Ledger } from '../../contracts/ledger/ledger.ts';
import { createWallet } from '../../contracts/wallet.ts';
import type { Hex } from '../../shared/bytes.ts';
import { type Deferred, deferred } from './deferred.ts';
import { type ScriptedCoordinator, startScriptedCoordinator } from './scripted-coordinator.ts';
import { createToyJob, createToyTrainer } from './toy-job.ts';

const wallet = createWallet(`0x${'7a'.repeat(32)}`);
const job = createToyJob();
const [, , afterTwo] = job.models;

let coordinator: ScriptedCoordinator;
let stateDir: string;
let lifetime: AbortController;
let isFinal: boolean;
/** Resolves when the client waits for the last round to be final. */
let waits: Deferred<void>;
/** Resolves when it has found it not to be. */
let asked: Deferred<void>;
beforeEach(async () => {
  isFinal = false;
  waits = deferred();
  asked = deferred();
  lifetime = new AbortController();
  stateDir = await mkdtemp(join(tmpdir(), 'fedanchor-client-'));
  coordinator = await startScriptedCoordinator(job.terms, job.models);
});
afterEach(async () => {
  lifetime.abort();
  await coordinator.close();
  await rm(stateDir, { recursive: true, force: true });
});

const log = Object.fromEntries(
  (['debug', 'info', 'warn', 'error'] as const).map((level) => [
    level,
    (_: unknown, message: string) => {
      if (message.includes('waiting until it is final')) waits.resolve();
    },
  ]),
) as unknown as Log;

/** The chain as this test tells it: one record, of which only finality matters. */
function court(): CourtDuty {
  const ledger = {
    records: async () => [{ record: {} }],
    isFinal: async () => {
      asked.resolve();
      return isFinal;
    },
  } as unknown as Ledger;
  return { ledger, stakes: { isEligible: async () => true }, engine: null, pollMs: 1 };
}

function start() {
  return createClient({
    coordinatorUrl: coordinator.url,
    facts: coordinator.facts,
    signer: wallet,
    createTrainer: async () => createToyTrainer(),
    ...{ stateDir, seed: 7, requestTimeoutMs: 20_000, pauses: { firstDelayMs: 1, mostDelayMs: 5 } },
    ...{ court: court(), log, signal: lifetime.signal },
  }).run();
}

async function play(attempt: number, submissions: number): Promise<void> {
  coordinator.open(job.plan(1, attempt));
  await coordinator.answered('update.submit', submissions + 1);
  coordinator.open(job.plan(2, attempt));
  await coordinator.answered('update.submit', submissions + 2);
  coordinator.say({ phase: 'closed', round: 2, modelRoot: afterTwo?.root as Hex, plan: null });
}

describe('a client of a job with a court', () => {
  it('stays until the last round is final', async () => {
    const running = start();
    await coordinator.answered('job.join', 1);
    await play(0, 0);
    await asked.promise;
    isFinal = true;
    expect(await running).toEqual({ kind: 'closed', rounds: 2, modelRoot: afterTwo?.root });
  });

  it('trains again when rounds are taken back after the job was closed, and signs nothing twice', async () => {
    const running = start();
    await coordinator.answered('job.join', 1);
    await play(0, 0);
    await waits.promise;
    await play(1, 2);
    isFinal = true;
    expect(await running).toMatchObject({ kind: 'closed', rounds: 2 });
    const keys = coordinator
      .payloads('update.submit')
      .map(({ statement }) => `${statement.round}/${statement.attempt}`);
    expect(keys).toEqual(['1/0', '2/0', '1/1', '2/1']);
  });

  it('joins again after a lost connection, though the job is closed', async () => {
    const running = start();
    await coordinator.answered('job.join', 1);
    await play(0, 0);
    await waits.promise;
    const joins = coordinator.payloads('job.join').length;
    coordinator.drop();
    await coordinator.answered('job.join', joins + 1);
    isFinal = true;
    expect(await running).toMatchObject({ kind: 'closed' });
  });

  it('ends when it is told to, while it waits', async () => {
    const running = start();
    await coordinator.answered('job.join', 1);
    await play(0, 0);
    await waits.promise;
    lifetime.abort();
    expect(await running).toEqual({ kind: 'aborted' });
  });
});
