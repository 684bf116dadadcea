import { join } from 'node:path';
import type { Signer } from '../../contracts/wallet.ts';
import type { Hex } from '../../shared/bytes.ts';
import { createHttpBlobSource } from '../auditor/http-blob-source.ts';
import type { ClientConfig, JobConfig } from '../config/client-config.ts';
import { createPublishedTrainer } from '../public-data/published-trainer.ts';
import type { TrainerFactory } from '../tasks/local-trainer.ts';
import { openCoordinatorSession } from '../transports/coordinator-session.ts';
import type { Counterpart } from '../transports/handshake.ts';

/**
 * Makes the trainer of a job that publishes its data, for a client that may have none: files come from its own folders,
 * from the job's coordinator, or from where the manifest says.
 *
 * @param facts - the job, as the chain tells of it
 * @param onReady - told what was chosen, for people
 */
export function createPublishedFactory(
  config: Pick<ClientConfig, 'backend' | 'device' | 'state' | 'insecurePlaintext'>,
  job: Pick<JobConfig, 'data' | 'coordinator'>,
  signer: Signer,
  facts: Counterpart & { readonly job: Hex },
  onReady: (facts: Readonly<Record<string, unknown>>) => void,
): TrainerFactory {
  const { backend, device, state, insecurePlaintext: allowPlaintext } = config;
  const fromCoordinator = async (id: Hex, most: number): Promise<Uint8Array> => {
    const session = await openCoordinatorSession(job.coordinator, allowPlaintext, signer, facts);
    try {
      return await createHttpBlobSource({ ...session, job: facts.job }).get(id, most);
    } finally {
      session.close();
    }
  };
  const places = { cache: join(state, 'published'), folders: job.data, allowPlaintext, fromCoordinator };
  const machine = { backend, ...(device === undefined ? {} : { backendOptions: { device } }) };
  return (manifest, signal) =>
    createPublishedTrainer(manifest, { ...machine, participant: signer.address, places, onReady }, signal);
}
