import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createTrainerFactory } from '../../../client/cli/trainer-factory.ts';
import type { ClientConfig, JobConfig } from '../../../client/config/client-config.ts';
import { type ExamineOptions, examineClient } from '../../../client/doctor/examine-client.ts';
import type { Finding } from '../../../client/doctor/finding.ts';
import { stateFiles } from '../../../client/status/state-files.ts';
import { createNextCharacterFactory } from '../../../client/tasks/next-character.ts';
import { TrainerError } from '../../../client/trainers/trainer-error.ts';
import { loadWallet } from '../../../contracts/wallet.ts';
import { fromHex, type Hex } from '../../../shared/bytes.ts';
import type { JobTerms } from '../../../shared/round/job-terms.ts';
import { deployTestJob, ONE_COIN, startTestChain, type TestChain, wallet } from '../../contracts/harness.ts';
import { type ScriptedCoordinator, startScriptedCoordinator } from '../scripted-coordinator.ts';
import { createToyJob, createToyTrainer } from '../toy-job.ts';

const operator = wallet('operator');
const participant = wallet('participant');
const KEY: Hex = `0x${'7a'.repeat(32)}`;

let chain: TestChain;
let anchors: ReadonlyMap<JobTerms, Hex>;
const usual = createToyJob();
const closed = createToyJob(40, {
  participation: { admission: [participant.address], expected: 1, quorum: 1, deadlineMs: 60_000, retries: 3 },
});
const hurried = createToyJob(40, {
  participation: { admission: 'open', expected: 1, quorum: 1, deadlineMs: 1000, retries: 3 },
});
const laborious = createToyJob(40, {
  task: { kind: 'toy', architecture: {}, training: { steps: 1e9 }, data: {} },
});

beforeAll(async () => {
  chain = await startTestChain();
  const outbox = await chain.openOutbox(operator);
  const deployed = new Map<JobTerms, Hex>();
  for (const { terms } of [usual, closed, hurried, laborious]) {
    const { job, fixedPlanHash, tensorTableRoot, manifest } = terms;
    const { anchor } = await deployTestJob(chain, outbox, {
      ...{ job, manifestHash: job, fixedPlanHash, tensorTableRoot, genesisModelRoot: manifest.initialModelRoot },
    });
    deployed.set(terms, anchor.toLowerCase() as Hex);
  }
  anchors = deployed;
});
afterAll(() => chain.close());

let folder: string;
let coordinator: ScriptedCoordinator;
let address: Hex;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fedanchor-doctor-'));
  const keyFile = join(folder, 'key');
  await writeFile(keyFile, `${KEY}\n`, { mode: 0o600 });
  ({ address } = await loadWallet({ keyFile, environment: {} }));
  await chain.chain.fund(address, ONE_COIN);
  await serve(usual);
});
afterEach(async () => {
  await coordinator?.close();
  await rm(folder, { recursive: true, force: true });
});

async function serve({ terms, models }: typeof usual): Promise<void> {
  await coordinator?.close();
  const anchor = anchors.get(terms) as Hex;
  coordinator = await startScriptedCoordinator(terms, models, operator, { anchor });
}

function configOf(changes: Partial<ClientConfig>, job: Partial<JobConfig>, terms = usual.terms): ClientConfig {
  return {
    file: undefined,
    jobs: [
      {
        ...{ job: anchors.get(terms) as Hex, vault: undefined, coordinator: coordinator.url, data: [], text: 'any' },
        ...{ seed: undefined, trainer: undefined, ...job },
      },
    ],
    rpcUrls: [chain.chain.rpcUrl],
    keyFile: join(folder, 'key'),
    state: join(folder, 'state'),
    insecurePlaintext: false,
    backend: 'auto',
    device: undefined,
    limits: { steps: 1000, epochs: 10, batchSize: 1000, memoryBytes: 4e9 },
    privacy: undefined,
    attest: true,
    logLevel: 'silent',
    ...changes,
  };
}

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

interface Fault {
  readonly config?: Partial<ClientConfig>;
  readonly job?: Partial<JobConfig>;
  readonly terms?: JobTerms;
  readonly options?: Partial<ExamineOptions>;
}

/** A trainer that says how far it is by a clock of its own: a hundredth of the round in 20 ms. */
function steadyTrainer() {
  let clock = 0;
  const trainer = createToyTrainer(async ({ onProgress }, signal) => {
    for (let done = 0; done < 1; done += 0.01) {
      clock += 20;
      onProgress?.({ done });
      if (signal?.aborted) throw new TrainerError('trainer/aborted', 'it was told to stop');
    }
  });
  return { trainer, monotonicMs: () => clock };
}

async function examine({
  config = {},
  job = {},
  terms = usual.terms,
  options = {},
}: Fault = {}): Promise<readonly Finding[]> {
  const { trainer, monotonicMs } = steadyTrainer();
  const complete = configOf(config, job, terms);
  const { keyFile } = complete;
  return examineClient({
    config: complete,
    openWallet: () => loadWallet({ ...(keyFile === undefined ? {} : { keyFile }), environment: {} }),
    createTrainer: (_, onReady) => async () => {
      onReady({ backend: 'toy', samples: 77 });
      return trainer;
    },
    nodeVersion: '20.20.2',
    now: () => Date.now(),
    monotonicMs,
    mostTrialMs: 10_000,
    ...options,
  });
}

/** What is not good, each with its remedy. */
function ills(findings: readonly Finding[]): Finding[] {
  const found = findings.filter(({ verdict }) => verdict !== 'good');
  for (const { remedy } of found) expect(remedy).toMatch(/\w/);
  return found;
}

describe('examineClient', () => {
  it('finds nothing amiss where nothing is, and leaves nothing behind', async () => {
    const findings = await examine();
    expect(ills(findings)).toEqual([]);
    expect(findings.map(({ name }) => name)).toEqual([
      ...['node', 'key', 'state', 'disk', `chain at ${chain.chain.rpcUrl}`, 'clock', 'lock', 'job', 'coins', 'address'],
      ...['coordinator', 'session', 'manifest', 'limits', 'data and trainer', 'speed'],
    ]);
    expect(findings.find(({ name }) => name === 'speed')?.message).toContain('a round takes about 2.0');
    expect(findings.find(({ name }) => name === 'data and trainer')?.message).toBe('backend toy, samples 77');
    expect(await readdir(join(folder, 'state'))).toEqual([]);
  });

  it('names the job in each finding where there are several', async () => {
    const { jobs } = configOf({}, {});
    const other = configOf({}, {}, hurried.terms).jobs;
    const findings = await examine({ config: { jobs: [...jobs, ...other] } });
    expect(ills(findings)).toMatchObject([{ name: `${other[0]?.job} session`, code: 'session/chain-mismatch' }]);
  });

  const planted: readonly [string, () => Promise<Fault> | Fault, Partial<Finding>][] = [
    ['an old Node.js', () => ({ options: { nodeVersion: '18.20.4' } }), { name: 'node', verdict: 'bad' }],
    [
      'a key that is not there',
      () => ({ config: { keyFile: join(folder, 'none') } }),
      { name: 'key', verdict: 'bad', code: 'wallet/unreadable-file' },
    ],
    [
      'a key that all may read',
      async () => {
        await chmod(join(folder, 'key'), 0o644);
        return {};
      },
      { name: 'key', verdict: 'bad', code: 'wallet/exposed-file' },
    ],
    [
      'a state folder that cannot be written',
      async () => {
        await writeFile(join(folder, 'state'), 'a file');
        return {};
      },
      { name: 'state', verdict: 'bad' },
    ],
    [
      'a state folder that others look into',
      async () => {
        await mkdir(join(folder, 'state'));
        await chmod(join(folder, 'state'), 0o755);
        return {};
      },
      { name: 'state', verdict: 'warning', remedy: expect.stringContaining('chmod 700') },
    ],
    [
      'a lock that a killed process has left',
      async () => {
        const { lock } = stateFiles(join(folder, 'state'), address, anchors.get(usual.terms) as Hex);
        await mkdir(join(folder, 'state'), { mode: 0o700 });
        await mkdir(join(folder, 'state', address));
        await writeFile(lock, JSON.stringify({ pid: process.pid, startedAt: 'long ago' }));
        return {};
      },
      { name: 'lock', verdict: 'warning' },
    ],
    [
      'a node that does not answer',
      () => ({ config: { rpcUrls: [chain.chain.rpcUrl, 'http://127.0.0.1:9'] } }),
      { name: 'chain at http://127.0.0.1:9', verdict: 'bad', code: 'ledger/unreachable' },
    ],
    [
      'a clock that is behind',
      () => ({ options: { now: () => Date.now() - 3.6e6 } }),
      { name: 'clock', verdict: 'bad' },
    ],
    [
      'an address where no job is',
      () => ({ job: { job: `0x${'99'.repeat(20)}` } }),
      { name: 'job', verdict: 'bad', code: 'ledger/not-a-contract' },
    ],
    [
      'an account without coins',
      async () => {
        await chain.chain.fund(address, 0n);
        return {};
      },
      { name: 'coins', verdict: 'warning' },
    ],
    [
      'plaintext beyond this machine',
      () => ({ job: { coordinator: 'http://192.0.2.1:8547' } }),
      { name: 'address', verdict: 'bad', code: 'transport/plaintext-refused' },
    ],
    [
      'a coordinator that is away',
      () => ({ job: { coordinator: 'http://127.0.0.1:9' } }),
      { name: 'coordinator', verdict: 'bad' },
    ],
    [
      'something else at its address',
      () => {
        coordinator.intercept = (_, response) => {
          response.writeHead(502).end();
          return true;
        };
        return {};
      },
      { name: 'coordinator', verdict: 'bad' },
    ],
    [
      'a clock of the coordinator that is wrong',
      () => {
        coordinator.intercept = (request, response) => {
          if (request.url !== '/healthz') return false;
          response.writeHead(200, { date: new Date(Date.now() + 3.6e6).toUTCString() }).end('{}');
          return true;
        };
        return {};
      },
      { name: 'coordinator', verdict: 'warning' },
    ],
    [
      'a coordinator of another job',
      () => {
        coordinator.handlers['session.challenge'] = (_, standard) => ({
          ...(standard() as object),
          job: hurried.terms.job,
        });
        return {};
      },
      { name: 'session', verdict: 'bad', code: 'session/chain-mismatch' },
    ],
    [
      'a coordinator of another version',
      () => {
        coordinator.handlers['session.challenge'] = () => {
          throw Object.assign(new Error('protocol: expected 2'), { code: 'request/invalid' });
        };
        return {};
      },
      { name: 'session', verdict: 'bad', code: 'request/invalid' },
    ],
    [
      'a manifest that is not on chain',
      () => {
        coordinator.blobs.set(usual.terms.job, hurried.terms.manifestBytes);
        return {};
      },
      { name: 'manifest', verdict: 'bad', code: 'session/manifest-mismatch' },
    ],
    [
      'a list of participants without this one',
      async () => {
        await serve(closed);
        return { terms: closed.terms };
      },
      { name: 'manifest', verdict: 'bad', code: 'session/not-listed' },
    ],
    [
      'a job of a billion steps',
      async () => {
        await serve(laborious);
        return { terms: laborious.terms };
      },
      { name: 'limits', verdict: 'bad', code: 'limits/too-much-work' },
    ],
    [
      'a job beyond the memory',
      () => ({ config: { limits: { steps: 1, epochs: 1, batchSize: 1, memoryBytes: 1e6 } } }),
      { name: 'limits', verdict: 'bad', code: 'limits/too-much-memory' },
    ],
    [
      'a task of another kind',
      () => ({ options: { createTrainer: () => createNextCharacterFactory({ folders: [folder], backend: 'cpu' }) } }),
      { name: 'data and trainer', verdict: 'bad', code: 'task/unknown-kind' },
    ],
    [
      'a trainer that says no hello',
      () => {
        const program = {
          command: `${process.execPath} -e 0`,
          cwd: folder,
          ...{ environmentNames: [], readable: [], timeouts: {} },
          sandbox: 'none',
        } as const;
        const config = configOf({}, {});
        return {
          options: {
            createTrainer: (job, onReady) =>
              createTrainerFactory(config, { ...job, trainer: program }, onReady, silent),
          },
        };
      },
      { name: 'data and trainer', verdict: 'bad', code: expect.stringMatching(/^trainer\/process-/) },
    ],
    [
      'a machine too slow for the deadline',
      async () => {
        await serve(hurried);
        return { terms: hurried.terms };
      },
      { name: 'speed', verdict: 'bad', message: expect.stringContaining('2.0') },
    ],
    [
      'a first model that is damaged',
      () => {
        const root = usual.terms.manifest.initialModelRoot;
        coordinator.blobs.set(root, fromHex(`0x${'00'.repeat(usual.terms.layout.dimension * 4)}`));
        return {};
      },
      { name: 'speed', verdict: 'bad', code: 'session/model-mismatch' },
    ],
  ];

  it.each(planted)('finds %s', async (_, plant, expected) => {
    expect(ills(await examine(await plant()))).toContainEqual(expect.objectContaining(expected));
  });
});
