import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createClient } from '../../client/run.ts';
import { connectLedger } from '../../contracts/ledger/ledger.ts';
import { connectStakes } from '../../contracts/ledger/stakes.ts';
import { createWallet, type Signer } from '../../contracts/wallet.ts';
import { loadCoordinatorConfig } from '../../coordinator/config/coordinator-config.ts';
import { readJobDraft } from '../../coordinator/config/job-draft.ts';
import { type Coordinator, startCoordinator } from '../../coordinator/coordinator.ts';
import { type CreateJobOptions, createJob } from '../../coordinator/create-job.ts';
import { openJobFolder } from '../../coordinator/job-folder.ts';
import { checkAuditLog } from '../../coordinator/operator/audit-log.ts';
import { examine } from '../../coordinator/operator/doctor.ts';
import { openOperatorClient } from '../../coordinator/operator/operator-client.ts';
import type { Hex } from '../../shared/bytes.ts';
import { encodeSafetensors } from '../../shared/safetensors.ts';
import { createToyTrainer } from '../client/toy-job.ts';
import { ONE_COIN, startTestChain, type TestChain, wallet } from '../contracts/harness.ts';
import { createQuietLog, hash, temporaryFolder } from './fixture.ts';

const OWN = wallet('the coordinator');
const SPONSOR = wallet('the sponsor');
const JOB = `
name = "a job"
model = "start.safetensors"
rounds = 2
[task]
kind = "none"
architecture = {}
training = {}
data = {}
[aggregation.rule]
rule = "Average"
f = 0
[participation]
admission = "open"
expected = 2
quorum = 2
deadlineMs = 1000
retries = 1
[rewards]
pricePerRound = "5"
[chain]
windowTicks = 1
`;

let world: TestChain;

beforeAll(async () => {
  world = await startTestChain();
  for (const { address } of [OWN, SPONSOR]) await world.chain.fund(address, ONE_COIN);
});

afterAll(() => world.close());

async function prepare(text = JOB) {
  const folder = await temporaryFolder();
  const values = Float32Array.from({ length: 6 }, (_, index) => index / 4);
  await writeFile(join(folder, 'start.safetensors'), encodeSafetensors([{ name: 'w', shape: [2, 3], values }]));
  await writeFile(join(folder, 'job.toml'), text);
  const config = await loadCoordinatorConfig(folder, { rpc: [world.chain.rpcUrl] });
  const draft = await readJobDraft(join(folder, 'job.toml'));
  const create = (changes: Partial<CreateJobOptions> = {}) =>
    createJob({
      ...{ config, coordinator: OWN.address, deployer: SPONSOR, draft, nowS: () => 1_900_000_000 },
      ...{ signal: new AbortController().signal, ...changes },
    });
  const start = (): Promise<Coordinator> =>
    startCoordinator({
      ...{ folder, rpcUrl: world.chain.rpcUrl, signer: OWN, operators: [], host: '127.0.0.1', port: 0 },
      log: createQuietLog(),
    });
  return { folder, config, draft, create, start };
}

/** Takes part in a job to its end, with a trainer that learns what its seed says. */
async function takePart(coordinatorUrl: string, anchor: Hex, signer: Signer) {
  const facts = await (await connectLedger({ rpc: world.rpc, anchor })).facts();
  const quiet = createQuietLog();
  const stateDir = await temporaryFolder();
  const createTrainer = async () => createToyTrainer();
  const log = { debug: () => {}, info: () => {}, warn: quiet.warn, error: quiet.error };
  const client = createClient({ coordinatorUrl, facts, signer, createTrainer, stateDir, seed: 1, log });
  return { outcome: await client.run(), log: quiet, stateDir };
}

const transactionsOf = async (address: string): Promise<number> =>
  Number(await world.rpc.call('eth_getTransactionCount', [address, 'latest']));

describe('a job', () => {
  it('is created once, however often it is interrupted on the way', async () => {
    const { create } = await prepare();
    const before = await transactionsOf(SPONSOR.address);
    const lifetime = new AbortController();
    const interrupted = create({ signal: lifetime.signal });
    // The first contract is on its way when the operator loses patience.
    while ((await transactionsOf(SPONSOR.address)) === before) await new Promise(setImmediate);
    lifetime.abort();
    const first = await interrupted.catch(() => undefined);
    const created = first ?? (await create({ nowS: () => 2_000_000_000 }));
    expect(await transactionsOf(SPONSOR.address)).toBe(before + 3);
    const contracts = JSON.parse(await readFile(join(created.folder, 'contracts.json'), 'utf8'));
    expect(contracts).toEqual(created.contracts);
  });

  it('waits until it is started, is served from then on, and is there after a restart', async () => {
    const { folder, create, start } = await prepare();
    await using coordinator = await start();
    const { terms } = await create();
    const { job } = terms;
    const client = await openOperatorClient({ url: coordinator.url, coordinator: OWN.address }, OWN);
    const phases = async () => (await client.request('operator.jobs', { which: 'all' })).jobs.map(({ phase }) => phase);
    expect(await phases()).toEqual(['created']);
    const request = { job, action: 'start', reason: '' } as const;
    const answers = await Promise.all([
      client.request('operator.act', request),
      client.request('operator.act', request),
    ]);
    expect(answers.map((answer) => answer.job.phase)).toEqual(['open', 'open']);
    expect(await phases()).toEqual(['open']);
    client.close();
    const ready = await fetch(`${coordinator.url}/readyz`);
    expect([ready.status, await ready.json()]).toMatchObject([200, { ready: true }]);
    const metrics = await (await fetch(`${coordinator.url}/metrics`)).text();
    expect(metrics).toContain(`fedanchor_job_phase{job="${job}",phase="open"} 1`);
    expect(metrics).toMatch(new RegExp(`fedanchor_wallet_balance\\{address="${OWN.address}"\\} [0-9.]+`));
    const proxied = await fetch(`${coordinator.url}/metrics`, { headers: { 'x-forwarded-for': '203.0.113.9' } });
    expect(proxied.status).toBe(403);
    expect((await checkAuditLog(join(folder, 'audit.jsonl'))).entries).toBeGreaterThan(0);
    await coordinator[Symbol.asyncDispose]();
    await using again = await start();
    const later = await openOperatorClient({ url: again.url, coordinator: OWN.address }, OWN);
    expect((await later.request('operator.jobs', { which: 'open' })).jobs).toMatchObject([{ job, phase: 'open' }]);
    later.close();
  });

  it('whose file names a wire format has its updates travel in it, in the real coordinator too', async () => {
    const wire = { format: 'topk', keepPerMille: 100, errorFeedback: true } as const;
    const alone = JOB.replace('expected = 2', 'expected = 1').replace('quorum = 2', 'quorum = 1');
    const { create, start } = await prepare(
      `${alone.replace('rounds = 2', 'rounds = 1')}[wire]\nformat = "topk"\nkeepPerMille = 100\nerrorFeedback = true\n`,
    );
    const { terms, contracts } = await create();
    expect(terms.manifest.wire).toEqual(wire);
    await using coordinator = await start();
    const operator = await openOperatorClient({ url: coordinator.url, coordinator: OWN.address }, OWN);
    await operator.request('operator.act', { job: terms.job, action: 'start', reason: '' });
    operator.close();
    const { anchor } = contracts;
    const { log, outcome, stateDir } = await takePart(coordinator.url, anchor, createWallet(hash('a participant')));
    expect(outcome).toMatchObject({ kind: 'closed', rounds: 1 });
    expect([...log.warnings, ...log.errors]).toEqual([]);
    const kept = await readdir(stateDir, { recursive: true });
    expect(kept.filter((name) => name.endsWith('.carry'))).toHaveLength(1);
  });

  it("is not created from the coordinator's own wallet while the coordinator is running", async () => {
    const { create, start, folder } = await prepare();
    await using _ = await start();
    // The lock names the process; a coordinator in this very process would not count as another.
    await writeFile(join(folder, 'coordinator.pid'), String(process.ppid));
    await expect(create({ deployer: OWN })).rejects.toMatchObject({ code: 'coordinator/folder-in-use' });
  });

  it.each([
    [JOB.replace('rounds = 2', 'round = 2'), 'round', 'did you mean "rounds"?'],
    [JOB.replace('quorum = 2', ''), 'participation.quorum', 'it is missing'],
    [JOB.replace('"start.safetensors"', '"none.safetensors"'), 'model', 'none.safetensors cannot be read'],
    [JOB.replace('architecture = {}', ''), 'task.architecture', 'give either architecture or architectureFile'],
  ])('that is not whole is refused by its field', async (text, field, hint) => {
    const refusal = prepare(text);
    await expect(refusal).rejects.toMatchObject({ data: { field } });
    await expect(refusal).rejects.toThrow(hint);
  });
});

describe('the doctor', () => {
  const verdicts = async (changes: Partial<Parameters<typeof examine>[0]> = {}) => {
    const { config } = await prepare();
    const open = { config: { ...config, port: 0 }, openWallet: async () => OWN, nodeVersion: '20.19.0' };
    const findings = await examine({ ...open, now: () => Date.now(), ...changes });
    for (const { verdict, remedy } of findings) expect(remedy === undefined).toBe(verdict === 'good');
    return new Map(findings.map(({ name, verdict }) => [name.split(' at ')[0], verdict]));
  };

  it('finds nothing bad where nothing is', async () => {
    expect([...(await verdicts()).values()]).not.toContain('bad');
  });

  it('finds each thing that is amiss', async () => {
    const { config } = await prepare();
    const at = (changes: object) => verdicts({ config: { ...config, port: 0, ...changes } });
    expect((await verdicts({ nodeVersion: '18.0.0' })).get('node')).toBe('bad');
    expect((await at({ folder: '/no/such/folder' })).get('folder')).toBe('bad');
    expect((await at({ chainId: 1n })).get('chain')).toBe('bad');
    expect((await at({ rpcUrls: ['http://127.0.0.1:1'] })).get('chain')).toBe('bad');
    expect((await at({ rpcUrls: [] })).get('chain')).toBe('bad');
    expect((await at({ host: '0.0.0.0' })).get('exposure')).toBe('bad');
    expect((await at({ tls: { certFile: '/no', keyFile: '/no' } })).get('certificate')).toBe('bad');
    expect((await at({ port: Number(new URL(world.chain.rpcUrl).port) })).get('port')).toBe('bad');
    expect((await at({ lowBalanceWei: 10n ** 30n })).get('wallet')).toBe('warning');
    expect((await verdicts({ openWallet: async () => wallet('a poor one') })).get('wallet')).toBe('bad');
    expect((await verdicts({ now: () => Date.now() - 3_600_000 })).get('clock')).toBe('bad');
    expect((await verdicts({ openWallet: () => Promise.reject(new Error('no key')) })).get('key')).toBe('bad');
  });
});

describe('a job with a court', () => {
  it('is created with contracts that know each other, once, and says so in its folder', async () => {
    const { create, draft } = await prepare(`${JOB}[court]\n[contracts]\nringSize = 4\n`);
    expect(draft.manifest.court).toEqual({
      ...{ minStake: '50', challengerBond: '5', proverBps: 2000, compensationBps: 2000, faultBps: 5000 },
      // Three fifths of 43 exceed four rounds of 5.
      ...{ slashAmount: '43', coordinatorBond: '86', answerS: 86_400, longestRoundS: 86_401 },
      ...{ attestationQuorum: 2, attestationTicks: 225 },
    });
    const { contracts, terms, folder } = await create();
    expect(terms.manifest.court).toEqual(draft.manifest.court);
    expect(JSON.parse(await readFile(join(folder, 'contracts.json'), 'utf8'))).toEqual(contracts);
    expect((await openJobFolder(folder)).contracts).toEqual(contracts);
    const { anchor, vault, stakes = '0x', disputes = '0x' } = contracts;
    const facts = await (await connectLedger({ rpc: world.rpc, anchor, vault })).facts();
    expect(facts).toMatchObject({ arbiter: disputes, roster: stakes, attestationQuorum: 2, attestationTicks: 225 });
    expect(await (await connectStakes({ rpc: world.rpc, stakes })).terms()).toMatchObject({ minStake: 50n, anchor });
  });

  it('is looked at by the doctor, who says how much bond is missing', async () => {
    const { create, config, draft } = await prepare(`${JOB}[court]\n[contracts]\nringSize = 4\n`);
    await create();
    const about = { openWallet: async () => OWN, nodeVersion: '20.19.0', now: () => Date.now() };
    const findings = await examine({ config: { ...config, port: 0 }, ...about });
    expect(findings.find(({ name }) => name === `bond of job ${draft.manifest.name}`)).toMatchObject({
      verdict: 'bad',
      message: expect.stringContaining('has posted 0, 86 are needed'),
      remedy: expect.stringContaining('fedanchor stake bond add'),
    });
  });

  it('is refused before it costs anything where the fine is too small for the pots at stake', async () => {
    const { create } = await prepare(`${JOB}[court]\nslashAmount = "100"\n`);
    const before = await transactionsOf(SPONSOR.address);
    await expect(create()).rejects.toMatchObject({
      code: 'deploy/invalid-court',
      message: expect.stringMatching(/"court.slashAmount".*at least 2135/s),
    });
    expect(await transactionsOf(SPONSOR.address)).toBe(before);
  });

  it.each([
    ['pricePerRound = "5"', 'pricePerRound = "0"', 'court.minStake'],
    ['[court]', '[court]\nproverBps = 4000\ncompensationBps = 6000', 'court.compensationBps'],
    ['[court]', '[court]\nslashAmount = "9000"\ncoordinatorBond = "8999"', 'court.coordinatorBond'],
    ['[court]', '[court]\nminStake = "0"', 'court.minStake'],
    ['[court]', '[court]\nminstake = "1"', 'court.minstake'],
  ])('names what is wrong: %s -> %s', async (from, to, field) => {
    const text = `${JOB}[court]\n`.replace(from, to);
    await expect(prepare(text)).rejects.toMatchObject({ code: 'config/invalid', data: { field } });
  });
});
