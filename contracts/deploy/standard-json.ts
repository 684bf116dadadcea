import { readFile } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { ArtifactError, type ContractName } from '../artifacts.ts';
import { packageRoot } from '../package-root.ts';

/** Input of the Solidity compiler, as its documentation describes under "Compiler Input and Output JSON". */
export interface StandardJson {
  /** Always `Solidity`. */
  readonly language: string;
  /** Sources by their import paths. */
  readonly sources: Readonly<Record<string, { readonly content: string }>>;
  /** How they are compiled; the same for all contracts. */
  readonly settings: Readonly<Record<string, unknown>>;
}

/** What verifies one contract. */
export interface VerificationInput {
  /** Version of the compiler, such as `0.8.37`. */
  readonly solcVersion: string;
  /** How explorers name the contract: `<file>:<name>`. */
  readonly contract: string;
  /** What to compile: the contract's file and all that it imports, and nothing else. */
  readonly input: StandardJson;
}

/**
 * What a block explorer needs to compile a contract again.
 *
 * @throws ArtifactError `artifact/missing`
 */
export async function verificationInput(name: ContractName): Promise<VerificationInput> {
  const file = join(packageRoot(), 'contracts', 'build', 'standard-input.json');
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    const message = `${file} cannot be read: run "node contracts/compile.mjs" in the package's folder`;
    throw new ArtifactError('artifact/missing', message, { file }, cause);
  }
  const { solcVersion, input } = JSON.parse(text) as { solcVersion: string; input: StandardJson };
  const sources: Record<string, { readonly content: string }> = {};
  const pending = [`${name}.sol`];
  for (let unit = pending.pop(); unit !== undefined; unit = pending.pop()) {
    const source = input.sources[unit];
    if (source === undefined || sources[unit] !== undefined) continue;
    sources[unit] = source;
    for (const [, imported = ''] of source.content.matchAll(/^import[^;]*?["']([^"']+)["'];/gm)) {
      pending.push(imported.startsWith('.') ? posix.join(posix.dirname(unit), imported) : imported);
    }
  }
  const sorted = Object.fromEntries(Object.entries(sources).sort(([a], [b]) => (a < b ? -1 : 1)));
  return { solcVersion, contract: `${name}.sol:${name}`, input: { ...input, sources: sorted } };
}
