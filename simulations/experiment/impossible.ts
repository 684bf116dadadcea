import { compilePipeline } from '../../shared/aggregation/pipeline.ts';
import { FedanchorError } from '../../shared/errors.ts';
import { resolveAttack } from '../attacks/registry.ts';
import type { Dataset } from '../data/dataset.ts';
import { attackersTrain } from '../engine/attackers.ts';
import { loadOwnRules } from '../engine/own-rules.ts';
import { streamOf } from '../engine/streams.ts';
import { networkProblems } from '../network/check-network.ts';
import { isOwnFile } from '../own-file.ts';
import { resolvePartition } from '../partitions/registry.ts';
import type { ExperimentRun } from './experiment.ts';
import type { RunSpec } from './run-spec.ts';

/** A run that cannot be made. */
export interface ImpossibleRun {
  /** Which. */
  readonly run: ExperimentRun;
  /** Everything that is against it, a sentence each. */
  readonly reasons: readonly string[];
}

/**
 * The runs that cannot be made, each with all that is against it: looked for before any is begun.
 *
 * @param dataset - the data, which are cut as each run would cut them
 * @param baseFolder - what paths of own files are relative to
 */
export async function impossibleRuns(
  runs: readonly ExperimentRun[],
  dataset: Dataset,
  baseFolder: string,
): Promise<ImpossibleRun[]> {
  const ruleReason = remember(async (spec: RunSpec, n: number) => {
    const book = await loadOwnRules([spec.rule.rule], baseFolder);
    compilePipeline(spec.rule, n, true, book);
  });
  const cutReason = remember(async ({ partition: named, seed }: RunSpec, clients: number) => {
    const { partition, params } = await resolvePartition(named, baseFolder);
    const { labels, groups } = dataset.train;
    const task = { labels, classes: dataset.classes, clients, ...(groups && { groups }) };
    const parts = partition.cut(task, params, streamOf(seed, 'partition'));
    const empty = parts.findIndex((part) => part.length === 0);
    if (empty >= 0) return `client ${empty} of ${clients} has no examples: take fewer clients, or more data`;
    return undefined;
  });
  const impossible: ImpossibleRun[] = [];
  for (const run of runs) {
    const { spec } = run;
    const reasons = countReasons(spec);
    // What follows from the numbers of clients is looked at where these make sense.
    if (reasons.length === 0) {
      for (const n of aggregated(spec)) reasons.push(...(await ruleReason([spec.rule, n], spec, n)));
      const clients = spec.honest + ((await trains(spec, baseFolder)) ? spec.byzantine : 0);
      reasons.push(...(await cutReason([spec.partition, spec.seed, clients], spec, clients)));
    }
    if (reasons.length > 0) impossible.push({ run, reasons });
  }
  return impossible;
}

function countReasons({ honest, byzantine, sampled, attack, network, commit, rule }: RunSpec): string[] {
  const clients = honest + byzantine;
  const reasons: string[] = [];
  if (honest < 1) {
    reasons.push(
      `of ${clients} clients ${byzantine} are Byzantine and none is honest: give more clients, or a smaller f`,
    );
  }
  if (attack !== null && byzantine === 0) {
    reasons.push(`nobody mounts ${attack.name}: give f or federation.byzantine above 0, or the attack "none"`);
  }
  if (sampled !== null && sampled > clients) {
    reasons.push(`federation.sampled is ${sampled}, of ${clients} clients: sample as many as there are, or fewer`);
  }
  if (commit && isOwnFile(rule.rule)) {
    reasons.push(`the rule ${rule.rule} is known to this simulation alone, so no record can name it: leave commit out`);
  }
  return network === null ? reasons : [...reasons, ...networkProblems(network, { clients, sampled })];
}

/** The numbers of updates that a rule may be given: the fewest that a round closes with, and the most. */
function aggregated({ honest, byzantine, sampled, network }: RunSpec): number[] {
  const most = sampled ?? honest + byzantine;
  if (network?.mode.kind === 'buffered') return [network.mode.size];
  return network === null ? [most] : [...new Set([network.mode.quorum, most])];
}

async function trains({ attack, byzantine, knowledge }: RunSpec, baseFolder: string): Promise<boolean> {
  if (byzantine === 0) return false;
  return attackersTrain(attack === null ? null : (await resolveAttack(attack, baseFolder)).attack, knowledge);
}

/** What is against something, worked out once for each key. */
function remember(
  look: (spec: RunSpec, n: number) => Promise<unknown>,
): (key: unknown, spec: RunSpec, n: number) => Promise<readonly string[]> {
  const known = new Map<string, readonly string[]>();
  return async (key, spec, n) => {
    const name = JSON.stringify(key);
    const before = known.get(name);
    if (before !== undefined) return before;
    const found = await reasonsOf(() => look(spec, n));
    known.set(name, found);
    return found;
  };
}

async function reasonsOf(look: () => Promise<unknown>): Promise<string[]> {
  try {
    const reason = await look();
    return typeof reason === 'string' ? [reason] : [];
  } catch (error) {
    if (!(error instanceof FedanchorError)) throw error;
    return [error.message];
  }
}
