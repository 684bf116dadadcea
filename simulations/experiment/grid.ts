import type { Choice, RuleChoice } from './choice.ts';
import type { ExperimentRun } from './experiment.ts';
import { networkOf } from './network-schema.ts';
import { runId } from './run-id.ts';
import type { Named, RunSpec } from './run-spec.ts';
import type { ExperimentFile } from './schema.ts';
import { serverOf } from './server-schema.ts';

/** The axes of a grid whose values are names, read. */
export interface NamedAxes {
  /** Pre-aggregators and rules together. */
  readonly rules: readonly RuleChoice[];
  /** Attacks; null for none. */
  readonly attacks: readonly Choice<Named | null>[];
  /** Partitions. */
  readonly partitions: readonly Choice<Named>[];
}

/**
 * Every run of a grid: for each partition, number of clients, f, rule and attack one run a seed, the seed changing fastest.
 * Whether a run is possible is looked at elsewhere (`impossibleRuns`).
 */
export function expandGrid(file: ExperimentFile, { rules, attacks, partitions }: NamedAxes): ExperimentRun[] {
  const { grid, federation } = file;
  const runs: ExperimentRun[] = [];
  for (const partition of partitions) {
    for (const total of grid.n ?? [null]) {
      for (const f of grid.f) {
        const byzantine = federation.byzantine === 'f' ? f : federation.byzantine;
        const honest = total === null ? (federation.honest as number) : total - byzantine;
        for (const rule of rules) {
          for (const attack of attacks) {
            for (const seed of file.seeds) {
              const spec: RunSpec = {
                ...common(file),
                ...{ partition: partition.value, honest, byzantine, seed },
                ...{ attack: attack.value, rule: { ...rule.value, f: rule.withstandsNone ? 0 : f } },
              };
              const [n, id] = [honest + byzantine, runId(spec)];
              const labels = { rule: rule.label, attack: attack.label, partition: partition.label };
              runs.push({ id, cell: { ...labels, f, n, seed }, spec });
            }
          }
        }
      }
    }
  }
  return runs;
}

/** What all runs have in common. */
function common(
  file: ExperimentFile,
): Omit<RunSpec, 'partition' | 'honest' | 'byzantine' | 'attack' | 'rule' | 'seed'> {
  const { federation, training, evaluation } = file;
  return {
    data: file.data,
    model: file.model,
    sampled: federation.sampled ?? null,
    ...(federation.sampleCap !== undefined && { sampleCap: federation.sampleCap }),
    knowledge: federation.knowledge,
    rounds: federation.rounds,
    training: {
      mode: training.mode,
      learningRate: training.learningRate ?? 1,
      batch: training.batch,
      steps: training.steps ?? null,
      epochs: training.epochs ?? null,
      momentum: training.momentum,
      momentumWeight: training.momentumWeight ?? 1 - training.momentum,
      weightDecay: training.weightDecay,
      proximal: training.proximal,
    },
    server: serverOf(file.server),
    network: networkOf(file.network),
    evaluateEvery: evaluation.every ?? Math.max(1, Math.ceil(federation.rounds / DEFAULT_EVALUATIONS)),
    economics: file.economics,
    commit: file.commit,
  };
}

/** How often a model is tested along a run, unless the experiment says. */
const DEFAULT_EVALUATIONS = 20;
