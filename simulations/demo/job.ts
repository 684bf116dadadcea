import { join } from 'node:path';
import { describeTensors, initialWeights } from '../../client/trainers/tfjs/layers-model.ts';
import { type ManifestDraft, type PreparedJob, prepareJob } from '../../coordinator/job-folder.ts';
import { compilePipeline } from '../../shared/aggregation/pipeline.ts';
import { parseRuleSpec, type RuleSpec } from '../../shared/aggregation/registry.ts';
import { concatBytes, utf8, word } from '../../shared/bytes.ts';
import type { Json } from '../../shared/codec.ts';
import { sha256Digest } from '../../shared/commitments/hashing.ts';
import { DEFAULT_FRACTION_BITS, LEARNING_RATE_BITS } from '../../shared/fixed-point/constants.ts';
import { layoutOf } from '../../shared/fixed-point/layout.ts';
import { encodeModel } from '../../shared/fixed-point/model.ts';
import { isWeighted } from '../../shared/openings/settled.ts';
import { cheatNamed } from '../cheats/cheats.ts';
import { COURT_WINDOW_TICKS, demoCourt } from './court.ts';
import { DemoError } from './demo-error.ts';
import { nextCharacterJob } from './next-character.ts';
import type { DemoOptions } from './options.ts';
import { addressesOf, type Cast } from './participants.ts';

/** Pot of one round: 100 tokens of 18 decimals. */
const PRICE_PER_ROUND = 100n * 10n ** 18n;

/** The rule of a demonstration, held against the number of participants it will face. */
export function demoRule({ rule, f, clients, attackers }: DemoOptions): RuleSpec {
  const named = parseRuleSpec(rule);
  // A plain mean withstands nobody; what it does under attack is what the demonstration may want to show.
  const spec = { ...named, f: f ?? (named.rule === 'Average' ? 0 : attackers) };
  compilePipeline(spec, clients + attackers, true);
  return spec;
}

/** Prepares the demonstration's job: its manifest and its first model, both a function of the options. */
export async function prepareDemoJob(
  runFolder: string,
  options: DemoOptions,
  cast: Cast,
  rule: RuleSpec,
): Promise<PreparedJob> {
  const { architecture, training, contextLength, heldOutSamples, initialUpdateBits } = nextCharacterJob;
  const tensors = (await describeTensors(architecture)).map((tensor) => ({
    ...tensor,
    shape: [...tensor.shape],
    fractionBits: DEFAULT_FRACTION_BITS,
    preScaleBits: 0,
  }));
  const count = cast.participants.length;
  const draft: ManifestDraft = {
    name: 'next-character demonstration',
    tensors,
    task: {
      kind: 'next-character',
      architecture: architecture as Json as never,
      training: { ...training } as never,
      data: { contextLength, heldOutSamples },
    },
    aggregation: {
      rule: { rule: rule.rule, pre: [...rule.pre], f: rule.f, params: { ...rule.params } },
      sampleCap: 1_000_000,
      serverStep: { name: 'FedAvg', learningRate: 2 ** LEARNING_RATE_BITS },
    },
    rounds: options.rounds,
    participation: {
      admission: addressesOf(cast.participants),
      expected: count,
      quorum: smallestQuorum(rule, count),
      deadlineMs: 180_000,
      retries: 8,
    },
    rewards: { pricePerRound: String(PRICE_PER_ROUND), score: 'confirmation' },
    chain: { windowTicks: options.cheat === undefined ? 1 : COURT_WINDOW_TICKS },
    ...(options.cheat === undefined ? {} : { court: demoCourt(PRICE_PER_ROUND, count) }),
    disclosure: 'public',
    // A kept run must recompute for longer than anybody keeps it.
    retentionS: 365 * 86_400,
    initialUpdateBits,
  };
  const weights = await initialWeights(architecture, options.seed);
  const model = encodeModel(layoutOf(tensors), weights).vector;
  const secret = sha256Digest(concatBytes(utf8('fedanchor demo seeds'), word(options.seed)));
  return prepareJob(join(runFolder, 'coordinator'), draft, model, secret);
}

/**
 * Holds a lie to the rule that it is to be told of.
 *
 * @throws DemoError `demo/cheat-needs-weights`
 */
export function checkCheat(name: string, rule: RuleSpec): void {
  if (!cheatNamed(name).needsWeights || isWeighted(rule)) return;
  throw new DemoError(
    'demo/cheat-needs-weights',
    `--cheat ${name} lies about weights, and ${rule.rule} gives none: choose a rule that does, such as --rule Krum`,
    { cheat: name, rule: rule.rule },
  );
}

/** All but f participants, or as many more as the rule asks for. */
function smallestQuorum(rule: RuleSpec, count: number): number {
  for (let quorum = count - rule.f; quorum < count; quorum++) {
    try {
      compilePipeline(rule, quorum, true);
      return quorum;
    } catch {
      // The rule's bound wants more; try with one more.
    }
  }
  return count;
}
