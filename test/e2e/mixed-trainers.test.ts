import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type EmbeddedChain, startEmbeddedChain } from '../../contracts/embedded-chain.ts';
import { createWallet } from '../../contracts/wallet.ts';
import { createRng } from '../../shared/rng.ts';
import { decodeSafetensors, encodeSafetensors } from '../../shared/safetensors.ts';
import { type Finished, type Running, run, start } from './fedanchor-process.ts';

/** Real handwritten digits, where a clone lies beside its shared folder; see `digits`. */
const DIGITS = fileURLToPath(new URL('../../../shared/data/digits/digits.csv.gz', import.meta.url));
const EXAMPLES = fileURLToPath(new URL('../../client/examples/python', import.meta.url));

const noPython = spawnSync('python3', ['-c', 'import array']).status === 0 ? '' : ' (skipped: there is no python3)';

const ROUNDS = 3;
const NAME = 'digits of four companies';
const ARCHITECTURE = {
  class_name: 'Sequential',
  config: {
    name: 'softmax',
    layers: [
      {
        class_name: 'Dense',
        config: { name: 'logits', units: 10, activation: 'linear', batch_input_shape: [null, 64], dtype: 'float32' },
      },
    ],
  },
};

/** Who trains with what: two with this product's own trainer, two with Python programs. */
const CLIENTS = [
  { name: 'northwind', args: ['--backend', 'wasm'] },
  { name: 'contoso', args: ['--backend', 'wasm'] },
  { name: 'fabrikam', args: ['--trainer', 'python3 linear.py', '--trainer-cwd', EXAMPLES] },
  { name: 'tailspin', args: ['--trainer', 'python3 linear.py', '--trainer-cwd', EXAMPLES] },
] as const;

let folder: string;
let chain: EmbeddedChain;
let coordinator: Running;
let clients: Finished[];
let verified: Finished;
let claimed: Finished[];
let rows: readonly string[];

const at = (name: string): string => join(folder, name);
const must = async (...args: readonly string[]): Promise<string> => {
  const { code, stdout, stderr } = await run(args, folder);
  if (code !== 0) throw new Error(`fedanchor ${args.join(' ')} ended with ${code}: ${stdout}${stderr}`);
  return stdout;
};

/** Lines of 64 pixels of 0 to 16 and a label: real ones, or blots around ten shapes that are drawn. */
async function digits(): Promise<string[]> {
  if (existsSync(DIGITS)) {
    return gunzipSync(await readFile(DIGITS))
      .toString()
      .trim()
      .split('\n')
      .slice(0, 1_000);
  }
  const rng = createRng(1, 'digits');
  const shapes = Array.from({ length: 10 }, () => Array.from({ length: 64 }, () => rng.below(17)));
  return Array.from({ length: 1_000 }, (_, row) => {
    const pixels = shapes[row % 10]?.map((pixel) => Math.max(0, Math.min(16, pixel + rng.below(13) - 6))) ?? [];
    return [...pixels, row % 10].join(',');
  });
}

/** The share of rows that a model names rightly, by the definition of a linear classifier. */
function accuracyOf(bytes: Uint8Array): number {
  const [kernel, bias] = ['logits/kernel', 'logits/bias'].map(
    (name) => decodeSafetensors(bytes).find((tensor) => tensor.name === name)?.values as Float32Array,
  );
  const right = rows.filter((row) => {
    const values = row.split(',').map(Number);
    const logits = Array.from({ length: 10 }, (_, k) =>
      values.slice(0, 64).reduce((sum, x, i) => sum + (x / 16) * (kernel?.[10 * i + k] ?? 0), bias?.[k] ?? 0),
    );
    return logits.indexOf(Math.max(...logits)) === values[64];
  });
  return right.length / rows.length;
}

beforeAll(async () => {
  if (noPython !== '') return;
  folder = await mkdtemp(join(tmpdir(), 'fedanchor-mixed-'));
  const names = ['operator', 'sponsor', ...CLIENTS.map(({ name }) => name)];
  const keys = names.map((name, index) => ({ name, key: `0x${`${index + 1}a`.repeat(32)}` }));
  chain = await startEmbeddedChain({ stateFile: at('chain.json') });
  for (const { name, key } of keys) {
    await writeFile(at(`${name}.key`), `${key}\n`, { mode: 0o600 });
    await chain.fund(createWallet(key).address, 10n ** 20n);
  }
  const addressOf = (name: string) => createWallet(keys.find((each) => each.name === name)?.key as string).address;

  rows = await digits();
  for (const [index, { name }] of CLIENTS.entries()) {
    const own = rows.filter((_, row) => row % CLIENTS.length === index);
    await writeFile(at(`${name}.csv`), `${own.join('\n')}\n`);
  }
  await writeFile(at('architecture.json'), JSON.stringify(ARCHITECTURE));
  const first = [
    { name: 'logits/kernel', shape: [64, 10], values: new Float32Array(640) },
    { name: 'logits/bias', shape: [10], values: new Float32Array(10) },
  ];
  await writeFile(at('start.safetensors'), encodeSafetensors(first));
  await writeFile(
    at('job.toml'),
    `
name = "${NAME}"
model = "start.safetensors"
rounds = ${ROUNDS}
disclosure = "public"

[task]
kind = "classification"
architectureFile = "architecture.json"
training = { optimizer = "momentum", learningRate = 0.3, momentum = 0.5, batchSize = 32, steps = 20 }
data = { format = "csv", inputShape = [64], classes = 10, header = false, label = 64, scale = { mean = 0, deviation = 16 } }

[aggregation.rule]
rule = "TrMean"
f = 1

[participation]
admission = [${CLIENTS.map(({ name }) => `"${addressOf(name)}"`).join(', ')}]
expected = 4
quorum = 4
deadlineMs = 120000
retries = 4

[rewards]
pricePerRound = "1000000000000000000"

[chain]
windowTicks = 1

[contracts]
treasury = "${addressOf('sponsor')}"
`,
  );
  const rpc = ['--rpc', chain.rpcUrl];
  await must('coordinator', 'init', '--dir', 'operator', ...rpc, '--key-file', 'operator.key');
  const { contracts } = JSON.parse(await must('job', 'create', 'job.toml', '--dir', 'operator', '--json'));
  const job = [...rpc, '--job', contracts.anchor];
  const vault = ['--vault', contracts.vault];
  coordinator = start(['coordinator', 'run', '--dir', 'operator', '--port', '0'], folder);
  const pot = String(BigInt(ROUNDS) * 10n ** 18n);
  const [said] = await Promise.all([
    coordinator.seen('listening on').then(() => coordinator.said()),
    must('vault', 'fund', ...job, ...vault, '--amount', pot, '--key-file', 'sponsor.key'),
  ]);
  const url = /http:\/\/127\.0\.0\.1:\d+/.exec(said)?.[0] as string;
  await must('job', 'start', NAME, '--dir', 'operator');
  clients = await Promise.all(
    CLIENTS.map(({ name, args }, index) => {
      const own = ['--key-file', `${name}.key`, '--data', `${name}.csv`, '--state', `${name}-state`];
      const rest = ['--seed', String(index), '--json', ...args];
      return run(['client', 'run', '--coordinator', url, ...job, ...own, ...rest], folder);
    }),
  );
  await must('job', 'export', NAME, '--dir', 'operator', '--out', 'model.safetensors');
  await chain.increaseTime(60);
  [verified, ...claimed] = await Promise.all([
    run(['verify', ...job, ...vault, '--blobs', url], folder),
    ...CLIENTS.map(({ name }) =>
      run(['client', 'claim', '--coordinator', url, ...job, ...vault, '--key-file', `${name}.key`], folder),
    ),
  ]);
});

afterAll(async () => {
  coordinator?.child.kill('SIGTERM');
  await coordinator?.finished;
  await chain?.stop();
  if (folder) await rm(folder, { recursive: true, force: true });
});

describe.skipIf(noPython !== '')(`clients with trainers of their own beside those without${noPython}`, () => {
  it('train one model together to its end', () => {
    expect(clients.map(({ code }) => code)).toEqual([0, 0, 0, 0]);
    for (const { stderr } of clients) {
      expect(stderr.match(/"verdict":"accepted"/g)).toHaveLength(ROUNDS);
      expect(stderr).not.toContain('declined');
    }
    expect(clients[2]?.stderr).toContain('"trainer":"linear.py"');
    expect(clients[0]?.stderr).toContain('"backend":"wasm"');
  });

  it('raise its accuracy', async () => {
    const before = accuracyOf(await readFile(at('start.safetensors')));
    const after = accuracyOf(await readFile(at('model.safetensors')));
    expect(before).toBeLessThan(0.2);
    expect(after).toBeGreaterThan(0.8);
  });

  it('are recomputed by anyone, and paid, each of them', () => {
    expect(verified.code).toBe(0);
    expect(verified.stdout.match(/✓ round/g)).toHaveLength(ROUNDS);
    const paid = claimed.map(({ stdout }) => BigInt(/: (\d+) of token 0x[0-9a-f]{40} paid now/.exec(stdout)?.[1] ?? 0));
    expect(paid.every((amount) => amount > 0n)).toBe(true);
    expect(paid.reduce((sum, amount) => sum + amount, 0n)).toBeGreaterThan(BigInt(ROUNDS) * 10n ** 18n - 10n);
  });
});
