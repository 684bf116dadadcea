import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { compilePipeline } from '../shared/aggregation/pipeline.ts';
import { parseRuleSpec } from '../shared/aggregation/registry.ts';
import { fromHex, type Hex, toHex } from '../shared/bytes.ts';
import { TREE } from '../shared/commitments/merkle-tree.ts';
import { blockRoot, vectorBytes } from '../shared/commitments/vector-trees.ts';
import { FedanchorError } from '../shared/errors.ts';
import { type JobTerms, jobTerms } from '../shared/round/job-terms.ts';
import { decodeManifest, type Manifest, parseManifest } from '../shared/round/manifest.ts';
import { lastSeedIndex, seedChain } from '../shared/round/plan.ts';
import { createFileBlobStore } from './blobs/file-blob-store.ts';
import { writeDurably } from './blobs/files.ts';

/** Thrown when a job's folder is missing, damaged or not writable. */
export class JobFolderError extends FedanchorError<'job-folder/unreadable' | 'job-folder/bad-secret'> {}

const address = z.custom<Hex>((value) => typeof value === 'string' && /^0x[0-9a-f]{40}$/.test(value));
const contractsSchema = z.strictObject({
  ...{ token: address, anchor: address, vault: address },
  ...{ stakes: z.exactOptional(address), disputes: z.exactOptional(address) },
});

/** Addresses of a job's contracts, lower case. */
export type JobContracts = z.infer<typeof contractsSchema>;

/** What a coordinator's folder says about its job. */
export interface JobFolder {
  /** The folder. */
  readonly folder: string;
  /** The job's terms. */
  readonly terms: JobTerms;
  /** The job's contracts. */
  readonly contracts: JobContracts;
  /** The chain of round seeds, position 0 being the public commitment. Secret but for what is revealed. */
  readonly seeds: readonly Hex[];
}

/** A manifest before the coordinator has committed to its seeds and its first model. */
export type ManifestDraft = Omit<Manifest, 'version' | 'initialModelRoot' | 'seedCommitment'>;

/** A job about to be created: its terms are known, its contracts are not yet. */
export interface PreparedJob {
  /** The terms, to deploy contracts for. */
  readonly terms: JobTerms;
  /** The folder that the job will have. */
  readonly folder: string;
  /** Writes the job's folder once the contracts are known. */
  commit(contracts: JobContracts): Promise<JobFolder>;
}

/**
 * Prepares a job: draws its secret seed chain and completes the manifest with the commitments to it and to the model.
 *
 * @param coordinatorFolder - the coordinator's folder; the job gets one of its own inside
 * @param draft - the manifest's open part
 * @param model - the model before round 1
 * @param secret - start of the seed chain, 32 bytes; random unless a simulation wants to repeat itself
 * @throws ManifestError if the draft is not valid, RuleError if its rule cannot work with its quorum, JobFolderError
 *   `job-folder/bad-secret`
 */
export function prepareJob(
  coordinatorFolder: string,
  draft: ManifestDraft,
  model: Int32Array,
  secret: Uint8Array = randomBytes(32),
): PreparedJob {
  if (secret.length !== 32) {
    throw new JobFolderError('job-folder/bad-secret', `the seed secret has 32 bytes, ${secret.length} were given`);
  }
  const seeds = seedChain(secret, lastSeedIndex(draft));
  const terms = jobTerms(
    parseManifest({
      ...draft,
      // Written out in full: contracts know names and parameters by their hashes.
      aggregation: { ...draft.aggregation, rule: parseRuleSpec(draft.aggregation.rule) },
      version: 1,
      initialModelRoot: blockRoot(TREE.model, model),
      seedCommitment: seeds[0],
    }),
  );
  const { rule } = terms.manifest.aggregation;
  // A quorum that the rule cannot work with would only show in the first round that closes with it.
  compilePipeline(rule, terms.manifest.participation.quorum, true);
  const folder = join(coordinatorFolder, 'jobs', terms.job.slice(2));
  return {
    terms,
    folder,
    commit: async (contracts) => {
      const blobs = await createFileBlobStore(join(folder, 'blobs'));
      await blobs.put(terms.job, terms.manifestBytes);
      await blobs.put(terms.manifest.initialModelRoot, vectorBytes(model));
      await writeFile(join(folder, 'seed-secret'), toHex(secret), { mode: 0o600 });
      // The contracts come last: a folder that has them is complete.
      await writeDurably(join(folder, 'manifest.json'), terms.manifestBytes);
      await writeDurably(join(folder, 'contracts.json'), Buffer.from(JSON.stringify(contracts)));
      return { folder, terms, contracts, seeds };
    },
  };
}

/**
 * Reads a job's folder.
 *
 * @throws JobFolderError `job-folder/unreadable`
 */
export async function openJobFolder(folder: string): Promise<JobFolder> {
  try {
    const terms = jobTerms(decodeManifest(await readFile(join(folder, 'manifest.json'))));
    const contracts = contractsSchema.parse(JSON.parse(await readFile(join(folder, 'contracts.json'), 'utf8')));
    const secret = fromHex((await readFile(join(folder, 'seed-secret'), 'utf8')).trim(), 32);
    await mkdir(join(folder, 'blobs'), { recursive: true });
    return { folder, terms, contracts, seeds: seedChain(secret, lastSeedIndex(terms.manifest)) };
  } catch (cause) {
    throw new JobFolderError(
      'job-folder/unreadable',
      `${folder} does not hold a coordinator's job (manifest.json, contracts.json, seed-secret): ${(cause as Error).message}`,
      { folder },
      cause,
    );
  }
}
