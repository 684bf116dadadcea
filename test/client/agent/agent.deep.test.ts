import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readPolicy } from '../../../client/agent/policy.ts';
import { runAgent } from '../../../client/agent/run-agent.ts';
import { initModel } from '../../../client/init-model.ts';
import type { Log } from '../../../client/log.ts';
import { loadArtifact } from '../../../contracts/artifacts.ts';
import { deployChain } from '../../../contracts/deploy/deploy-chain.ts';
import { connectLedger } from '../../../contracts/ledger/ledger.ts';
import { createLedgerWriter } from '../../../contracts/ledger/ledger-writer.ts';
import { connectStakes, createStakesWriter } from '../../../contracts/ledger/stakes.ts';
import type { Outbox } from '../../../contracts/outbox/outbox.ts';
import { readChainSettings } from '../../../coordinator/config/chain-settings.ts';
import { loadCoordinatorConfig } from '../../../coordinator/config/coordinator-config.ts';
import { readJobDraft } from '../../../coordinator/config/job-draft.ts';
import { type Coordinator, startCoordinator } from '../../../coordinator/coordinator.ts';
import { createJob } from '../../../coordinator/create-job.ts';
import type { JobFolder } from '../../../coordinator/job-folder.ts';
import { registerJob } from '../../../coordinator/register-job.ts';
import type { Hex } from '../../../shared/bytes.ts';
import { hash, ONE_COIN, startTestChain, type TestChain, wallet } from '../../contracts/harness.ts';
import { createQuietLog } from '../../coordinator/fixture.ts';
import { makeText } from '../data/temporary-folder.ts';

const OPERATOR = wallet('operator of agents');
const AGENT = wallet('agent');
const [PRICE, STAKE] = [1000n, 5000n];

let chain: TestChain;
let founder: Outbox;
let operator: Outbox;
let folder: string;
let token: Hex;
let registry: Hex;
let coordinator: Coordinator;

const quiet = Object.fromEntries(
  ['debug', 'info', 'warn', 'error'].map((level) => [level, () => undefined]),
) as unknown as Log;

const architecture = {
  class_name: 'Sequential',
  config: {
    name: 'tiny',
    layers: [
      { class_name: 'Flatten', config: { name: 'context', batch_input_shape: [null, 2, 97], dtype: 'float32' } },
      { class_name: 'Dense', config: { name: 'logits', units: 97, activation: 'linear' } },
    ],
  },
};

beforeAll(async () => {
  chain = await startTestChain();
  folder = await mkdtemp(join(tmpdir(), 'fedanchor-agent-'));
  founder = await chain.openOutbox(wallet('founder of agents'));
  operator = await chain.openOutbox(OPERATOR);
  await chain.chain.fund(AGENT.address, ONE_COIN);
  const settings = await readChainSettings(undefined, founder.address);
  const params = { ...settings.params, minWindowS: 32, registrationBond: 1n };
  const deployed = await deployChain(chain.rpc, founder, { ...settings, params, rules: ['Average'] });
  const at = (name: string) => deployed.find((each) => each.name === name)?.address ?? '0x';
  [token, registry] = [at('FedToken'), at('Registry')];
  await mkdir(join(folder, 'texts'));
  await writeFile(join(folder, 'texts', 'a.txt'), makeText(6, 8000));
  await writeFile(join(folder, 'own.key'), hash('key of operator of agents'), { mode: 0o600 });
  const listing = `[chain]\nrpc = ["${chain.chain.rpcUrl}"]\n[wallet]\nkeyFile = "own.key"\n`;
  await writeFile(join(folder, 'coordinator.toml'), listing);
  await writeFile(join(folder, 'architecture.json'), JSON.stringify(architecture));
  await initModel({ architecture: join(folder, 'architecture.json'), seed: 1, out: join(folder, 'start.safetensors') });
  await give(OPERATOR.address, 10n ** 9n);
  await give(AGENT.address, STAKE + 1n);
});

afterAll(async () => {
  await coordinator?.[Symbol.asyncDispose]();
  await chain.close();
  await rm(folder, { recursive: true, force: true });
});

let given = 0;
async function give(account: Hex, amount: bigint): Promise<void> {
  given += 1;
  const data = loadArtifact('FedToken').abi.encodeFunctionData('transfer', [account, amount]) as Hex;
  await founder.send({ id: `give ${given}`, to: token, data });
}

/** A job of two rounds, its vault funded and, where it has a court, its coordinator's bond put up. */
async function openJob(name: string, pricePerRound: bigint, hasCourt: boolean): Promise<JobFolder> {
  const file = join(folder, `${name}.json`);
  const participation = { admission: 'open', expected: 1, quorum: 1, deadlineMs: 60_000, retries: 3 };
  const training = { optimizer: 'sgd', learningRate: 0.1, momentum: 0, batchSize: 8, steps: 4 };
  const document = {
    ...{ name, model: 'start.safetensors', rounds: 2, participation },
    task: {
      ...{ kind: 'next-character', architectureFile: 'architecture.json', training },
      data: { contextLength: 2, heldOutSamples: 32 },
    },
    ...{ aggregation: { rule: { rule: 'Average', f: 0 } }, chain: { windowTicks: 2 } },
    rewards: { pricePerRound: String(pricePerRound), score: 'alignment' },
    ...(hasCourt && { court: { minStake: String(STAKE), attestationQuorum: 0 } }),
    contracts: { ringSize: 4, token, endsInDays: 30, claimDays: 30 },
  };
  await writeFile(file, JSON.stringify(document));
  const config = await loadCoordinatorConfig(folder);
  const block = (await chain.rpc.call('eth_getBlockByNumber', ['latest', false])) as { timestamp: Hex };
  const { signal } = new AbortController();
  const made = await createJob({
    ...{ config, coordinator: OPERATOR.address, deployer: OPERATOR, draft: await readJobDraft(file), signal },
    nowS: () => Number(block.timestamp),
  });
  const { contracts, terms } = made;
  const { stakes } = contracts;
  if (stakes !== undefined) {
    const posting = createStakesWriter({ outbox: operator, rpc: chain.rpc, stakes, token });
    await posting.postBond(BigInt(terms.manifest.court?.coordinatorBond ?? 0), 'bond');
  }
  const writer = createLedgerWriter(operator, contracts);
  await writer.approve(2n * pricePerRound, name);
  await writer.fund(2n * pricePerRound, name);
  await rm(join(made.folder, 'held'));
  return made;
}

async function announceJob(job: JobFolder, coordinatorUrl: string): Promise<void> {
  await registerJob({
    ...{
      config: await loadCoordinatorConfig(folder),
      coordinator: wallet('nobody').address,
      signer: OPERATOR,
      job,
      registry,
    },
    ...{ owner: OPERATOR.address, coordinatorUrl, signal: new AbortController().signal },
  });
}

const POLICY = () => `
rpc = "${chain.chain.rpcUrl}"
registry = "${registry}"
state = "agent"
everyS = 0.1
insecurePlaintext = true
attest = false

[[tokens]]
token = "${token}"
minPricePerRound = "${PRICE}"
maxStakePerJob = "${STAKE}"
maxStakeTotal = "${STAKE}"

[allow]
publishers = ["${OPERATOR.address}"]

[work]
tasks = ["next-character"]
backend = "wasm"
minFundedPercent = 100

[[data]]
task = "next-character"
paths = ["texts"]
`;

interface Said {
  readonly job: Hex;
  readonly decision: string;
  readonly reasons?: readonly { readonly code: string }[];
  readonly note?: string;
  readonly stake?: string;
}

const saidOf = async (job: JobFolder): Promise<Said[]> => {
  const text = await readFile(join(folder, 'agent', 'decisions.ndjson'), 'utf8').catch(() => '');
  const lines = text.split('\n').filter((line) => line !== '');
  return lines.map((line) => JSON.parse(line) as Said).filter((each) => each.job === job.contracts.anchor);
};

async function until(isIt: () => Promise<boolean>): Promise<void> {
  while (!(await isIt())) await new Promise((resolve) => setTimeout(resolve, 50));
}

describe('an agent', () => {
  it('ignores what pays too little, and joins, stakes, trains, claims and takes out its stake by itself', async () => {
    const [cheap, fair] = [await openJob('cheap', PRICE - 1n, false), await openJob('fair', PRICE, true)];
    coordinator = await startCoordinator({
      ...{ folder, rpcUrl: chain.chain.rpcUrl, signer: OPERATOR, operators: [], host: '127.0.0.1', port: 0 },
      ...{ log: createQuietLog(), courtPollMs: 50 },
    });
    const lost = await openJob('lost', PRICE, false);
    await announceJob(lost, 'http://127.0.0.1:9');
    for (const job of [cheap, fair]) await announceJob(job, coordinator.url);
    await writeFile(join(folder, 'policy.toml'), POLICY());
    const policy = await readPolicy(join(folder, 'policy.toml'));
    const { anchor, vault, stakes = '0x' } = fair.contracts;
    const ledger = await connectLedger({ rpc: chain.rpc, anchor, vault });
    const staked = async () => (await connectStakes({ rpc: chain.rpc, stakes })).stakeOf(AGENT.address);

    // A dry run says it all and does nothing.
    const lifetime = new AbortController();
    await runAgent(policy, { signer: AGENT, dryRun: true, log: quiet, signal: lifetime.signal });
    expect(await saidOf(fair)).toMatchObject([{ decision: 'join', stake: String(STAKE) }]);
    expect((await staked()).amount).toBe(0n);

    const running = runAgent(policy, { signer: AGENT, dryRun: false, log: quiet, signal: lifetime.signal });
    await until(async () => (await staked()).amount === STAKE);
    // Whoever joined within the tick in which a round is anchored counts as too late for it.
    await chain.chain.increaseTime(16);
    await until(async () => (await ledger.latestRound()) === 2);
    expect(await saidOf(cheap)).toMatchObject([
      { decision: 'ignore', reasons: [{ code: 'price-too-low' }] },
      { decision: 'ignore', reasons: [{ code: 'price-too-low' }] },
    ]);
    expect((await saidOf(lost)).at(0)).toMatchObject({ decision: 'wait', reasons: [{ code: 'unreachable' }] });
    // What was decided from the chain's clock comes as that goes on.
    await until(async () => {
      await chain.chain.increaseTime(86_400);
      return (await saidOf(fair)).some(({ note }) => note?.includes('is paid back'));
    });
    lifetime.abort();
    await running;
    expect(await ledger.claimed(AGENT.address)).toBe(2n * PRICE);
    expect(await ledger.balanceOf(AGENT.address)).toBe(STAKE + 1n + 2n * PRICE);
    expect((await staked()).amount).toBe(0n);
    const memory = JSON.parse(await readFile(join(folder, 'agent', 'agent.json'), 'utf8'));
    expect(memory.jobs).toEqual({
      [anchor]: { coordinatorUrl: coordinator.url, outcome: 'closed after 2 rounds', isSettled: true },
    });
  });
});
