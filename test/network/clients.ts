import { type Client, createClient } from '../../client/run.ts';
import type { ChainFacts } from '../../client/session/check-terms.ts';
import type { ClientOutcome } from '../../client/session/state.ts';
import type { TrainingTask } from '../../client/trainers/trainer.ts';
import type { Signer } from '../../contracts/wallet.ts';
import { createToyTrainer } from '../client/toy-job.ts';
import { COORDINATOR, DOMAIN, temporaryFolder } from '../coordinator/fixture.ts';
import type { World } from '../coordinator/runner-harness.ts';

/** What the chain would say about a test's job. */
export function factsOf({ job: { terms } }: Pick<World, 'job'>): ChainFacts {
  return {
    ...DOMAIN,
    job: terms.job,
    manifestHash: terms.job,
    fixedPlanHash: terms.fixedPlanHash,
    tensorTableRoot: terms.tensorTableRoot,
    genesisModelRoot: terms.manifest.initialModelRoot,
    coordinator: COORDINATOR.address,
  };
}

/** How a client of a test differs from the usual one. */
export interface TestClientChoices {
  /** Longest wait for one answer. */
  readonly requestTimeoutMs?: number;
  /** Runs ahead of each training. */
  readonly beforeTraining?: (task: TrainingTask, signal?: AbortSignal) => Promise<void>;
  /** Ends the client. */
  readonly signal?: AbortSignal;
}

/** A real client, but for its learning. */
export async function clientOf(
  world: Pick<World, 'job'>,
  url: string,
  signer: Signer,
  choices: TestClientChoices = {},
): Promise<Client & { readonly warnings: readonly string[] }> {
  const { beforeTraining, requestTimeoutMs = 10_000, signal } = choices;
  const warnings: string[] = [];
  const client = createClient({
    coordinatorUrl: url,
    facts: factsOf(world),
    signer,
    createTrainer: async () => createToyTrainer(beforeTraining),
    stateDir: await temporaryFolder(),
    seed: 7,
    requestTimeoutMs,
    pauses: { firstDelayMs: 5, mostDelayMs: 50 },
    log: {
      debug: () => {},
      info: () => {},
      warn: (fields, message) => void warnings.push(`${message} ${JSON.stringify(fields)}`),
      error: (fields, message) => void warnings.push(`${message} ${JSON.stringify(fields)}`),
    },
    ...(signal && { signal }),
  });
  return { ...client, warnings };
}

/** Has real clients take part until the job ends; resolves with how each ended. */
export async function takePart(
  world: Pick<World, 'job'>,
  url: string,
  signers: readonly Signer[],
  choices: TestClientChoices = {},
): Promise<ClientOutcome['kind'][]> {
  const clients = await Promise.all(signers.map((signer) => clientOf(world, url, signer, choices)));
  return (await Promise.all(clients.map((client) => client.run()))).map(({ kind }) => kind);
}
