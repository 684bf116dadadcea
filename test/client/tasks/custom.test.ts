import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createTrainerFactory } from '../../../client/cli/trainer-factory.ts';
import type { Log } from '../../../client/log.ts';
import { type Client, createClient } from '../../../client/run.ts';
import { createCustomFactory } from '../../../client/tasks/custom.ts';
import { createWallet } from '../../../contracts/wallet.ts';
import { ZERO_HASH } from '../../../shared/bytes.ts';
import { startScriptedCoordinator } from '../scripted-coordinator.ts';
import { createToyJob } from '../toy-job.ts';
import { type Lab, openLab } from '../trainers/process/lab.ts';

const job = createToyJob();
const { manifest } = job.terms;
const secret = new Uint8Array(32).fill(9);

let lab: Lab;
let folder: string;
beforeEach(async () => {
  lab = await openLab();
  folder = await mkdtemp(join(tmpdir(), 'fedanchor-custom-'));
  // Private folders go with the lab.
  vi.stubEnv('TMPDIR', lab.folder);
});
afterEach(async () => {
  await lab.close();
  await rm(folder, { recursive: true, force: true });
});

/** Makes a trainer, and takes it away again. */
async function commitmentOf(args: readonly string[], data: readonly string[], own = secret): Promise<string> {
  const settings = { command: lab.command(...args) };
  const make = createCustomFactory({ settings, data, secret: own, environment: process.env, log: lab.log });
  const { trainer, datasetCommitment } = await make(manifest);
  trainer.dispose();
  return datasetCommitment;
}

describe('createCustomFactory', () => {
  it('takes the commitment that the program gives', async () => {
    expect(await commitmentOf(['nothing'], [folder])).toBe(`0x${'ab'.repeat(32)}`);
  });

  it('commits to the files of the data where the program does not, and to nothing where there are none', async () => {
    await mkdir(join(folder, 'below'));
    await writeFile(join(folder, 'below', 'a'), 'one');
    await writeFile(join(folder, 'b'), 'two');
    const first = await commitmentOf(['silent'], [folder]);
    expect(first).not.toBe(ZERO_HASH);
    expect(await commitmentOf(['silent'], [folder])).toBe(first);
    expect(await commitmentOf(['silent'], [folder], new Uint8Array(32))).not.toBe(first);
    await writeFile(join(folder, 'b'), 'tow');
    expect(await commitmentOf(['silent'], [folder])).not.toBe(first);
    expect(await commitmentOf(['silent'], [])).toBe(ZERO_HASH);
    await expect(commitmentOf(['silent'], [join(folder, 'none')])).rejects.toMatchObject({
      code: 'data/folder-missing',
    });
  });
});

describe('createTrainerFactory', () => {
  const config = { backend: 'cpu', device: undefined, file: undefined, keyFile: undefined } as const;
  const make = (trainer: Parameters<typeof createTrainerFactory>[1]['trainer']) =>
    createTrainerFactory({ ...config, state: folder }, { data: [], text: 'any', trainer }, () => {}, lab.log)(manifest);

  it('has no trainer of its own for any kind of task', async () => {
    await expect(make(undefined)).rejects.toMatchObject({ code: 'task/unknown-kind' });
  });

  it('takes a program for any', async () => {
    const command = lab.command('nothing');
    const { trainer } = await make({
      command,
      cwd: folder,
      environmentNames: [],
      sandbox: 'none',
      readable: [],
      timeouts: {},
    });
    expect((await trainer.evaluate([new Float32Array(40), new Float32Array(3)])).total).toBe(10);
    trainer.dispose();
  });
});

describe('a client whose trainer is a program', () => {
  it('trains although the program fails where it evaluates', async () => {
    const coordinator = await startScriptedCoordinator(job.terms, job.models);
    const log: Log = lab.log;
    const settings = { command: lab.command('exit', join(folder, 'once')) };
    const client: Client = createClient({
      coordinatorUrl: coordinator.url,
      facts: coordinator.facts,
      signer: createWallet(`0x${'7a'.repeat(32)}`),
      createTrainer: createCustomFactory({ settings, data: [], secret, environment: process.env, log }),
      stateDir: join(folder, 'state'),
      seed: 7,
      pauses: { firstDelayMs: 1, mostDelayMs: 5 },
      log,
    });
    const running = client.run();
    await coordinator.answered('job.join', 1);
    // The program fails where it evaluates, which is advisory, and trains when it is started again.
    coordinator.open(job.plan(1));
    await coordinator.answered('update.submit', 1);
    coordinator.say({ phase: 'closed', round: 2, modelRoot: job.models[2]?.root as `0x${string}`, plan: null });
    expect(await running).toMatchObject({ kind: 'closed' });
    expect(coordinator.payloads('update.submit')).toMatchObject([
      { statement: { samples: 7, datasetCommitment: `0x${'ab'.repeat(32)}` } },
    ]);
    await coordinator.close();
  });

  it('tells the coordinator that it cannot train, by a code and not by what the program said', async () => {
    const coordinator = await startScriptedCoordinator(job.terms, job.models);
    const settings = { command: lab.command('train:says-error', join(folder, 'once')) };
    const running = createClient({
      coordinatorUrl: coordinator.url,
      facts: coordinator.facts,
      signer: createWallet(`0x${'7a'.repeat(32)}`),
      createTrainer: createCustomFactory({ settings, data: [], secret, environment: process.env, log: lab.log }),
      stateDir: join(folder, 'state'),
      seed: 7,
      pauses: { firstDelayMs: 1, mostDelayMs: 5 },
      log: lab.log,
    }).run();
    await coordinator.answered('job.join', 1);
    coordinator.open(job.plan(1));
    await coordinator.answered('round.decline', 1);
    coordinator.open(job.plan(2));
    await coordinator.answered('update.submit', 1);
    coordinator.say({ phase: 'failed', reason: 'enough', plan: null });
    await running;
    const [declined] = coordinator.payloads('round.decline');
    expect(declined).toMatchObject({ round: 1, code: 'trainer/process-reported' });
    expect(declined?.message).toContain('"out-of-memory"');
    expect(JSON.stringify(coordinator.requests)).not.toContain('row 17');
    await coordinator.close();
  });
});
