import { keccak_256 } from '@noble/hashes/sha3.js';
import { concatBytes, equalBytes, fromHex, type Hex, toHex, utf8, word } from '../bytes.ts';
import { canonicalJson } from '../codec.ts';
import { furtherParameters } from '../fixed-point/server-step-settings.ts';
import type { Manifest } from './manifest.ts';

/**
 * The part of every round's plan that the manifest fixes, in words of 32 bytes: keccak256 of the rule's name, of its
 * pre-aggregators and parameters (canonical JSON), f, the sample cap, keccak256 of the server step's name, its learning
 * rate, its further parameters if it has any (`momentum`; or `beta1`, `beta2` where there is one, and `tau`), and the
 * commitment to the seed chain.
 */
export function fixedPlanWords(manifest: Manifest): Uint8Array[] {
  const { rule, serverStep } = manifest.aggregation;
  return [
    keccak_256(utf8(rule.rule)),
    keccak_256(utf8(canonicalJson([...rule.pre]))),
    keccak_256(utf8(canonicalJson({ ...rule.params }))),
    word(rule.f),
    word(manifest.aggregation.sampleCap),
    keccak_256(utf8(serverStep.name)),
    word(serverStep.learningRate),
    ...furtherParameters(serverStep).map(word),
    fromHex(manifest.seedCommitment, 32),
  ];
}

/** keccak256 of {@link fixedPlanWords}: what a record repeats and the contract compares. */
export function fixedPlanHash(manifest: Manifest): Hex {
  return toHex(keccak_256(concatBytes(...fixedPlanWords(manifest))));
}

/** The plan of one round as clients learn it at the start: what the manifest leaves open, but for the seed. */
export interface RoundPlan {
  /** Round number, from 1. */
  readonly round: number;
  /** The job's attempt number. */
  readonly attempt: number;
  /** Model to train from. */
  readonly parentRoot: Hex;
  /** Scale of the updates: units of 2^-updateBits. */
  readonly updateBits: number;
  /** Which seed of the chain this round will reveal once collection has closed. */
  readonly seedIndex: number;
}

/** A plan with its seed revealed: what the round function takes. */
export interface RevealedPlan extends RoundPlan {
  /** The seed. */
  readonly seed: Hex;
}

/** Rewinds that the seeds of a job with a court suffice for, beside what they take back in all. */
const SPARE_REWINDS = 256;

/** How often over the rounds of a job with a court may be taken back, in all. */
const SPARE_ROUNDS = 4;

/**
 * Position of the last seed that a job may come to need: one for each round and each retry; and where rounds can be taken
 * back, as many again as rewinds may cost before the job is given up.
 */
export function lastSeedIndex({
  rounds,
  participation,
  court,
}: Pick<Manifest, 'rounds' | 'participation'> & { readonly court?: unknown }): number {
  const seeds = rounds + participation.retries;
  return court === undefined ? seeds : seeds + SPARE_ROUNDS * rounds + SPARE_REWINDS;
}

/**
 * A chain of seeds, each the hash of the one after it; its start is public before the job begins.
 *
 * @param secret - 32 secret bytes of the operator
 * @param length - how many seeds are needed
 * @returns the commitment (index 0) and the seeds, to be revealed in ascending order of index
 */
export function seedChain(secret: Uint8Array, length: number): Hex[] {
  const chain: Uint8Array[] = [secret];
  for (let step = 0; step < length; step++) chain.push(keccak_256(chain[step] as Uint8Array));
  return chain.reverse().map(toHex);
}

/** Whether a seed stands at an index of the chain that starts from a commitment. */
export function isSeedOf(commitment: Hex, seedIndex: number, seed: Hex): boolean {
  let link = fromHex(seed, 32);
  for (let step = 0; step < seedIndex; step++) link = keccak_256(link);
  return equalBytes(link, fromHex(commitment, 32));
}
