import { createMemoryCarry } from '../../../client/encoding/memory-carry.ts';
import { trainUpdate } from '../../../client/runner/train-update.ts';
import type { LocalTrainer } from '../../../client/tasks/local-trainer.ts';
import { createWallet, type Signer } from '../../../contracts/wallet.ts';
import { ZERO_HASH } from '../../../shared/bytes.ts';
import { updateDigest } from '../../../shared/commitments/contribution.ts';
import { TREE } from '../../../shared/commitments/merkle-tree.ts';
import { blockRoot } from '../../../shared/commitments/vector-trees.ts';
import { DEFAULT_FRACTION_BITS, MAX_UPDATE } from '../../../shared/fixed-point/constants.ts';
import { layoutOf } from '../../../shared/fixed-point/layout.ts';
import { createRng } from '../../../shared/rng.ts';
import { type JobTerms, jobTerms } from '../../../shared/round/job-terms.ts';
import { parseManifest } from '../../../shared/round/manifest.ts';
import type { WireTerms } from '../../../shared/wire/wire-terms.ts';
import type { BenchReport, Progress } from '../report.ts';
import { median } from '../statistics.ts';
import { milliseconds, renderTable } from '../table.ts';

/** What `bench client` is asked. */
export interface ClientBenchOptions {
  /** Numbers of parameters. */
  readonly d: readonly number[];
  /** Repeats, of which the median counts. */
  readonly repeats: number;
  /** The one wire format to measure; left out, all. */
  readonly format?: WireTerms['format'];
}

/** Milliseconds of processor time that this process has taken: what else runs on the machine does not count. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** What a client does beyond a bare quantization pass must stay below this, in milliseconds, at a million parameters. */
const BAR_MS = 60;

const UPDATE_BITS = 13;
const ALL_QUIET = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

const KINDS: readonly WireTerms[] = [
  { format: 'int16' },
  { format: 'int16', errorFeedback: true },
  { format: 'int8' },
  { format: 'int4' },
  { format: 'topk', keepPerMille: 10 },
  { format: 'topk', keepPerMille: 10, errorFeedback: true },
];

interface Measured {
  readonly d: number;
  readonly kind: string;
  /** Rounding floats to integers of two bytes, to nearest, and nothing else. */
  readonly bareMs: number;
  /** From what was learnt to the bytes and what is stated about them, its root included. */
  readonly encodeMs: number;
  readonly signMs: number;
  /** All of it less the bare pass. */
  readonly beyondMs: number;
}

/**
 * Measures what a client does on one core between what it has learnt and what it sends: stochastic rounding, error
 * feedback, wire format, Merkle tree, signature. The training itself takes no time here; all else is the client's own code.
 */
export async function benchClient(
  { d, repeats, format }: ClientBenchOptions,
  progress: Progress,
): Promise<BenchReport> {
  const measured: Measured[] = [];
  const memory: { d: number; mostBytes: number }[] = [];
  for (const parameters of d) {
    const update = learnt(parameters);
    for (const wire of KINDS.filter((kind) => format === undefined || kind.format === format)) {
      const kind = `${wire.format}${wire.errorFeedback ? ', error feedback' : ''}`;
      progress(`${parameters} parameters, ${kind}`);
      measured.push(await measure(parameters, update, wire, kind, repeats));
    }
    memory.push({ d: parameters, mostBytes: process.resourceUsage().maxRSS * 1024 });
  }
  const table = renderTable(
    ['d, wire format', 'bare quantization', 'encode, tree', 'sign', 'beyond the bare pass'],
    measured.map(({ d, kind, bareMs, encodeMs, signMs, beyondMs }) => [
      `${d}, ${kind}`,
      ...[bareMs, encodeMs, signMs, beyondMs].map(milliseconds),
    ]),
  );
  const text = [
    table,
    '',
    'times     processor time of the process, garbage collection included; medians',
    `bar       ${BAR_MS} ms beyond the bare pass at d = 1000000`,
    ...memory.map(
      ({ d, mostBytes }) => `memory    ${(mostBytes / 2 ** 20).toFixed(0)} MiB resident at most, up to d = ${d}`,
    ),
  ].join('\n');
  return { text, document: { options: { d, repeats, format }, barMs: BAR_MS, measured, memory } };
}

async function measure(
  parameters: number,
  update: Float32Array,
  wire: WireTerms,
  kind: string,
  repeats: number,
): Promise<Measured> {
  const { terms, model } = jobOf(parameters, wire);
  const signer: Signer = createWallet(`0x${'c1'.repeat(32)}`);
  const domain = { chainId: 1n, anchor: `0x${'ac'.repeat(20)}` } as const;
  const carry = createMemoryCarry();
  const bare: number[] = [];
  const encode: number[] = [];
  const sign: number[] = [];
  const beyond: number[] = [];
  // One more than asked for, which only warms up.
  for (let repeat = 0; repeat <= repeats; repeat++) {
    const bareMs = barePass(update);
    let learntAt = 0;
    const local: LocalTrainer = {
      datasetCommitment: ZERO_HASH,
      trainer: {
        train: async () => {
          learntAt = cpuMs();
          return { update: [update], samples: 1, loss: 0 };
        },
        evaluate: async () => ({ correct: 0, total: 0, lossSum: 0, constantCorrect: 0 }),
        dispose: () => {},
      },
    };
    const parentRoot = terms.manifest.initialModelRoot;
    const plan = { round: repeat + 1, attempt: 0, parentRoot, updateBits: UPDATE_BITS, seedIndex: repeat + 1 };
    const { signal } = new AbortController();
    const { statement } = await trainUpdate(terms, local, plan, model, {
      ...{ seed: Uint8Array.of(repeat), carry, log: ALL_QUIET, signal },
    });
    const encodedAt = cpuMs();
    signer.signDigest(updateDigest(domain, statement));
    const signedAt = cpuMs();
    if (repeat === 0) continue;
    bare.push(bareMs);
    encode.push(encodedAt - learntAt);
    sign.push(signedAt - encodedAt);
    beyond.push(signedAt - learntAt - bareMs);
  }
  const medians = { bareMs: median(bare), encodeMs: median(encode), signMs: median(sign), beyondMs: median(beyond) };
  return { d: parameters, kind, ...medians };
}

/** Floats to the nearest integers of two bytes, cut to an update's range: what any quantization has to do. */
function barePass(update: Float32Array): number {
  const unit = 2 ** UPDATE_BITS;
  const startedAt = cpuMs();
  const vector = new Int16Array(update.length);
  for (let at = 0; at < update.length; at++) {
    const rounded = Math.round((update[at] as number) * unit);
    vector[at] = Math.min(MAX_UPDATE, Math.max(-MAX_UPDATE, rounded));
  }
  return cpuMs() - startedAt;
}

/** Numbers as training leaves them: bell-shaped, a few large ones. */
function learnt(parameters: number): Float32Array {
  const rng = createRng(1, 'bench client');
  const bell = (): number => rng.nextFloat() + rng.nextFloat() + rng.nextFloat() - 1.5;
  return Float32Array.from({ length: parameters }, () => 0.1 * bell() * bell());
}

function jobOf(parameters: number, wire: WireTerms): { terms: JobTerms; model: Int32Array } {
  const tensors = [{ name: 'weights', shape: [parameters], fractionBits: DEFAULT_FRACTION_BITS, preScaleBits: 0 }];
  const model = new Int32Array(layoutOf(tensors).dimension);
  const manifest = parseManifest({
    ...{ version: 1, name: 'bench client', tensors, wire, rounds: 1000 },
    task: { kind: 'none', architecture: null, training: null, data: null },
    aggregation: {
      ...{ rule: { rule: 'Average', pre: [], f: 0, params: {} }, sampleCap: 1 },
      serverStep: { name: 'FedAvg', learningRate: 65_536 },
    },
    participation: { admission: 'open', expected: 1, quorum: 1, deadlineMs: 60_000, retries: 0 },
    ...{ rewards: { pricePerRound: '0' }, chain: { windowTicks: 1 }, disclosure: 'public', retentionS: 0 },
    initialUpdateBits: UPDATE_BITS,
    initialModelRoot: blockRoot(TREE.model, model),
    seedCommitment: ZERO_HASH,
  });
  return { terms: jobTerms(manifest), model };
}
