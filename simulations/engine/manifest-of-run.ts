import { parseRuleSpec, type RuleBook, type RuleSpec } from '../../shared/aggregation/registry.ts';
import type { Hex } from '../../shared/bytes.ts';
import { DEFAULT_FRACTION_BITS } from '../../shared/fixed-point/constants.ts';
import { type Layout, layoutOf } from '../../shared/fixed-point/layout.ts';
import { type Manifest, parseManifest } from '../../shared/round/manifest.ts';
import { unitsOf } from '../economics/money.ts';
import type { RunSpec } from '../experiment/run-spec.ts';
import type { Learner } from '../models/learner.ts';

/** How a learner's tensors lie in the vectors of a round. */
export function layoutOfLearner({ tensors }: Pick<Learner, 'tensors'>): Layout {
  return layoutOf(
    tensors.map(({ name, shape }) => ({ name, shape, fractionBits: DEFAULT_FRACTION_BITS, preScaleBits: 0 })),
  );
}

/** What of a manifest decides a round's numbers. */
export type RunTerms = Pick<Manifest, 'aggregation' | 'rewards'>;

/**
 * What a run's rounds are computed by.
 *
 * @param cap - samples that count at most
 * @param book - what the rule's name stands for
 * @throws RuleError as `parseRuleSpec`; MoneyError for a pot that is no amount
 */
export function termsOfRun(spec: RunSpec, cap: number, book: RuleBook): RunTerms {
  const rule: RuleSpec = parseRuleSpec(spec.rule, book);
  return {
    aggregation: {
      rule: { ...rule, pre: [...rule.pre], params: { ...rule.params } },
      sampleCap: cap,
      serverStep: spec.server,
    },
    rewards: { pricePerRound: String(unitsOf(spec.economics.pot)), score: 'confirmation' },
  };
}

/** What a manifest says of a run whose rounds are committed to. */
export interface ManifestFacts {
  /** Where the model's tensors lie. */
  readonly layout: Layout;
  /** Scale of round 1. */
  readonly initialUpdateBits: number;
  /** Root of the model before round 1. */
  readonly initialModelRoot: Hex;
  /** Start of the chain of seeds. */
  readonly seedCommitment: Hex;
}

/**
 * The manifest that production would have for a run: with it a run's records are those of a job.
 *
 * @throws ManifestError `manifest/invalid` if production has no such job
 */
export function manifestOfRun(spec: RunSpec, terms: RunTerms, facts: ManifestFacts): Manifest {
  const clients = spec.honest + spec.byzantine;
  const buffered = spec.network?.mode.kind === 'buffered' ? spec.network.mode : null;
  return parseManifest({
    version: 1,
    name: 'simulation',
    tensors: facts.layout.slots.map(({ name, shape, fractionBits, preScaleBits }) => ({
      ...{ name, shape: [...shape], fractionBits, preScaleBits },
    })),
    task: { kind: 'simulation', architecture: spec.model, training: spec.training, data: spec.data },
    aggregation: terms.aggregation,
    rounds: spec.rounds,
    participation: {
      admission: 'open',
      expected: clients,
      quorum: 1,
      deadlineMs: 1000,
      retries: 0,
      ...(buffered && { buffer: { size: buffered.size, maxStaleness: buffered.maxStaleness } }),
    },
    rewards: terms.rewards,
    chain: { windowTicks: 0 },
    disclosure: 'public',
    retentionS: 0,
    initialUpdateBits: facts.initialUpdateBits,
    initialModelRoot: facts.initialModelRoot,
    seedCommitment: facts.seedCommitment,
  });
}
