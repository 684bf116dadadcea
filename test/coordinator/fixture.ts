import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { keccak_256 } from '@noble/hashes/sha3.js';
import { onTestFinished } from 'vitest';
import { createWallet, type Signer } from '../../contracts/wallet.ts';
import type { Log } from '../../coordinator/log.ts';
import { fromHex, type Hex, toHex, utf8, ZERO_HASH } from '../../shared/bytes.ts';
import { type UpdateStatement, updateDigest } from '../../shared/commitments/contribution.ts';
import { TREE } from '../../shared/commitments/merkle-tree.ts';
import type { SigningDomain } from '../../shared/commitments/typed-data.ts';
import { blockRoot, partRoots, updateTree, vectorBytes } from '../../shared/commitments/vector-trees.ts';
import { largestMagnitude } from '../../shared/fixed-point/update.ts';
import { createRng } from '../../shared/rng.ts';
import { type JobTerms, jobTerms } from '../../shared/round/job-terms.ts';
import { type Manifest, parseManifest } from '../../shared/round/manifest.ts';
import { type RoundPlan, seedChain } from '../../shared/round/plan.ts';

/** 32 bytes that differ for every text. */
export function hash(text: string): Hex {
  return toHex(keccak_256(utf8(text)));
}

export const COORDINATOR: Signer = createWallet(hash('key of the coordinator'));

/** Wallets of participants in participant order. */
export const WALLETS: readonly Signer[] = ['a', 'b', 'c', 'd']
  .map((name) => createWallet(hash(`key of ${name}`)))
  .sort((one, other) => (one.address < other.address ? -1 : 1));

export const STRANGER: Signer = createWallet(hash('key of a stranger'));

export const DOMAIN: SigningDomain = { chainId: 31337n, anchor: `0x${'ac'.repeat(20)}` };

export interface TestJob {
  readonly terms: JobTerms;
  readonly model: Int32Array;
  readonly seeds: readonly Hex[];
}

export interface TestJobChoices {
  readonly rounds?: number;
  readonly participation?: Partial<Manifest['participation']>;
  readonly rule?: Partial<Manifest['aggregation']['rule']>;
  readonly serverStep?: Manifest['aggregation']['serverStep'];
  readonly disclosure?: Manifest['disclosure'];
  readonly wire?: NonNullable<Manifest['wire']>;
}

/** A job with one tensor of 70 coordinates and one of 3: 192 with padding, three blocks. */
export function testJob({
  rounds = 3,
  participation = {},
  rule = {},
  serverStep = { name: 'FedAvg', learningRate: 65_536 },
  disclosure = 'public',
  wire,
}: TestJobChoices = {}): TestJob {
  const rng = createRng(7, 'model');
  const model = new Int32Array(192);
  for (let at = 0; at < 70; at++) model[at] = rng.below(2 ** 24) - 2 ** 23;
  for (let at = 128; at < 131; at++) model[at] = rng.below(2 ** 24) - 2 ** 23;
  const settings = { admission: 'open', expected: 4, quorum: 3, deadlineMs: 60_000, retries: 2, ...participation };
  const seeds = seedChain(fromHex(hash('secret of the seeds')), rounds + settings.retries);
  const manifest = parseManifest({
    version: 1,
    name: 'test job',
    tensors: [
      { name: 'kernel', shape: [7, 10] },
      { name: 'bias', shape: [3] },
    ],
    task: { kind: 'none', architecture: null, training: null, data: null },
    aggregation: {
      rule: { rule: 'TrMean', pre: [], f: 1, params: {}, ...rule },
      sampleCap: 1000,
      serverStep,
    },
    rounds,
    participation: settings,
    rewards: { pricePerRound: '1000003' },
    chain: { windowTicks: 1 },
    ...(wire && { wire }),
    disclosure,
    retentionS: 0,
    initialUpdateBits: 12,
    initialModelRoot: blockRoot(TREE.model, model),
    seedCommitment: seeds[0],
  });
  return { terms: jobTerms(manifest), model, seeds };
}

/** An update made by code: a drift that all share and noise of one's own, the same on every machine. */
export function updateOf(terms: JobTerms, participant: Hex, plan: Pick<RoundPlan, 'round' | 'attempt'>): Int16Array {
  const own = createRng(utf8(participant), `update/${plan.round}/${plan.attempt}`);
  const shared = createRng(plan.round, 'drift');
  const update = new Int16Array(terms.layout.dimension);
  for (const { offset, size } of terms.layout.slots) {
    for (let at = offset; at < offset + size; at++) update[at] = shared.below(2001) - 1000 + own.below(401) - 200;
  }
  return update;
}

/** What a participant states about an update. */
export function statementOf(
  terms: JobTerms,
  plan: Pick<RoundPlan, 'round' | 'attempt' | 'parentRoot'>,
  update: Int16Array,
): UpdateStatement {
  return {
    job: terms.job,
    round: plan.round,
    attempt: plan.attempt,
    parentRoot: plan.parentRoot,
    updateRoot: toHex(updateTree(vectorBytes(update)).root),
    samples: 100,
    largestMagnitude: largestMagnitude(update),
    datasetCommitment: ZERO_HASH,
  };
}

export function signStatement(signer: Signer, statement: UpdateStatement): Hex {
  return signer.signDigest(updateDigest(DOMAIN, statement));
}

/** The offer that goes with the bytes of an update. */
export function offerOf(bytes: Uint8Array): { updateRoot: Hex; byteLength: number; partRoots: Hex[] } {
  const tree = updateTree(bytes);
  return { updateRoot: toHex(tree.root), byteLength: bytes.length, partRoots: partRoots(tree).map(toHex) };
}

/** A folder that goes when the test has finished. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'fedanchor-test-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A log that only remembers its warnings and errors. */
export function createQuietLog(): Log & { readonly warnings: string[]; readonly errors: string[] } {
  const warnings: string[] = [];
  const errors: string[] = [];
  const told = (fields: Readonly<Record<string, unknown>>, message: string) => `${message} ${JSON.stringify(fields)}`;
  return {
    warnings,
    errors,
    info: () => {},
    warn: (fields, message) => void warnings.push(told(fields, message)),
    error: (fields, message) => void errors.push(told(fields, message)),
  };
}
