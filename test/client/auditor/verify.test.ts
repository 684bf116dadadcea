import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Command } from 'commander';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { registerVerifyCommand } from '../../../client/auditor/cli.ts';
import type { DeployedJob } from '../../../contracts/deploy.ts';
import { createLedgerWriter } from '../../../contracts/ledger/ledger-writer.ts';
import type { Hex } from '../../../shared/bytes.ts';
import { rewardsTree } from '../../../shared/commitments/rewards-tree.ts';
import { deployTestJob, startTestChain, type TestChain, wallet } from '../../contracts/harness.ts';
import { createHistory, type History, sha256Hex, signers } from './history.ts';

let base: string;
let kept: string;
let live: TestChain;
let job: DeployedJob;
let history: History;
let server: Server;
let blobsUrl: string;

const blobPath = (folder: string, id: Hex): string => join(folder, 'coordinator', 'blobs', id.slice(2, 4), id.slice(2));

/** Anchors a real history on a real chain, pays its rewards, and keeps the run as the demonstration does. */
beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), 'fedanchor-verify-test-'));
  kept = join(base, 'kept');
  live = await startTestChain();
  const outbox = await live.openOutbox(wallet('coordinator'));
  const { facts, terms } = await createHistory({ rounds: 0 });
  const { chainId: _chainId, anchor: _anchor, ...parameters } = facts;
  job = await deployTestJob(live, outbox, parameters);
  history = await createHistory({ anchor: job.anchor });
  const writer = createLedgerWriter(outbox, job);
  const pot = parameters.pricePerRound * BigInt(parameters.maxRounds);
  await writer.approve(pot, 'pot');
  await writer.fund(pot, 'pot');
  for (const { record } of history.records) await writer.anchor(record);
  await live.chain.increaseTime(64);
  const last = history.records.at(-1)?.record as History['records'][number]['record'];
  await writer.activate(last);
  const rewards = history.outcomes.at(-1)?.rewards ?? [];
  const account = signers[0]?.address as Hex;
  const cumulative = rewards.find((entry) => entry.account === account)?.cumulative as bigint;
  await writer.claim({ account, cumulative, proof: rewardsTree(rewards).proof(account) as Hex[] });

  for (const [id, bytes] of history.blobs) {
    await mkdir(dirname(blobPath(kept, id)), { recursive: true });
    await writeFile(blobPath(kept, id), bytes);
  }
  server = createServer((request, response) => {
    const bytes = history.blobs.get(request.url?.split('/blobs/')[1] as Hex);
    if (bytes === undefined) response.writeHead(404).end();
    else response.end(bytes);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  blobsUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;

  // The chain writes its state when it stops; a second one goes on from it for the live audits.
  await live.chain.stop();
  await mkdir(join(kept, 'chain'));
  await cp(join(live.folder, 'state.json'), join(kept, 'chain', 'state.json'));
  const { token, anchor, vault } = job;
  await writeFile(
    join(kept, 'run.json'),
    JSON.stringify({
      version: 1,
      chainId: 31337,
      contracts: { token, anchor, vault },
      job: terms.job,
      blobs: 'coordinator/blobs',
      chainState: 'chain/state.json',
    }),
  );
  await live.close();
  const stateFile = join(base, 'live.json');
  await cp(join(kept, 'chain', 'state.json'), stateFile);
  live = await startTestChain({ stateFile });
});

afterAll(async () => {
  await live.close();
  await new Promise((resolve) => server.close(resolve));
  await rm(base, { recursive: true, force: true });
});

let out: string;
let err: string;

beforeEach(() => {
  out = '';
  err = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    out += String(text);
    return true;
  });
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    err += String(text);
    return true;
  });
});

/** Runs `fedanchor verify …` and returns its exit code. */
async function run(...words: string[]): Promise<number> {
  const exit = vi.spyOn(process, 'exit').mockImplementation((code) => {
    throw Object.assign(new Error('exit'), { exit: code });
  });
  const before = process.exitCode;
  const program = new Command('fedanchor').configureOutput({ writeErr: (text) => process.stderr.write(text) });
  registerVerifyCommand(program);
  try {
    await program.parseAsync(['verify', ...words], { from: 'user' });
    return Number(process.exitCode);
  } catch (error) {
    if (error instanceof Error && 'exit' in error) return Number(error.exit);
    throw error;
  } finally {
    process.exitCode = before;
    exit.mockRestore();
  }
}

/** A copy of the kept run, to be damaged. */
async function copyOfRun(name: string): Promise<string> {
  const folder = join(base, name);
  await cp(kept, folder, { recursive: true });
  return folder;
}

describe('verify --run', () => {
  it('audits a kept run from its folder alone and leaves the folder as it was', async () => {
    const state = sha256Hex(await readFile(join(kept, 'chain', 'state.json')));
    expect(await run('--run', kept)).toBe(0);
    expect(out.match(/✓/g)?.length).toBe(3);
    expect(out).toContain('All 3 rounds recompute from the chain, and the vault pays what they earned.');
    expect(err).toBe('');
    expect(sha256Hex(await readFile(join(kept, 'chain', 'state.json')))).toBe(state);
  });

  it('prints one document with --json, the lines beside it', async () => {
    expect(await run('--run', kept, '--json')).toBe(0);
    const document = JSON.parse(out) as unknown;
    expect(document).toMatchObject({
      chainId: '31337',
      anchor: job.anchor.toLowerCase(),
      job: history.terms.job,
      holds: true,
      origin: { holds: true },
      vault: { holds: true },
      rounds: [1, 2, 3].map((round) => ({
        round,
        holds: true,
        modelRoot: history.records[round - 1]?.record.modelRoot,
      })),
    });
    expect(err.match(/✓/g)?.length).toBe(3);
  });

  it('names the round, the thing and the blob when one byte is flipped', async () => {
    const folder = await copyOfRun('flipped');
    const id = history.records[1]?.record.aggregateRoot as Hex;
    const bytes = Uint8Array.from(history.blobs.get(id) as Uint8Array);
    bytes[100] = (bytes[100] as number) ^ 1;
    await writeFile(blobPath(folder, id), bytes);
    expect(await run('--run', folder)).toBe(1);
    expect(out).toMatch(
      new RegExp(`✗ round 2 · published aggregate: expected ${id}, found 0x[0-9a-f]{64} \\(blob ${id}\\)`),
    );
    expect(out).toContain('does NOT hold in 1 of 3 rounds (2)');
    expect(await run('--run', folder, '--json')).toBe(1);
  });

  it('names the manifest when that is damaged', async () => {
    const folder = await copyOfRun('manifest');
    await writeFile(blobPath(folder, history.terms.job), '{}');
    expect(await run('--run', folder)).toBe(1);
    expect(out).toContain(`✗ origin · manifest: expected ${history.terms.job}`);
    expect(out).toContain('does NOT hold in 3 of 3 rounds (1, 2, 3)');
  });

  const damages: [string, (folder: string) => Promise<void>, RegExp][] = [
    ['no run.json', (folder) => rm(join(folder, 'run.json')), /run\.json cannot be read \(there is none\)/],
    ['a run.json cut short', (folder) => writeFile(join(folder, 'run.json'), '{"chainId"'), /run\.json cannot be read/],
    [
      'a run.json with a wrong field',
      (folder) => edit(folder, (run) => ({ ...run, contracts: { ...(run['contracts'] as object), anchor: '0x12' } })),
      /field "contracts.anchor": expected 0x and 40/,
    ],
    [
      'a run.json of another job',
      (folder) => edit(folder, (run) => ({ ...run, job: `0x${'12'.repeat(32)}` })),
      /the run is damaged/,
    ],
    [
      'a run.json with an address where nothing is',
      (folder) =>
        edit(folder, (run) => ({
          ...run,
          contracts: { ...(run['contracts'] as object), anchor: `0x${'12'.repeat(20)}` },
        })),
      /there is no contract at 0x1212/,
    ],
    ['no chain state', (folder) => rm(join(folder, 'chain', 'state.json')), /state\.json cannot be read/],
    [
      'a chain state cut short',
      async (folder) => {
        const file = join(folder, 'chain', 'state.json');
        const state = await readFile(file);
        await writeFile(file, state.subarray(0, state.length / 2));
      },
      /the chain does not start from .*state\.json: the file is damaged/,
    ],
    ['no blobs', (folder) => rm(join(folder, 'coordinator'), { recursive: true }), /there is no folder .*blobs/],
  ];

  it.each(damages)('says in one sentence that the run has %s', async (name, damage, sentence) => {
    const folder = await copyOfRun(name.replaceAll(/\W/g, '-'));
    await damage(folder);
    expect(await run('--run', folder)).toBe(2);
    expect(err.trim().split('\n').length).toBe(1);
    expect(err).toMatch(sentence);
  });
});

async function edit(folder: string, change: (run: Record<string, unknown>) => object): Promise<void> {
  const file = join(folder, 'run.json');
  await writeFile(file, JSON.stringify(change(JSON.parse(await readFile(file, 'utf8')))));
}

describe('verify --rpc', () => {
  it('audits a live job from its blobs in a folder or behind an address', async () => {
    const rpc = live.chain.rpcUrl;
    expect(await run('--rpc', rpc, '--job', job.anchor, '--blobs', join(kept, 'coordinator', 'blobs'))).toBe(0);
    expect(out).toContain('All 3 rounds recompute from the chain.');
    expect(await run('--rpc', rpc, '--job', job.anchor, '--blobs', blobsUrl, '--vault', job.vault)).toBe(0);
    expect(out).toContain('and the vault pays what they earned');
  });

  it('reads a token from a file', async () => {
    const tokenFile = join(base, 'token');
    await writeFile(tokenFile, 'secret\n');
    const rpc = live.chain.rpcUrl;
    expect(await run('--rpc', rpc, '--job', job.anchor, '--blobs', blobsUrl, '--token-file', tokenFile)).toBe(0);
    expect(await run('--rpc', rpc, '--job', job.anchor, '--blobs', blobsUrl, '--token-file', join(base, 'none'))).toBe(
      2,
    );
    expect(err).toContain('check --token-file');
  });

  it.each<[string, (rpc: string) => string[], RegExp]>([
    ['nothing', () => [], /either --run FOLDER, or all of --rpc URL/],
    ['half of it', (rpc) => ['--rpc', rpc, '--job', `0x${'12'.repeat(20)}`], /--blobs/],
    ['both ways at once', (rpc) => ['--run', '.', '--rpc', rpc], /leave out --rpc/],
    ['no address', (rpc) => ['--rpc', rpc, '--job', '0x12', '--blobs', '.'], /expected an address/],
    ['an unknown flag', () => ['--rum', '.'], /unknown option '--rum'/],
    ['no such contract', (rpc) => ['--rpc', rpc, '--job', `0x${'12'.repeat(20)}`, '--blobs', '.'], /no contract at/],
    ['no such folder', (rpc) => ['--rpc', rpc, '--job', `0x${'12'.repeat(20)}`, '--blobs', '/nowhere'], /no folder/],
    [
      'no such chain',
      () => ['--rpc', 'http://127.0.0.1:9', '--job', `0x${'12'.repeat(20)}`, '--blobs', '.'],
      /did not answer/,
    ],
    [
      'no such server of blobs',
      (rpc) => ['--rpc', rpc, '--job', job.anchor, '--blobs', 'http://127.0.0.1:9'],
      /check --blobs/,
    ],
  ])('says in a sentence what is wrong with %s, and exits with 2', async (_, words, sentence) => {
    expect(await run(...words(live.chain.rpcUrl))).toBe(2);
    expect(err).toMatch(sentence);
  });

  it('puts the failure into the document with --json', async () => {
    expect(await run('--json')).toBe(2);
    expect(JSON.parse(out)).toMatchObject({ holds: false, error: { code: 'audit/bad-option' } });
  });

  it('has help', async () => {
    expect(await run('--help')).toBe(0);
    for (const flag of ['--run', '--rpc', '--job', '--blobs', '--vault', '--token-file', '--json'])
      expect(out).toContain(flag);
  });
});
