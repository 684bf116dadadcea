import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPublishedFactory } from '../../../client/cli/published-factory.ts';
import { initModel } from '../../../client/init-model.ts';
import type { Log } from '../../../client/log.ts';
import { registerRecheckCommand } from '../../../client/public-data/cli.ts';
import { createPublishedTrainer } from '../../../client/public-data/published-trainer.ts';
import { createClient } from '../../../client/run.ts';
import type { Trainer } from '../../../client/trainers/trainer.ts';
import { connectLedger, type Ledger } from '../../../contracts/ledger/ledger.ts';
import { createWallet, type Signer } from '../../../contracts/wallet.ts';
import { describeFiles, serveFiles } from '../../../coordinator/author/publish-files.ts';
import { loadCoordinatorConfig } from '../../../coordinator/config/coordinator-config.ts';
import { readJobDraft } from '../../../coordinator/config/job-draft.ts';
import { type Coordinator, startCoordinator } from '../../../coordinator/coordinator.ts';
import { createJob } from '../../../coordinator/create-job.ts';
import type { JobFolder } from '../../../coordinator/job-folder.ts';
import type { Hex } from '../../../shared/bytes.ts';
import { hash, startTestChain, type TestChain, wallet } from '../../contracts/harness.ts';
import { runCommand } from '../../coordinator/cli/run-command.ts';
import { createQuietLog } from '../../coordinator/fixture.ts';

const OPERATOR = wallet('operator of public data');
const [HONEST, TAMPERER] = [wallet('honest'), wallet('tamperer')];
const quiet = Object.fromEntries(
  ['debug', 'info', 'warn', 'error'].map((level) => [level, () => undefined]),
) as unknown as Log;

const architecture = {
  class_name: 'Sequential',
  config: {
    name: 'linear',
    layers: [
      {
        class_name: 'Dense',
        config: { name: 'logits', units: 2, activation: 'linear', batch_input_shape: [null, 2], dtype: 'float32' },
      },
    ],
  },
};

let chain: TestChain;
let folder: string;
let coordinator: Coordinator;
let job: JobFolder;
let ledger: Ledger;

beforeAll(async () => {
  chain = await startTestChain();
  folder = await mkdtemp(join(tmpdir(), 'fedanchor-recheck-'));
  await chain.openOutbox(OPERATOR);
  const at = (name: string) => join(folder, name);
  await writeFile(at('own.key'), hash('key of operator of public data'), { mode: 0o600 });
  await writeFile(at('coordinator.toml'), `[chain]\nrpc = ["${chain.chain.rpcUrl}"]\n[wallet]\nkeyFile = "own.key"\n`);
  const rows = Array.from({ length: 60 }, (_, row) => `${row % 7},${row % 5},${row % 7 > row % 5 ? 1 : 0}`);
  await writeFile(at('rows.csv'), `a,b,y\n${rows.join('\n')}\n`);
  await writeFile(at('architecture.json'), JSON.stringify(architecture));
  await initModel({ architecture: at('architecture.json'), seed: 1, out: at('start.safetensors') });
  const source = await describeFiles([at('rows.csv')], { shards: 2, exact: true });
  const participation = {
    ...{ admission: [HONEST.address, TAMPERER.address], expected: 2, quorum: 2, deadlineMs: 60_000, retries: 3 },
  };
  const document = {
    ...{ name: 'public', model: 'start.safetensors', rounds: 2, participation, chain: { windowTicks: 1 } },
    task: {
      ...{ kind: 'classification', architectureFile: 'architecture.json' },
      training: { optimizer: 'adam', learningRate: 0.05, batchSize: 4, epochs: 2 },
      data: { format: 'csv', inputShape: [2], classes: 2, label: 'y', features: ['a', 'b'], source },
    },
    ...{ aggregation: { rule: { rule: 'Average', f: 0 } }, rewards: { pricePerRound: '10', score: 'alignment' } },
  };
  await writeFile(at('job.json'), JSON.stringify(document));
  job = await createJob({
    ...{ config: await loadCoordinatorConfig(folder), coordinator: OPERATOR.address, deployer: OPERATOR },
    ...{ draft: await readJobDraft(at('job.json')), signal: new AbortController().signal },
    nowS: () => Math.floor(Date.now() / 1000),
  });
  await serveFiles(job.folder, [at('rows.csv')]);
  await rm(join(job.folder, 'held'));
  coordinator = await startCoordinator({
    ...{ folder, rpcUrl: chain.chain.rpcUrl, signer: OPERATOR, operators: [], host: '127.0.0.1', port: 0 },
    log: createQuietLog(),
  });
  ledger = await connectLedger({ rpc: chain.rpc, anchor: job.contracts.anchor });
});

afterAll(async () => {
  await coordinator?.[Symbol.asyncDispose]();
  await chain.close();
  await rm(folder, { recursive: true, force: true });
});

/** A client without any data, which may tamper with what it has learnt. */
async function takePart(signer: Signer, tamper: (update: Float32Array[]) => void): Promise<void> {
  const facts = await ledger.facts();
  const state = join(folder, signer.address);
  const config = { backend: 'cpu', device: undefined, state, insecurePlaintext: false } as const;
  const create = createPublishedFactory(
    config,
    { data: [], coordinator: coordinator.url },
    signer,
    facts,
    () => undefined,
  );
  const client = createClient({
    ...{ coordinatorUrl: coordinator.url, facts, signer, stateDir: state, log: quiet, seed: 1 },
    createTrainer: async (manifest, signal) => {
      const local = await create(manifest, signal);
      const train: Trainer['train'] = async (task, stop) => {
        const result = await local.trainer.train(task, stop);
        tamper(result.update);
        return result;
      };
      return { ...local, trainer: { ...local.trainer, train } };
    },
  });
  expect(await client.run()).toMatchObject({ kind: 'closed', rounds: 2 });
}

async function recheck(...words: readonly string[]) {
  const before = process.exitCode;
  try {
    const where = ['--coordinator', coordinator.url, '--rpc', chain.chain.rpcUrl, '--job', job.contracts.anchor];
    const rest = ['--cache', join(folder, 'cache'), '--key-file', join(folder, 'honest.key'), '--json', ...words];
    const printed = await runCommand(registerRecheckCommand, ['recheck', ...where, ...rest]);
    return { report: JSON.parse(printed), code: process.exitCode };
  } finally {
    process.exitCode = before;
  }
}

describe('a job with published data', () => {
  it('is trained by clients without data, and whose update is not what its training gives is named', async () => {
    await writeFile(join(folder, 'honest.key'), hash('key of honest'), { mode: 0o600 });
    await Promise.all([
      takePart(HONEST, () => undefined),
      takePart(TAMPERER, ([kernel]) => {
        if (kernel) kernel[0] = (kernel[0] ?? 0) + 0.01;
      }),
    ]);
    for (const round of ['1', '2']) {
      const { report, code } = await recheck('--round', round);
      expect(code).toBe(1);
      const verdictOf = (account: Hex) =>
        report.verdicts.find(({ participant }: { participant: Hex }) => participant === account);
      expect(verdictOf(HONEST.address)).toEqual({ participant: HONEST.address, matches: true, differences: [] });
      expect(verdictOf(TAMPERER.address)).toMatchObject({ matches: false, differences: [{ field: 'updateRoot' }] });
    }
    expect(await recheck('--round', '2', '--participant', HONEST.address)).toMatchObject({
      ...{ code: 0, report: { matches: true } },
    });
    expect(await recheck('--round', '3')).toMatchObject({
      code: 2,
      report: { error: { code: 'recheck/no-such-round' } },
    });
    const stranger = createWallet(hash('stranger')).address;
    expect(await recheck('--round', '1', '--participant', stranger)).toMatchObject({
      ...{ code: 2, report: { error: { code: 'recheck/no-such-participant' } } },
    });
  });

  it('is not exact where something is carried from round to round', async () => {
    const { manifest } = job.terms;
    const places = { cache: join(folder, 'cache'), folders: [], allowPlaintext: false };
    for (const changes of [
      { wire: { format: 'int8', errorFeedback: true } },
      { task: { ...manifest.task, training: { mode: 'gradient', workerMomentum: 0.9, batchSize: 4, steps: 1 } } },
    ]) {
      const carrying = { ...manifest, ...changes } as typeof manifest;
      const made = createPublishedTrainer(carrying, { participant: HONEST.address, places });
      await expect(made).rejects.toMatchObject({ code: 'public-data/not-exact' });
    }
  });
});
