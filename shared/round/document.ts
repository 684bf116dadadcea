import { z } from 'zod';
import { type Hex, utf8 } from '../bytes.ts';
import { canonicalJson, decodeCanonicalJson, type Json } from '../codec.ts';
import type { Contribution } from '../commitments/contribution.ts';
import { FedanchorError } from '../errors.ts';
import type { CumulativeRewards } from './cumulative-rewards.ts';
import type { RevealedPlan } from './plan.ts';

/** Thrown when a round's document does not have its form. */
export class DocumentError extends FedanchorError<'document/invalid'> {}

const hex = z.custom<Hex>((value) => typeof value === 'string' && /^0x[0-9a-f]*$/.test(value), 'expected hexadecimal');
const decimal = z.string().regex(/^(0|-?[1-9][0-9]{0,77})$/);

const documentSchema = z.strictObject({
  version: z.literal(1),
  job: hex,
  plan: z.strictObject({
    round: z.number().int(),
    attempt: z.number().int(),
    parentRoot: hex,
    updateBits: z.number().int(),
    seedIndex: z.number().int(),
    seed: hex,
  }),
  contributions: z
    .array(
      z.strictObject({
        participant: hex,
        updateRoot: hex,
        samples: z.number().int(),
        largestMagnitude: z.number().int(),
        datasetCommitment: hex,
        signature: hex,
        parentRoot: z.exactOptional(hex),
      }),
    )
    .min(1),
  gram: z.array(z.array(decimal)),
  weights: z.array(z.number().int()).nullable(),
  scores: z.array(decimal),
  rewards: z.array(z.strictObject({ account: hex, cumulative: decimal })),
});

/** Everything small about one round, published under the record's `location`: the way from the chain to the data. */
export interface RoundDocument {
  /** The job. */
  readonly job: Hex;
  /** The plan, its seed revealed. */
  readonly plan: RevealedPlan;
  /** Admitted updates in participant order. */
  readonly contributions: readonly Contribution[];
  /** Gram matrix, the aggregate last. */
  readonly gram: readonly (readonly bigint[])[];
  /** Aggregation weights, null for a coordinate rule. */
  readonly weights: readonly number[] | null;
  /** Scores in participant order. */
  readonly scores: readonly bigint[];
  /** Cumulative rewards after the round. */
  readonly rewards: CumulativeRewards;
}

/** The document's bytes: canonical JSON, integers beyond 2^53 as decimal strings. */
export function encodeDocument(document: RoundDocument): Uint8Array {
  const json = {
    version: 1,
    job: document.job,
    plan: { ...document.plan },
    contributions: document.contributions.map((contribution) => ({ ...contribution })),
    gram: document.gram.map((row) => row.map(String)),
    weights: document.weights === null ? null : [...document.weights],
    scores: document.scores.map(String),
    rewards: document.rewards.map(({ account, cumulative }) => ({ account, cumulative: String(cumulative) })),
  };
  return utf8(canonicalJson(json as Json));
}

/**
 * Reads a document from its canonical bytes.
 *
 * @throws CodecError, DocumentError `document/invalid`
 */
export function decodeDocument(bytes: Uint8Array): RoundDocument {
  const parsed = documentSchema.safeParse(decodeCanonicalJson(bytes));
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new DocumentError('document/invalid', `round document, field "${issue?.path.join('.')}": ${issue?.message}`);
  }
  const { job, plan, contributions, gram, weights, scores, rewards } = parsed.data;
  return {
    job,
    plan,
    contributions,
    gram: gram.map((row) => row.map(BigInt)),
    weights,
    scores: scores.map(BigInt),
    rewards: rewards.map(({ account, cumulative }) => ({ account, cumulative: BigInt(cumulative) })),
  };
}
