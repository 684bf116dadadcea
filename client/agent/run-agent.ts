import { totalmem } from 'node:os';
import { join } from 'node:path';
import { connectRegistry } from '../../contracts/ledger/registry.ts';
import { connectRpc } from '../../contracts/rpc.ts';
import type { Signer } from '../../contracts/wallet.ts';
import { takePart } from '../cli/take-part.ts';
import { loadClientConfig } from '../config/client-config.ts';
import type { Log } from '../log.ts';
import { placeOf } from '../registry/open-registry.ts';
import { createAgent } from './agent.ts';
import { createAgentChain, type Found } from './agent-chain.ts';
import { openAgentMemory } from './agent-memory.ts';
import { createDecisionLog } from './decision-log.ts';
import type { Policy } from './policy.ts';

/** How an agent is run. */
export interface RunAgentOptions {
  /** Its wallet; nothing else may send from it meanwhile. */
  readonly signer: Signer;
  /** Whether it only says what it would do, once. */
  readonly dryRun: boolean;
  /** Where to tell what happens. */
  readonly log: Log;
  /** Ends it: jobs in work are left in good order. */
  readonly signal: AbortSignal;
}

/**
 * Puts an agent together and runs it until the signal, or through one look in a dry run.
 *
 * @throws RegistryError `registry/no-registry`; AgentError `agent/bad-state`; LedgerError while the chain cannot be reached
 *   at the beginning
 */
export async function runAgent(policy: Policy, options: RunAgentOptions): Promise<void> {
  const { signer, dryRun, log, signal } = options;
  const place = await placeOf(policy);
  // What is under way when the agent is told to stop is brought to its end: only then is the node let go.
  const calls = new AbortController();
  const rpc = connectRpc({ urls: typeof policy.rpc === 'string' ? [policy.rpc] : policy.rpc, signal: calls.signal });
  try {
    const registry = await connectRegistry({ rpc, registry: place.registry });
    const { address: account } = signer;
    const agent = createAgent({
      ...{ policy, rpc, signer, log, signal, now: Date.now },
      chain: createAgentChain({ rpc, registry, fromBlock: place.fromBlock, account, policy }),
      memory: await openAgentMemory(policy.state),
      decisions: createDecisionLog(policy.state, log, Date.now),
      takePart: (found, { task }, url, drain) =>
        work(policy, found, task, url, { signer, log, drain, signal: calls.signal }),
    });
    log.info({ account, registry: registry.address }, dryRun ? 'looking only' : 'looking for jobs');
    if (dryRun) await agent.tell();
    else await agent.run();
  } finally {
    calls.abort();
  }
}

/** Takes part in a job as `fedanchor client run` does, with what the policy says. */
async function work(
  policy: Policy,
  { view, vault }: Found,
  task: string,
  coordinator: string,
  ends: { readonly signer: Signer; readonly log: Log; readonly drain: AbortSignal; readonly signal: AbortSignal },
) {
  const { work: most, rpc, insecurePlaintext, attest } = policy;
  const { backend, device, maxSteps, maxEpochs, maxBatchSize } = most;
  const flags = {
    ...{ coordinator, job: view.anchor, vault, rpc: typeof rpc === 'string' ? [rpc] : rpc },
    ...{
      state: join(policy.state, 'jobs'),
      data: policy.data.flatMap((each) => (each.task === task ? each.paths : [])),
    },
    ...{ backend, ...(device === undefined ? {} : { device }), maxSteps, maxEpochs, maxBatchSize },
    ...{ insecurePlaintext, attest },
  };
  const config = await loadClientConfig(flags, totalmem());
  const [job] = config.jobs;
  if (job === undefined) throw new Error('a configuration with one job has none');
  return takePart({ config, job, decorate: (trainer) => trainer, ...ends });
}
