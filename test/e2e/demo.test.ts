import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { int32Vector } from '../../shared/commitments/vector-trees.ts';
import { type Finished, run, start } from './fedanchor-process.ts';

const ROUNDS = 4;
const ASKED = ['demo', '--rounds', String(ROUNDS), '--clients', '4', '--seed', '11'];

interface Run {
  readonly rounds: {
    round: number;
    modelRoot: string;
    parentRoot: string;
    verdicts: { role: string; verdict: string }[];
  }[];
  readonly baseline: { untrained: number; constant: number };
  readonly finalAccuracy: number;
  readonly audit: { holds: boolean; rounds: { round: number; holds: boolean }[] };
  readonly rewards: { participant: string; role: string; amount: string; claimed: string }[];
  readonly pot: { funded: string; spent: string };
  readonly modelFile: string;
}

let folder: string;
let finished: Finished;
let first: Run;

const at = (name: string): string => join(folder, name);
const blobsOf = async (kept: string): Promise<string> =>
  join(at(kept), (JSON.parse(await readFile(join(at(kept), 'run.json'), 'utf8')) as { blobs: string }).blobs);
const readRun = async (name: string): Promise<Run> => JSON.parse(await readFile(at(name), 'utf8')) as Run;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fedanchor-e2e-'));
  finished = await run([...ASKED, '--keep', at('run'), '--json', at('first.json')]);
  first = await readRun('first.json');
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe('a demonstration', () => {
  it('ends by itself, with every round audited', () => {
    expect(finished.code).toBe(0);
    expect(first.rounds.map(({ round }) => round)).toEqual([1, 2, 3, 4]);
    expect(first.audit.holds).toBe(true);
    expect(first.audit.rounds.map(({ holds }) => holds)).toEqual([true, true, true, true]);
    expect(finished.stdout.match(/✓ round \d+ · model 0x[0-9a-f]+… recomputed/g)).toHaveLength(ROUNDS);
  });

  it('learns with the attacker present, far beyond the untrained and the constant model', () => {
    expect(first.finalAccuracy).toBeGreaterThan(1.4 * first.baseline.constant);
    expect(first.finalAccuracy).toBeGreaterThan(5 * first.baseline.untrained);
  });

  it('pays the honest all of the pot and the attacker nothing', () => {
    const honest = first.rewards.filter(({ role }) => role === 'honest');
    const attackers = first.rewards.filter(({ role }) => role === 'attacker');
    expect(honest).toHaveLength(4);
    expect(attackers).toHaveLength(1);
    for (const { amount, claimed } of honest) {
      expect(BigInt(amount)).toBeGreaterThan(0n);
      expect(claimed).toBe(amount);
    }
    for (const { amount, claimed } of attackers) expect([amount, claimed]).toEqual(['0', '0']);
    expect(honest.reduce((sum, { claimed }) => sum + BigInt(claimed), 0n)).toBe(BigInt(first.pot.spent));
    expect(first.pot.spent).toBe(first.pot.funded);
  });

  it('exports the anchored model', async () => {
    const file = await readFile(first.modelFile);
    const headerLength = Number(file.readBigUInt64LE(0));
    const header = JSON.parse(file.subarray(8, 8 + headerLength).toString()) as Record<
      string,
      { data_offsets: number[] }
    >;
    expect(header['__metadata__']).toMatchObject({ modelRoot: first.rounds.at(-1)?.modelRoot });
    const root = first.rounds.at(-1)?.modelRoot.slice(2) as string;
    const model = int32Vector(await readFile(join(await blobsOf('run'), root.slice(0, 2), root)));
    const values = new Float32Array(file.buffer.slice(file.byteOffset + 8 + headerLength));
    expect(values[0]).toBe(Math.fround((model[0] as number) / 2 ** 24));
  });

  it('repeats itself bit for bit, though the coordinator and a client are killed on the way', async () => {
    const again = start([...ASKED, '--keep', at('again'), '--json', at('again.json')]);
    await again.seen('round 1/4');
    kill(`coordinator run --dir ${at('again')}`);
    await again.seen('round 2/4');
    kill(`${at('again')}/keys/client-2.key`);
    kill(`coordinator run --dir ${at('again')}`);
    const { code, stdout } = await again.finished;
    expect(code).toBe(0);
    expect(stdout).toContain('the coordinator died (SIGKILL)');
    const second = await readRun('again.json');
    expect(second.rounds.map(({ modelRoot }) => modelRoot)).toEqual(first.rounds.map(({ modelRoot }) => modelRoot));
    expect(second.rewards).toEqual(first.rewards);
    expect(second.audit.holds).toBe(true);
  });

  it('is destroyed by the same attack where the rule is a plain mean', async () => {
    const { code } = await run([...ASKED, '--rule', 'mean', '--json', at('mean.json')], folder);
    expect(code).toBe(0);
    const mean = await readRun('mean.json');
    expect(mean.finalAccuracy).toBeLessThan(mean.baseline.constant / 2);
    expect(mean.audit.holds).toBe(true);
  });
});

describe('verify --run', () => {
  it('confirms the kept run', async () => {
    const { code, stdout } = await run(['verify', '--run', at('run')]);
    expect(code).toBe(0);
    expect(stdout.match(/✓ round/g)).toHaveLength(ROUNDS);
  });

  it('names any stored blob of which one byte is flipped', async () => {
    const blobs = await blobsOf('run');
    const files = (await readdir(blobs, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
    // Manifest, first model, and of every round the updates, aggregate, model and document.
    expect(files).toHaveLength(2 + ROUNDS * (5 + 3));
    const bySize = new Map<number, string[]>();
    for (const { parentPath, name } of files) {
      const file = join(parentPath, name);
      const { length } = await readFile(file);
      bySize.set(length, [...(bySize.get(length) ?? []), file]);
    }
    // One of every size: manifest, update, model or aggregate, and each document.
    for (const [file] of bySize.values()) {
      const bytes = await readFile(file as string);
      const flipped = Uint8Array.from(bytes);
      flipped[Math.floor(flipped.length / 2)] = (flipped[Math.floor(flipped.length / 2)] as number) ^ 1;
      await writeFile(file as string, flipped);
      const { code, stdout, stderr } = await run(['verify', '--run', at('run')]);
      await writeFile(file as string, bytes);
      expect(code).toBe(1);
      expect(stdout + stderr).toContain(`0x${file?.slice(-64)}`);
    }
  });
});

describe('what is asked for wrongly', () => {
  it.each([
    [['demo', '--rule', 'Foo'], 'there is no rule "Foo"'],
    [['demo', '--f', '9'], 'TrMean bears at most f = 2'],
    [['demo', '--attack', 'charm'], 'there is no attack named "charm"'],
    [['demo', '--clients', '0'], 'expected a whole number from 1 to 50'],
    [['demo', '--data', '/no/such/folder'], 'cannot read the data folder /no/such/folder'],
    [['demo', '--json', '/no/such/folder/out.json'], 'cannot write /no/such/folder/out.json'],
    [['demo', '--bogus'], "unknown option '--bogus'"],
    [['verify'], 'say what to verify'],
    [['verify', '--run', '/no/such/folder'], '/no/such/folder'],
    [['frobnicate'], "unknown command 'frobnicate'"],
  ])('%s ends with exit code 2 and a sentence', async (args, sentence) => {
    const { code, stdout, stderr } = await run(args);
    expect(code).toBe(2);
    expect(stderr).toContain(sentence);
    expect(stderr).not.toContain('    at ');
    expect(stdout).not.toContain('Rounds');
  });

  it('a taken port is named', async () => {
    await using server = createServer();
    const port = await new Promise<number>((listening) => {
      server.listen(0, '127.0.0.1', () => listening((server.address() as { port: number }).port));
    });
    const { code, stderr } = await run([...ASKED, '--port', String(port)], folder);
    expect(code).toBe(2);
    expect(stderr).toContain(`port ${port} is taken: choose another with --port`);
  });
});

/** Kills, as a crash would, the process whose command line holds a text. */
function kill(commandLine: string): void {
  execFileSync('pkill', ['-9', '-f', commandLine]);
}
