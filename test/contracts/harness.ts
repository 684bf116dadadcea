import { setMaxListeners } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { keccak_256 } from '@noble/hashes/sha3.js';
import { type DeployedJob, type DeployOptions, deployJob, type JobParameters } from '../../contracts/deploy.ts';
import { type EmbeddedChain, type EmbeddedChainOptions, startEmbeddedChain } from '../../contracts/embedded-chain.ts';
import { createOutbox, type Outbox } from '../../contracts/outbox/outbox.ts';
import { createMemoryOutboxStore, type OutboxStore } from '../../contracts/outbox/outbox-store.ts';
import { connectRpc, type Rpc } from '../../contracts/rpc.ts';
import { createWallet, type Signer } from '../../contracts/wallet.ts';
import { type Hex, toHex, utf8 } from '../../shared/bytes.ts';
import type { RoundRecord } from '../../shared/commitments/record.ts';

export const ONE_COIN = 10n ** 18n;

/** 32 bytes that differ for every text. */
export function hash(text: string): Hex {
  return toHex(keccak_256(utf8(text)));
}

export function wallet(name: string): Signer {
  return createWallet(hash(`key of ${name}`));
}

export interface TestChain {
  readonly chain: EmbeddedChain;
  readonly rpc: Rpc;
  readonly folder: string;
  openOutbox(signer: Signer, store?: OutboxStore): Promise<Outbox>;
  close(): Promise<void>;
}

export async function startTestChain(options: Partial<EmbeddedChainOptions> = {}): Promise<TestChain> {
  const folder = await mkdtemp(join(tmpdir(), 'fedanchor-chain-'));
  const chain = await startEmbeddedChain({ stateFile: join(folder, 'state.json'), ...options });
  const rpc = connectRpc({ url: chain.rpcUrl });
  const lifetime = new AbortController();
  // Every outbox of a test listens for its end.
  setMaxListeners(0, lifetime.signal);
  return {
    chain,
    rpc,
    folder,
    async openOutbox(signer, store = createMemoryOutboxStore()) {
      await chain.fund(signer.address, 1000n * ONE_COIN);
      return createOutbox({ rpc, wallet: signer, store, pollIntervalMs: 10, signal: lifetime.signal });
    },
    async close() {
      lifetime.abort();
      await chain.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export const JOB = {
  job: hash('job'),
  manifestHash: hash('manifest'),
  fixedPlanHash: hash('plan'),
  tensorTableRoot: hash('tensors'),
  genesisModelRoot: hash('model 0'),
  pricePerRound: 100n,
  maxRounds: 1000,
  windowTicks: 1,
} as const;

export async function deployTestJob(
  { rpc }: TestChain,
  outbox: Outbox,
  changes: Partial<JobParameters> = {},
  others: Pick<DeployOptions, 'court' | 'token'> = {},
): Promise<DeployedJob> {
  const block = (await rpc.call('eth_getBlockByNumber', ['latest', false])) as { timestamp: Hex };
  return deployJob({
    outbox,
    parameters: {
      ...JOB,
      coordinator: outbox.address,
      jobEndsAtS: Number(block.timestamp) + 100_000,
      claimPeriodS: 1000,
      ...changes,
    },
    ...others,
  });
}

/** A valid record of a round whose model follows the round before. */
export function roundRecord(round: number, changes: Partial<RoundRecord> = {}): RoundRecord {
  const root = (what: string) => hash(`${what} ${round}`);
  return {
    job: JOB.job,
    round,
    attempt: 0,
    participants: 5,
    updateBits: 20,
    seedIndex: round,
    seed: root('seed'),
    fixedPlanHash: JOB.fixedPlanHash,
    tensorTableRoot: JOB.tensorTableRoot,
    parentModelRoot: hash(`model ${round - 1}`),
    modelRoot: root('model'),
    serverStateRoot: root('state'),
    aggregateRoot: root('aggregate'),
    matrixRoot: root('matrix'),
    contributionsRoot: root('contributions'),
    gramRoot: root('gram'),
    weightsRoot: root('weights'),
    scoresRoot: root('scores'),
    rewardsRoot: root('rewards'),
    rewardsTotal: 100n * BigInt(round),
    location: root('location'),
    ...changes,
  };
}
