import type { JobFacts } from '../../contracts/ledger/facts.ts';
import type { Signer } from '../../contracts/wallet.ts';
import { FedanchorError } from '../../shared/errors.ts';
import type { Manifest } from '../../shared/round/manifest.ts';
import { createHttpBlobSource } from '../auditor/http-blob-source.ts';
import { publishedBytes, publishesData, splitPublished } from '../public-data/published-source.ts';
import { checkTerms } from '../session/check-terms.ts';
import { openCoordinatorSession } from '../transports/coordinator-session.ts';
import type { WorkView } from './job-view.ts';

/** A manifest is small: JSON about tensors, not tensors. */
const MOST_MANIFEST_BYTES = 16 * 2 ** 20;

/** The coordinator's word, and the manifest's, that an account may not take part. */
const REFUSALS = ['session/not-allowed', 'session/not-listed'];

const NOT_ADMITTED: WorkView = {
  ...{ task: '', steps: undefined, epochs: undefined, batchSize: undefined, parameters: 0, sharers: 1 },
  ...{ isAdmitted: false, publishedBytes: undefined },
};

/**
 * Reads a job's manifest from its coordinator, holds it to the chain, and takes from it what an agent decides by.
 *
 * @throws TransportError, AuditError while the coordinator cannot be reached; SessionError, ManifestError for a manifest
 *   that is not the job's
 */
export async function readWork(
  address: string,
  allowPlaintext: boolean,
  signer: Signer,
  facts: JobFacts,
): Promise<WorkView> {
  try {
    const session = await openCoordinatorSession(address, allowPlaintext, signer, facts);
    try {
      const { url, token } = session;
      const blobs = createHttpBlobSource({ url, job: facts.job, token });
      const bytes = await blobs.get(facts.manifestHash, MOST_MANIFEST_BYTES);
      return workOf(checkTerms(bytes, facts, signer.address).manifest);
    } finally {
      session.close();
    }
  } catch (error) {
    if (error instanceof FedanchorError && REFUSALS.includes(error.code)) return NOT_ADMITTED;
    throw error;
  }
}

/** What an agent decides by, of a manifest that admits it. */
export function workOf(manifest: Manifest): WorkView {
  const { task, tensors, participation } = manifest;
  const { training } = task;
  const number = (name: string): number | undefined => {
    const value = isRecord(training) && Object.hasOwn(training, name) ? training[name] : undefined;
    return typeof value === 'number' ? value : undefined;
  };
  return {
    task: task.kind,
    ...{ steps: number('steps'), epochs: number('epochs'), batchSize: number('batchSize') },
    parameters: tensors.reduce((sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1), 0),
    sharers: participation.sample?.size ?? participation.expected,
    isAdmitted: true,
    publishedBytes: publishesData(manifest) ? publishedBytes(splitPublished(manifest).source) : undefined,
  };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
