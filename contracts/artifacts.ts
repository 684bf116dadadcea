import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Interface, type JsonFragment } from 'ethers';
import type { Hex } from '../shared/bytes.ts';
import { FedanchorError } from '../shared/errors.ts';
import { packageRoot } from './package-root.ts';

/** Thrown when the compiled contracts are not there. */
export class ArtifactError extends FedanchorError<'artifact/missing'> {}

/** Contracts of this product. */
export type ContractName =
  | 'RoundAnchor'
  | 'RewardVault'
  | 'FedToken'
  | 'StakeManager'
  | 'Disputes'
  | 'CoordinateJudge'
  | 'ContributionJudge'
  | 'ShareJudge'
  | 'GramJudge'
  | 'Deployer'
  | 'Params'
  | 'Registry'
  | 'FedGovernor'
  | 'FedTimelock'
  | 'LicenceTill';

/** A compiled contract. */
export interface Artifact {
  /** Encodes calls, decodes results, events and errors. */
  readonly abi: Interface;
  /** Creation code without constructor arguments. */
  readonly bytecode: Hex;
  /** Size of the runtime code before immutables are filled in, in bytes. */
  readonly deployedBytes: number;
}

const loaded = new Map<ContractName, Artifact>();

/**
 * Reads a compiled contract from `contracts/build`.
 *
 * @throws ArtifactError `artifact/missing`
 */
export function loadArtifact(name: ContractName): Artifact {
  const known = loaded.get(name);
  if (known !== undefined) return known;
  const file = join(packageRoot(), 'contracts', 'build', `${name}.json`);
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new ArtifactError(
      'artifact/missing',
      `the compiled contract ${file} cannot be read: run "node contracts/compile.mjs" in the package's folder`,
      { file },
      cause,
    );
  }
  const parsed = JSON.parse(text) as { abi: JsonFragment[]; bytecode: Hex; deployedBytes: number };
  const artifact = { abi: new Interface(parsed.abi), bytecode: parsed.bytecode, deployedBytes: parsed.deployedBytes };
  loaded.set(name, artifact);
  return artifact;
}
