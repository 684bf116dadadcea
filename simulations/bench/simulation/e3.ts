import { parseRuleSpec } from '../../../shared/aggregation/registry.ts';
import type { RunSpec } from '../../experiment/run-spec.ts';

/** A rule of reference experiment E3, and what one of its runs took in Python. */
export interface E3Rule {
  /** Rule with its pre-aggregators and parameters. */
  readonly rule: string;
  /** Seconds of one run by ByzFL on one thread of the machine on which the reference was made. */
  readonly referenceSeconds: number;
}

/** Faulty participants that robust rules are to withstand. */
const F = 3;

/** E3's six rules. */
export const E3_RULES: readonly E3Rule[] = [
  { rule: 'Average', referenceSeconds: 3.5 },
  { rule: 'Median', referenceSeconds: 6.6 },
  { rule: 'TrMean', referenceSeconds: 6.1 },
  { rule: 'NNM+GeometricMedian:nu=0.1,T=3', referenceSeconds: 11.2 },
  { rule: 'NNM+MultiKrum', referenceSeconds: 15.0 },
  { rule: 'CenteredClipping:tau=1,L=3', referenceSeconds: 4.8 },
];

/** What of E3 can be chosen. */
export interface E3Options {
  /** Folder of Fashion-MNIST. */
  readonly data: string;
  /** Rounds; E3 has 300. */
  readonly rounds: number;
  /** Whether rounds are committed to. */
  readonly commit: boolean;
}

/** E3's run of a rule under sign flipping, seed 0, as `simulations/experiments/e3.toml` has it. */
export function e3Run(rule: string, { data, rounds, commit }: E3Options): RunSpec {
  const { f: _, ...named } = parseRuleSpec(rule);
  return {
    data: { name: 'fashion-mnist', path: data, mean: 0.1307, std: 0.3081 },
    model: { name: 'mlp', hidden: [100] },
    partition: { name: 'dirichlet', params: { alpha: 1 } },
    ...{ honest: 10, byzantine: F, sampled: null, knowledge: 'omniscient' },
    attack: { name: 'SignFlipping', params: {} },
    rule: { ...named, f: rule === 'Average' ? 0 : F },
    rounds,
    training: {
      ...{ mode: 'gradient', learningRate: 1, batch: 25, steps: null, epochs: null },
      ...{ momentum: 0.9, momentumWeight: 0.1, weightDecay: 1e-4, proximal: 0 },
    },
    // A rate of 0.1 in units of 2^-16.
    server: { name: 'FedAvg', learningRate: 6554 },
    network: null,
    evaluateEvery: 50,
    economics: { pot: '100', stake: '100', costPerClientRound: 0 },
    ...{ commit, seed: 0 },
  };
}
