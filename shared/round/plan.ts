import { keccak_256 } from '@noble/hashes/sha3.js';
import { concatBytes, equalBytes, fromHex, type Hex, toHex, utf8, word } from '../bytes.ts';
import { canonicalJson } from '../codec.ts';
import { furtherParameters } from '../fixed-point/server-step-settings.ts';
import type { Manifest } from './manifest.ts';

/**
 * Hash of the part of every round's plan that the manifest fixes, laid out in words so that a contract can recompute
 * it: keccak256 of the rule's name, of its pre-aggregators and parameters (canonical JSON), f, the sample cap,
 * keccak256 of the server step's name, its learning rate, its further parameters if it has any (`momentum`; or `beta1`,
 * `beta2` where there is one, and `tau`), and the commitment to the seed chain.
 */
export function fixedPlanHash(manifest: Manifest): Hex {
  const { rule, serverStep } = manifest.aggregation;
  return toHex(
    keccak_256(
      concatBytes(
        keccak_256(utf8(rule.rule)),
        keccak_256(utf8(canonicalJson([...rule.pre]))),
        keccak_256(utf8(canonicalJson({ ...rule.params }))),
        word(rule.f),
        word(manifest.aggregation.sampleCap),
        keccak_256(utf8(serverStep.name)),
        word(serverStep.learningRate),
        ...furtherParameters(serverStep).map(word),
        fromHex(manifest.seedCommitment, 32),
      ),
    ),
  );
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
