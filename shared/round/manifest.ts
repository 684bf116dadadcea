import { keccak_256 } from '@noble/hashes/sha3.js';
import { z } from 'zod';
import { SCORE_METHODS, type ScoreMethod } from '../aggregation/scores.ts';
import { type Hex, toHex, utf8 } from '../bytes.ts';
import { canonicalJson, decodeCanonicalJson, type Json } from '../codec.ts';
import { FedanchorError } from '../errors.ts';
import { DEFAULT_FRACTION_BITS } from '../fixed-point/constants.ts';
import { UPDATE_BITS_RANGE } from '../fixed-point/update-bits.ts';
import { wireSchema } from '../wire/wire-terms.ts';
import { courtSchema } from './court-terms.ts';
import { participationSchema } from './participation.ts';
import { serverStepSchema } from './server-step-schema.ts';

/** Version of the manifest's format. */
const MANIFEST_VERSION = 1;

/** Thrown when a manifest is not valid. */
export class ManifestError extends FedanchorError<'manifest/invalid'> {}

const hex32 = z.string().regex(/^0x[0-9a-f]{64}$/, 'expected 32 bytes as 0x and 64 lower-case hexadecimal digits');
const count = z.number().int().positive().max(0xffff_ffff);

const tensorSchema = z.strictObject({
  name: z.string().min(1).max(200),
  shape: z
    .array(
      z
        .number()
        .int()
        .positive()
        .max(2 ** 31),
    )
    .max(8),
  fractionBits: z.number().int().min(0).max(30).default(DEFAULT_FRACTION_BITS),
  preScaleBits: z.number().int().min(0).max(16).default(0),
});

const manifestObject = z.strictObject({
  version: z.literal(MANIFEST_VERSION),
  name: z.string().min(1).max(200),
  tensors: z.array(tensorSchema).min(1).max(10_000),
  /** What clients train: data for a trainer, never code. */
  task: z.strictObject({
    kind: z.string().min(1).max(100),
    architecture: z.json(),
    training: z.json(),
    data: z.json(),
  }),
  aggregation: z.strictObject({
    rule: z.strictObject({
      rule: z.string().min(1),
      pre: z.array(z.string().min(1)),
      f: z.number().int().min(0),
      params: z.record(z.string(), z.union([z.string(), z.number()])),
    }),
    /** Samples above this count as this many: a client cannot buy weight with a number. */
    sampleCap: count,
    serverStep: serverStepSchema,
  }),
  rounds: z.number().int().positive().max(0xff_ffff),
  participation: participationSchema,
  rewards: z.strictObject({
    /** Pot of each round in the token's smallest unit, as a decimal string. */
    pricePerRound: z.string().regex(/^(0|[1-9][0-9]{0,37})$/),
    /** How the pot is split. No default, which would change the hash of every manifest written without it. */
    score: z.enum(SCORE_METHODS).optional(),
  }),
  chain: z.strictObject({
    /** Challenge window in ticks of 16 seconds. */
    windowTicks: z.number().int().min(0).max(0xffff),
  }),
  /** Stakes, bonds and disputes. No default: a manifest without it is a job without a court. */
  court: courtSchema.optional(),
  /** How updates travel. No default: a manifest without it has them travel as they are. */
  wire: wireSchema.optional(),
  /** Who may read the updates. */
  disclosure: z.enum(['public', 'participants', 'auditors']),
  /** How long updates are kept beyond finality, in seconds. */
  retentionS: z.number().int().min(0),
  initialUpdateBits: z.number().int().min(UPDATE_BITS_RANGE.least).max(UPDATE_BITS_RANGE.most),
  initialModelRoot: hex32,
  seedCommitment: hex32,
});

const manifestSchema = manifestObject.superRefine(({ court, participation }, context) => {
  if (court && participation.buffer) {
    context.addIssue({
      code: 'custom',
      path: ['participation', 'buffer'],
      message:
        "it does not go with court: the contract holds a signature to the record's parent model, which an update of an older one was not signed for. Leave out one of the two",
    });
  }
  if (court && court.longestRoundS * 1000 < participation.deadlineMs) {
    context.addIssue({
      code: 'custom',
      path: ['court', 'longestRoundS'],
      message: `a round may be open for ${participation.deadlineMs} ms: choose at least ${Math.ceil(participation.deadlineMs / 1000)}`,
    });
  }
});

/** Everything a job's parties agree on before it begins, anchored on chain by its hash. */
export type Manifest = Omit<z.infer<typeof manifestSchema>, 'initialModelRoot' | 'seedCommitment'> & {
  /** Root of the model before round 1. */
  readonly initialModelRoot: Hex;
  /** Start of the chain of round seeds. */
  readonly seedCommitment: Hex;
};

/**
 * Validates a manifest and fills in defaults.
 *
 * @throws ManifestError `manifest/invalid`, naming the first field at fault
 */
export function parseManifest(value: unknown): Manifest {
  const parsed = manifestSchema.safeParse(value);
  if (parsed.success) return parsed.data as Manifest;
  const issue = parsed.error.issues[0];
  const field = issue?.path.join('.') || 'manifest';
  throw new ManifestError('manifest/invalid', `manifest field "${field}": ${issue?.message ?? 'is not valid'}`, {
    field,
  });
}

/** How a job scores updates: what its manifest names, or alignment where it names nothing. */
export function scoreMethod({ rewards }: Pick<Manifest, 'rewards'>): ScoreMethod {
  return rewards.score ?? 'alignment';
}

/** The manifest's bytes: canonical JSON, of which the chain carries the hash. */
export function encodeManifest(manifest: Manifest): Uint8Array {
  return utf8(canonicalJson(manifest as unknown as Json));
}

/**
 * Reads a manifest from its canonical bytes.
 *
 * @throws CodecError, ManifestError
 */
export function decodeManifest(bytes: Uint8Array): Manifest {
  return parseManifest(decodeCanonicalJson(bytes));
}

/** keccak256 of the manifest's canonical bytes. */
export function manifestHash(bytes: Uint8Array): Hex {
  return toHex(keccak_256(bytes));
}
