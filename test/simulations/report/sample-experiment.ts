import { createHash } from 'node:crypto';
import { canonicalJson, type Json } from '../../../shared/codec.ts';
import type { Cell, Experiment, ResultLine } from '../../../simulations/experiment/experiment.ts';
import type { CurvePoint, RunResult } from '../../../simulations/experiment/run-result.ts';
import type { RunSpec } from '../../../simulations/experiment/run-spec.ts';

/** What a sample experiment is like. */
export interface SampleOptions {
  readonly name?: string;
  readonly title?: string;
  readonly rules?: readonly string[];
  readonly attacks?: readonly string[];
  readonly partitions?: readonly string[];
  readonly f?: readonly number[];
  readonly seeds?: readonly number[];
  /** Whether there is a network, and so time. */
  readonly hasNetwork?: boolean;
  /** Tested rounds, round 0 included. */
  readonly tested?: number;
}

/** An experiment and its results. */
export interface Sample {
  readonly experiment: Experiment;
  readonly lines: readonly ResultLine[];
}

/** 10^18 units: one token. */
const TOKEN = 10n ** 18n;

/**
 * An experiment with results that look like real ones: accuracies that rise and spread, weights, rewards, a diverged run
 * where somebody attacks the mean by IPM with seed 2. Nothing was run; all follows from the place in the grid.
 */
export function sampleExperiment(options: SampleOptions = {}): Sample {
  const {
    rules = [
      'Average',
      'Median',
      'TrMean',
      'NNM+GeometricMedian:nu=0.1,T=3',
      'NNM+MultiKrum',
      'CenteredClipping:tau=1,L=3',
    ],
    attacks = ['none', 'SignFlipping', 'IPM:tau=2', 'ALIE:tau=1.5'],
    partitions = ['dirichlet:alpha=1'],
    f = [3],
    seeds = [0, 1, 2],
    hasNetwork = false,
    tested = 13,
  } = options;
  const cells: Cell[] = partitions.flatMap((partition) =>
    f.flatMap((faulty) =>
      rules.flatMap((rule) =>
        attacks.flatMap((attack) =>
          seeds.map((seed) => ({ partition, n: 10 + faulty, f: faulty, rule, attack, seed })),
        ),
      ),
    ),
  );
  const lines = cells.map((cell): ResultLine => {
    const spec = specOf(cell, hasNetwork);
    const id = createHash('sha256')
      .update(canonicalJson(spec as unknown as Json))
      .digest('hex')
      .slice(0, 16);
    const place = { rule: rules.indexOf(cell.rule), attack: attacks.indexOf(cell.attack) };
    return { id, cell, spec, result: resultOf(spec, cell, place, tested) };
  });
  return {
    lines,
    experiment: {
      name: options.name ?? 'e3',
      title: options.title ?? 'Fashion-MNIST under attack',
      seeds,
      runs: lines.map(({ id, cell, spec }) => ({ id, cell, spec })),
      ownFiles: {},
      hash: 'e3'.repeat(32),
    },
  };
}

/** The lines as `results.ndjson` has them. */
export function ndjsonOf(lines: readonly ResultLine[]): string {
  return lines.map((line) => `${canonicalJson(line as unknown as Json)}\n`).join('');
}

function specOf({ partition, f, rule, attack, seed }: Cell, hasNetwork: boolean): RunSpec {
  const [name, alpha] = partition.split(':alpha=');
  return {
    data: { name: 'fashion-mnist', folder: 'data/fashion-mnist' },
    model: { name: 'mlp', hidden: [100] },
    partition: { name: name as string, params: alpha === undefined ? {} : { alpha: Number(alpha) } },
    honest: 10,
    byzantine: f,
    sampled: null,
    attack: attack === 'none' ? null : { name: attack.split(':')[0] as string, params: {} },
    knowledge: 'omniscient',
    rule: { pre: [], rule, f, params: {} },
    rounds: 300,
    training: {
      mode: 'gradient',
      learningRate: 0,
      batch: 25,
      steps: null,
      epochs: null,
      momentum: 0.9,
      momentumWeight: 0.1,
      weightDecay: 0.0001,
      proximal: 0,
    },
    server: { name: 'FedAvg', learningRate: 6554 },
    network: hasNetwork
      ? {
          secondsPerExample: { kind: 'lognormal', median: 0.01, sigma: 0.5 },
          downBytesPerSecond: { kind: 'constant', value: 1e6 },
          upBytesPerSecond: { kind: 'constant', value: 2e5 },
          latencySeconds: { kind: 'uniform', least: 0.02, most: 0.2 },
          dropout: 0.05,
          straggler: { chance: 0.1, factor: 5 },
          mode: { kind: 'synchronous', quorum: 8, deadlineSeconds: 10 },
        }
      : null,
    evaluateEvery: 25,
    economics: { pot: '100', stake: '1000', costPerClientRound: 0.5 },
    commit: false,
    seed,
  };
}

function resultOf(spec: RunSpec, cell: Cell, place: { rule: number; attack: number }, tested: number): RunResult {
  const { rounds, byzantine, honest, seed } = spec;
  const noise = (salt: number): number =>
    ((Math.imul((seed + 1) * 40_503 + salt * 9_973 + place.rule * 131, 2_654_435_761) >>> 16) % 1_000) / 1_000 - 0.5;
  const isAttacked = spec.attack !== null;
  const isHard = cell.partition.includes('0.1') ? 0.15 : 0;
  const goal = 0.83 - 0.012 * place.rule - (isAttacked ? 0.04 * place.attack : 0) - isHard + 0.04 * noise(1);
  const hasDiverged = cell.rule === 'Average' && cell.attack.startsWith('IPM') && seed === 2;
  const weightOf = (at: number): number | null =>
    cell.rule === 'Median' || cell.rule === 'TrMean'
      ? null
      : (byzantine / (byzantine + honest)) * (isAttacked ? 1 / (1 + at * (1 + place.rule)) : 1);
  const steps = hasDiverged ? Math.ceil(tested / 2) : tested;
  const curve = Array.from({ length: steps }, (_, index): CurvePoint => {
    const at = index / (tested - 1);
    const round = Math.round(at * rounds);
    const accuracy = 0.1 + (goal - 0.1) * (1 - (1 - at) ** 4) + 0.015 * noise(index + 2) * (index > 0 ? 1 : 0);
    return {
      round,
      accuracy: Math.min(1, Math.max(0, Math.round(accuracy * 10_000) / 10_000)),
      loss: 2.3 - 2 * at,
      trainLoss: index === 0 ? null : 2.2 - 2 * at,
      ...(cell.attack.startsWith('Backdoor') && { backdoor: Math.round(8_000 * at) / 10_000 }),
      bytesUp: round * (honest + byzantine) * 159_020,
      bytesDown: round * (honest + byzantine) * 318_040,
      seconds: spec.network === null ? null : round * (3 + 0.3 * place.attack + 0.2 * noise(3)),
    };
  });
  const done = hasDiverged ? Math.round(rounds / 2) : rounds;
  const pay = (isHonest: boolean, index: number): bigint =>
    (TOKEN * BigInt(done) * BigInt(isHonest ? 80 + index : isAttacked ? 10 * place.rule : 80)) / 10n;
  const honestPay = Array.from({ length: honest }, (_, index) => pay(true, index));
  const byzantinePay = Array.from({ length: byzantine }, (_, index) => pay(false, index));
  const sum = (amounts: readonly bigint[]): string => amounts.reduce((so, amount) => so + amount, 0n).toString();
  const byzantineWeight = curve.map((_, index) => weightOf(index / (tested - 1)));
  const share = byzantineWeight.every((value) => value === null)
    ? null
    : byzantineWeight.reduce<number>((so, value) => so + (value ?? 0), 0) / byzantineWeight.length;
  return {
    outcome: hasDiverged ? 'diverged' : 'finished',
    ...(hasDiverged && { reason: { code: 'simulation/diverged', message: 'the loss is no longer a finite number' } }),
    curve,
    finalAccuracy: (curve.at(-1) as CurvePoint).accuracy,
    bestAccuracy: Math.max(...curve.map(({ accuracy }) => accuracy)),
    kinds: {
      honest: {
        clients: honest,
        updates: honest * done,
        weight: share === null ? null : done * (1 - share),
        earned: sum(honestPay),
        activeRounds: done,
      },
      byzantine: {
        clients: byzantine,
        updates: byzantine * done,
        weight: share === null ? null : done * share,
        earned: sum(byzantinePay),
        activeRounds: done,
      },
    },
    earnedByClient: [...honestPay, ...byzantinePay].map(String),
    byzantineWeight,
    traffic:
      spec.network === null
        ? null
        : { atDeadline: 12 + seed, late: 31, dropped: 150, attempts: done, meanStaleness: 0 },
    modelHash: createHash('sha256').update(JSON.stringify(cell)).digest('hex'),
    headHash: null,
    dataHash: 'da7a'.repeat(16),
  };
}
