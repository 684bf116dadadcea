import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '../../client/run.ts';
import type { ClientOutcome } from '../../client/session/state.ts';
import { deployJob } from '../../contracts/deploy.ts';
import { type EmbeddedChain, startEmbeddedChain } from '../../contracts/embedded-chain.ts';
import { connectLedger, type Ledger } from '../../contracts/ledger/ledger.ts';
import { createLedgerWriter } from '../../contracts/ledger/ledger-writer.ts';
import { createOutbox } from '../../contracts/outbox/outbox.ts';
import { createMemoryOutboxStore } from '../../contracts/outbox/outbox-store.ts';
import { connectRpc, type Rpc } from '../../contracts/rpc.ts';
import { type JobContracts, type JobFolder, type ManifestDraft, prepareJob } from '../../coordinator/job-folder.ts';
import type { JobTerms } from '../../shared/round/job-terms.ts';
import { crashJob, OPERATOR, PARTICIPANTS, type Party, SEED_SECRET, SPONSOR } from './crash-job.ts';
import { createDriftTrainer, PAUSES } from './drift-trainer.ts';

const ONE_COIN = 10n ** 18n;

/** What a federation needs of its chain. */
export type TestChain = Pick<EmbeddedChain, 'rpcUrl' | 'fund' | 'increaseTime' | 'stop'>;

/** A job on a chain, ready to be run from its beginning again and again. */
export interface Federation {
  readonly terms: JobTerms;
  readonly contracts: JobContracts;
  readonly rpcUrl: string;
  readonly rpc: Rpc;
  readonly ledger: Ledger;
  /** Puts the chain back to where the job was just deployed, and makes fresh folders. */
  freshScene(): Promise<Scene>;
  /** Moves the chain's clock beyond the challenge window. */
  passWindow(): Promise<void>;
  /** Moves the chain's clock on. */
  passTime(seconds: number): Promise<void>;
  close(): Promise<void>;
}

/** The disks of one run of the job. */
export interface Scene {
  /** The coordinator's folder. */
  readonly coordinator: string;
  /** The job's folder in it. */
  readonly job: string;
  /** The folder of all participants' folders. */
  readonly clients: string;
  /** A participant's folder. */
  client(index: number): string;
}

export async function openFederation(
  rounds: number,
  parts = 1,
  start: (stateFile: string) => Promise<TestChain> = (stateFile) => startEmbeddedChain({ stateFile }),
  change: (draft: ManifestDraft) => ManifestDraft = (draft) => draft,
): Promise<Federation> {
  const folder = await mkdtemp(join(tmpdir(), 'fedanchor-crash-'));
  const chain = await start(join(folder, 'chain.json'));
  const rpc = connectRpc({ url: chain.rpcUrl });
  const template = join(folder, 'template');
  const { draft: plain, model } = crashJob(rounds, parts);
  const draft = change(plain);
  const prepared = prepareJob(template, draft, model, SEED_SECRET);
  const contracts = await deploy(chain, rpc, prepared.terms);
  const job: JobFolder = await prepared.commit(contracts);
  let snapshot = await rpc.call('evm_snapshot', []);
  let scenes = 0;
  return {
    terms: job.terms,
    contracts,
    rpc,
    rpcUrl: chain.rpcUrl,
    ledger: await connectLedger({ rpc, anchor: contracts.anchor, vault: contracts.vault }),
    freshScene: async () => {
      await rpc.call('evm_revert', [snapshot]);
      snapshot = await rpc.call('evm_snapshot', []);
      const scene = join(folder, `scene-${scenes++}`);
      const coordinator = join(scene, 'coordinator');
      await cp(template, coordinator, { recursive: true });
      return {
        coordinator,
        job: join(coordinator, 'jobs', job.terms.job.slice(2)),
        clients: join(scene, 'clients'),
        client: (index) => join(scene, 'clients', String(index)),
      };
    },
    passTime: (seconds) => chain.increaseTime(seconds),
    passWindow: () => chain.increaseTime((draft.chain.windowTicks + 1) * 16),
    close: async () => {
      await chain.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function deploy(chain: TestChain, rpc: Rpc, terms: JobTerms): Promise<JobContracts> {
  for (const { signer } of [OPERATOR, SPONSOR, ...PARTICIPANTS]) await chain.fund(signer.address, 100n * ONE_COIN);
  const lifetime = new AbortController();
  const outbox = await openOutbox(rpc, SPONSOR, lifetime.signal);
  const { manifest, job, fixedPlanHash, tensorTableRoot } = terms;
  const pricePerRound = BigInt(manifest.rewards.pricePerRound);
  const { token, anchor, vault } = await deployJob({
    outbox,
    parameters: {
      ...{ job, manifestHash: job, fixedPlanHash, tensorTableRoot, pricePerRound },
      genesisModelRoot: manifest.initialModelRoot,
      maxRounds: manifest.rounds,
      windowTicks: manifest.chain.windowTicks,
      coordinator: OPERATOR.signer.address,
      jobEndsAtS: Math.floor(Date.now() / 1000) + 30 * 86_400,
      claimPeriodS: 30 * 86_400,
    },
  });
  const contracts = { token, anchor, vault };
  const writer = createLedgerWriter(outbox, contracts);
  await writer.approve(pricePerRound * BigInt(manifest.rounds), 'pot');
  await writer.fund(pricePerRound * BigInt(manifest.rounds), 'pot');
  lifetime.abort();
  return contracts;
}

/**
 * A wallet's way to the chain that forgets what it sent.
 *
 * @param signal - must end it before the chain is put back, or it would send again what it then finds missing
 */
export function openOutbox(rpc: Rpc, { signer: wallet }: Party, signal: AbortSignal) {
  return createOutbox({ rpc, wallet, store: createMemoryOutboxStore(), pollIntervalMs: 10, signal });
}

/** What a client's process is told, and what one in this process is made of. */
export function clientArguments({ rpcUrl, contracts }: Federation, scene: Scene, index: number, port: number) {
  const { key } = PARTICIPANTS[index] as Party;
  return {
    coordinatorUrl: `http://127.0.0.1:${port}`,
    stateDir: scene.client(index),
    seed: 1000 + index,
    ...{ rpcUrl, key, anchor: contracts.anchor },
  };
}

/** How participants are run. */
interface RunClientsOptions {
  /** Tells them to stop. */
  readonly signal: AbortSignal;
  /** Runs ahead of each training of one of them. */
  readonly beforeTraining?: (index: number) => Promise<void> | undefined;
  /** Told of what one of them says. */
  readonly onTold?: (index: number, message: string) => void;
}

/** Runs participants in this process until the job ends or they are told to stop. */
export async function runClients(
  federation: Federation,
  scene: Scene,
  indices: readonly number[],
  port: number,
  { signal, beforeTraining, onTold }: RunClientsOptions,
): Promise<ClientOutcome[]> {
  const facts = await federation.ledger.facts();
  const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
  const clients = indices.map((index) =>
    createClient({
      ...clientArguments(federation, scene, index, port),
      ...{ facts, signal, log: { ...silent, info: (_, message) => onTold?.(index, message) }, pauses: PAUSES },
      signer: (PARTICIPANTS[index] as Party).signer,
      createTrainer: async () => createDriftTrainer(beforeTraining && (() => beforeTraining(index))),
    }),
  );
  return Promise.all(clients.map((client) => client.run()));
}
