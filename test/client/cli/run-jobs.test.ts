import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { registerClientCommands } from '../../../client/cli.ts';
import { readViews } from '../../../client/status/read-views.ts';
import type { Hex } from '../../../shared/bytes.ts';
import { TREE } from '../../../shared/commitments/merkle-tree.ts';
import { blockRoot } from '../../../shared/commitments/vector-trees.ts';
import { layoutOf } from '../../../shared/fixed-point/layout.ts';
import { encodeModel } from '../../../shared/fixed-point/model.ts';
import { type JobTerms, jobTerms } from '../../../shared/round/job-terms.ts';
import { parseManifest } from '../../../shared/round/manifest.ts';
import { deployTestJob, startTestChain, type TestChain, wallet } from '../../contracts/harness.ts';
import { type ScriptedCoordinator, startScriptedCoordinator } from '../scripted-coordinator.ts';
import { createToyJob } from '../toy-job.ts';

const operator = wallet('operator');
const CONTEXT = 2;
const SYMBOLS = 97;

/** A job over texts that is trained in a moment. */
function textJob(name: string) {
  const tensors = [
    { name: 'kernel', shape: [CONTEXT * SYMBOLS, SYMBOLS], fractionBits: 24, preScaleBits: 0 },
    { name: 'bias', shape: [SYMBOLS], fractionBits: 24, preScaleBits: 0 },
  ];
  const values = tensors.map(({ shape }) => new Float32Array(shape.reduce((a, b) => a * b, 1)));
  const { vector } = encodeModel(layoutOf(tensors), values);
  const model = { vector, root: blockRoot(TREE.model, vector) };
  const layers = [
    {
      class_name: 'Flatten',
      config: { name: 'context', batch_input_shape: [null, CONTEXT, SYMBOLS], dtype: 'float32' },
    },
    { class_name: 'Dense', config: { name: 'logits', units: SYMBOLS, activation: 'linear' } },
  ];
  const terms = jobTerms(
    parseManifest({
      ...createToyJob().terms.manifest,
      ...{ name, tensors, initialModelRoot: model.root },
      task: {
        kind: 'next-character',
        architecture: { class_name: 'Sequential', config: { name: 'text', layers } },
        training: { optimizer: 'sgd', learningRate: 0.1, momentum: 0, batchSize: 8, steps: 2 },
        data: { contextLength: CONTEXT, heldOutSamples: 8 },
      },
    }),
  );
  const plan = { round: 1, attempt: 0, parentRoot: model.root, updateBits: 12, seedIndex: 1 };
  return { terms, models: [model], plan };
}

const jobs = [textJob('first'), textJob('second')];
let chain: TestChain;
const anchors = new Map<JobTerms, Hex>();
beforeAll(async () => {
  chain = await startTestChain();
  const outbox = await chain.openOutbox(operator);
  for (const { terms } of jobs) {
    const { job, fixedPlanHash, tensorTableRoot, manifest } = terms;
    const { anchor } = await deployTestJob(chain, outbox, {
      ...{ job, manifestHash: job, fixedPlanHash, tensorTableRoot, genesisModelRoot: manifest.initialModelRoot },
    });
    anchors.set(terms, anchor.toLowerCase() as Hex);
  }
});
afterAll(() => chain.close());

let folder: string;
let coordinators: ScriptedCoordinator[];
let said: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fedanchor-jobs-'));
  await writeFile(join(folder, 'key'), `0x${'7a'.repeat(32)}\n`, { mode: 0o600 });
  await mkdir(join(folder, 'texts'));
  await writeFile(join(folder, 'texts', 'text.txt'), 'a letter to the north '.repeat(200));
  coordinators = await Promise.all(
    jobs.map(({ terms, models }) =>
      startScriptedCoordinator(terms, models, operator, { anchor: anchors.get(terms) as Hex }),
    ),
  );
  const listed = jobs.map(
    ({ terms }, at) =>
      `[[jobs]]\njob = "${anchors.get(terms)}"\ncoordinator = "${coordinators[at]?.url}"\ndata = "texts"\n`,
  );
  const head = `rpc = "${chain.chain.rpcUrl}"\nkeyFile = "key"\nstate = "state"\n[training]\nbackend = "wasm"\n`;
  await writeFile(join(folder, 'client.toml'), `${head}[log]\nlevel = "silent"\n${listed.join('')}`);
  said = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    said += String(text);
    return true;
  });
});
afterEach(async () => {
  vi.restoreAllMocks();
  process.exitCode = undefined;
  for (const each of coordinators) await each.close();
  await rm(folder, { recursive: true, force: true });
});

function run(...options: string[]): Promise<unknown> {
  const program = new Command('fedanchor');
  registerClientCommands(program);
  const args = ['node', 'fedanchor', 'client', 'run', '--config', join(folder, 'client.toml'), ...options];
  return program.parseAsync(args);
}

async function locksIn(state: string): Promise<string[]> {
  return (await readdir(state, { recursive: true })).filter((name) => name.endsWith('.lock'));
}

describe('fedanchor client run', () => {
  it('takes part in several jobs at once, each to its own end', async () => {
    const running = run('--json');
    for (const [at, each] of coordinators.entries()) {
      await each.answered('job.join', 1);
      each.open(jobs[at]?.plan as never);
    }
    await Promise.all(coordinators.map((each) => each.answered('update.submit', 1)));
    expect(await locksIn(join(folder, 'state'))).toHaveLength(2);
    coordinators[0]?.say({ phase: 'failed', reason: 'enough\u001b[2J', plan: null });
    coordinators[1]?.say({ phase: 'closed', round: 1, plan: null });
    await running;
    const ends = said
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(ends).toContainEqual({
      anchor: anchors.get(jobs[0]?.terms as JobTerms),
      kind: 'failed',
      reason: 'enough\u001b[2J',
    });
    expect(ends).toContainEqual(
      expect.objectContaining({ anchor: anchors.get(jobs[1]?.terms as JobTerms), kind: 'closed' }),
    );
    expect(process.exitCode).toBe(1);
    expect(await locksIn(join(folder, 'state'))).toEqual([]);
    const views = await readViews(join(folder, 'state'));
    expect(views.map(({ status, receipts }) => [status.name, status.link, receipts.length]).sort()).toEqual([
      ['first', 'stopped', 1],
      ['second', 'stopped', 1],
    ]);
  });

  it('stops in good order on the first signal, in every job', async () => {
    const running = run();
    await Promise.all(coordinators.map((each) => each.answered('job.join', 1)));
    coordinators[0]?.open(jobs[0]?.plan as never);
    await coordinators[0]?.answered('update.submit', 1);
    const before = process.listenerCount('SIGTERM');
    process.emit('SIGTERM');
    // Nobody listens to a second one, which so ends the process by itself.
    expect(process.listenerCount('SIGTERM')).toBe(before - 1);
    await running;
    expect(said.match(/stopped before the job ended/g)).toHaveLength(2);
    expect(process.exitCode).toBe(130);
    expect(await locksIn(join(folder, 'state'))).toEqual([]);
  });

  it('goes on with the other jobs where one is refused, and fails in the end', async () => {
    const other = jobs[1] as (typeof jobs)[number];
    coordinators[0]?.blobs.set((jobs[0] as typeof other).terms.job, other.terms.manifestBytes);
    const running = run();
    const failing = expect(running).rejects.toMatchObject({ code: 'session/manifest-mismatch' });
    await coordinators[1]?.answered('job.join', 1);
    coordinators[1]?.open(other.plan);
    await coordinators[1]?.answered('update.submit', 1);
    coordinators[1]?.say({ phase: 'closed', round: 1, plan: null });
    await failing;
    expect(said).toContain('the job is closed after 1 rounds');
  });

  it('lets no second process in, and refuses what is beyond its limits', async () => {
    const one = ['--job', anchors.get(jobs[0]?.terms as JobTerms) as string];
    const running = run(...one);
    await coordinators[0]?.answered('job.join', 1);
    await expect(run(...one)).rejects.toMatchObject({ code: 'lock/held' });
    coordinators[0]?.say({ phase: 'failed', reason: 'enough', plan: null });
    await running;
    await expect(run(...one, '--max-steps', '1')).rejects.toMatchObject({ code: 'limits/too-much-work' });
    await expect(run(...one, '--memory-limit', '1MiB')).rejects.toMatchObject({ code: 'limits/too-much-memory' });
    expect(await locksIn(join(folder, 'state'))).toEqual([]);
  });
});
