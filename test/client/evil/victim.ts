import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { Log } from '../../../client/log.ts';
import { type ClientOptions, createClient } from '../../../client/run.ts';
import type { ClientOutcome } from '../../../client/session/state.ts';
import { createWallet } from '../../../contracts/wallet.ts';
import type { Hex } from '../../../shared/bytes.ts';
import { type ScriptedCoordinator, startScriptedCoordinator } from '../scripted-coordinator.ts';
import { createToyJob, createToyTrainer, type ToyJob, type ToyTrainer } from '../toy-job.ts';

/** The key that no lie may bring out. */
const SECRET = '7a'.repeat(32);

/** The victim's wallet. */
export const victimWallet = createWallet(`0x${SECRET}`);

/** A client in the hands of a coordinator that lies. */
export interface Victim {
  /** The coordinator, to be made to lie. */
  readonly coordinator: ScriptedCoordinator;
  /** The job. */
  readonly job: ToyJob;
  /** What the client trained with. */
  readonly trainer: ToyTrainer;
  /** Lines that it told. */
  readonly told: readonly string[];
  /** Its state folder. */
  readonly stateDir: string;
  /** How its part ended. */
  readonly running: Promise<ClientOutcome>;
  /** Resolves when a line was told that contains this text. */
  says(text: string): Promise<void>;
  /** Plays an honest attempt at round 1 and sees it answered: the client is alive. Ends the job. */
  answersHonestly(attempt: number): Promise<void>;
  /** Ends everything, and checks that key, folder and process are as they were. */
  close(): Promise<void>;
}

/** Starts a client in a job, joined and idle. */
export async function startVictim(changes: Partial<ClientOptions> = {}, job: ToyJob = createToyJob()): Promise<Victim> {
  const parent = await mkdtemp(join(tmpdir(), 'fedanchor-victim-'));
  const stateDir = join(parent, 'state');
  const coordinator = await startScriptedCoordinator(job.terms, job.models);
  const trainer = createToyTrainer();
  const told: string[] = [];
  const waiting: { readonly text: string; readonly done: () => void }[] = [];
  const note = (fields: object, message: string): void => {
    const line = `${message} ${JSON.stringify(fields)}`;
    told.push(line);
    for (const { text, done } of waiting) if (line.includes(text)) done();
  };
  const log: Log = { debug: note, info: note, warn: note, error: note };
  const stop = new AbortController();
  const running = createClient({
    coordinatorUrl: coordinator.url,
    facts: coordinator.facts,
    signer: victimWallet,
    createTrainer: async () => trainer,
    stateDir,
    seed: 7,
    requestTimeoutMs: 20_000,
    pauses: { firstDelayMs: 1, mostDelayMs: 5 },
    log,
    signal: stop.signal,
    ...changes,
  }).run();
  running.catch(() => undefined);
  const victim: Victim = {
    ...{ coordinator, job, trainer, told, stateDir, running },
    says: async (text) => {
      if (told.some((line) => line.includes(text))) return;
      await new Promise<void>((done) => {
        waiting.push({ text, done });
      });
    },
    answersHonestly: async (attempt) => {
      coordinator.open(job.plan(1, attempt));
      await victim.says('update accepted');
      const { statement } = coordinator.payloads('update.submit').at(-1) ?? {};
      expect(statement).toMatchObject({ round: 1, attempt, parentRoot: job.models[0]?.root });
      coordinator.say({ phase: 'failed', reason: 'enough', plan: null });
      expect(await running).toEqual({ kind: 'failed', reason: 'enough' });
    },
    close: async () => {
      stop.abort();
      await running.catch(() => undefined);
      await coordinator.close();
      const seen = [...told, ...coordinator.requests.map(({ payload }) => JSON.stringify(payload))];
      for (const line of seen) expect(line.toLowerCase()).not.toContain(SECRET);
      for (const file of await filesIn(parent)) {
        expect(file.slice(parent.length)).toMatch(/^\/state\/0x[0-9a-f]{40}\/0x[0-9a-f]{64}\//);
        expect((await readFile(file)).includes(SECRET)).toBe(false);
      }
      expect(Object.keys(Object.prototype)).toEqual([]);
      expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
      await rm(parent, { recursive: true, force: true });
    },
  };
  return victim;
}

/** Puts something else in place of the model that round 1 starts from. */
export function replaceGenesis({ coordinator, job }: Victim, bytes: Uint8Array): void {
  coordinator.blobs.set(job.models[0]?.root as Hex, bytes);
}

async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}
