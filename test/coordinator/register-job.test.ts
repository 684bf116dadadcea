import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadArtifact } from '../../contracts/artifacts.ts';
import { deployChain } from '../../contracts/deploy/deploy-chain.ts';
import { writeDeployment } from '../../contracts/deploy/deployment-file.ts';
import { connectRegistry } from '../../contracts/ledger/registry.ts';
import { createRegistryWriter } from '../../contracts/ledger/registry-writer.ts';
import type { Outbox } from '../../contracts/outbox/outbox.ts';
import { registerJobCommands } from '../../coordinator/cli/job-commands.ts';
import { readChainSettings } from '../../coordinator/config/chain-settings.ts';
import { loadCoordinatorConfig } from '../../coordinator/config/coordinator-config.ts';
import { readJobDraft } from '../../coordinator/config/job-draft.ts';
import { createJob } from '../../coordinator/create-job.ts';
import type { JobFolder } from '../../coordinator/job-folder.ts';
import type { Hex } from '../../shared/bytes.ts';
import { encodeSafetensors } from '../../shared/safetensors.ts';
import { hash, ONE_COIN, startTestChain, type TestChain, wallet } from '../contracts/harness.ts';
import { runCommand } from './cli/run-command.ts';

const COORDINATOR = wallet('registering coordinator');
const GUARDIAN = wallet('registering guardian');
const BOND = 700n;

let chain: TestChain;
let founder: Outbox;
let folder: string;
let token: Hex;
let registryAddress: Hex;

beforeAll(async () => {
  chain = await startTestChain();
  founder = await chain.openOutbox(wallet('registry founder'));
  folder = await mkdtemp(join(tmpdir(), 'fedanchor-registry-'));
  for (const { address } of [COORDINATOR, GUARDIAN]) await chain.chain.fund(address, ONE_COIN);
  const settings = await readChainSettings(undefined, founder.address);
  const params = { ...settings.params, minWindowS: 32, registrationBond: BOND };
  const deployed = await deployChain(chain.rpc, founder, { ...settings, params, rules: ['TrMean'] });
  const at = (name: string) => deployed.find((each) => each.name === name)?.address ?? '0x';
  [token, registryAddress] = [at('FedToken'), at('Registry')];
  const about = { chainId: '31337', deployer: founder.address, token };
  await writeDeployment(join(folder, 'deployment.json'), about, deployed);
  await writeFile(join(folder, 'own.key'), hash('key of registering coordinator'), { mode: 0o600 });
  await writeFile(join(folder, 'guardian.key'), hash('key of registering guardian'), { mode: 0o600 });
  const listing = `[chain]\nrpc = ["${chain.chain.rpcUrl}"]\n[wallet]\nkeyFile = "own.key"\n`;
  await writeFile(join(folder, 'coordinator.toml'), listing);
  const values = Float32Array.from({ length: 6 }, (_, index) => index / 4);
  await writeFile(join(folder, 'start.safetensors'), encodeSafetensors([{ name: 'w', shape: [2, 3], values }]));
});

afterAll(async () => {
  await chain.close();
  await rm(folder, { recursive: true, force: true });
});

async function jobWith(name: string, rule: string, windowTicks = 2): Promise<JobFolder> {
  const file = join(folder, `${name}.json`);
  const participation = { admission: 'open', expected: 3, quorum: 3, deadlineMs: 1000, retries: 1 };
  const job = {
    ...{ name, model: 'start.safetensors', rounds: 2, participation, court: {} },
    ...{ task: { kind: 'none', architecture: {}, training: {}, data: {} } },
    ...{ aggregation: { rule: { rule, f: 1 } }, rewards: { pricePerRound: '5' }, chain: { windowTicks } },
    contracts: { ringSize: 4, guardian: GUARDIAN.address, token, endsInDays: 1, claimDays: 1 },
  };
  await writeFile(file, JSON.stringify(job));
  const block = (await chain.rpc.call('eth_getBlockByNumber', ['latest', false])) as { timestamp: Hex };
  return createJob({
    ...{ config: await loadCoordinatorConfig(folder), coordinator: COORDINATOR.address, deployer: COORDINATOR },
    ...{ draft: await readJobDraft(file), nowS: () => Number(block.timestamp), signal: new AbortController().signal },
  });
}

let given = 0;
async function give(account: Hex, amount: bigint): Promise<void> {
  given += 1;
  const data = loadArtifact('FedToken').abi.encodeFunctionData('transfer', [account, amount]) as Hex;
  await founder.send({ id: `give ${given}`, to: token, data });
}

const register = async (asked: string, ...words: string[]) => {
  const where = ['--dir', folder, '--deployment', join(folder, 'deployment.json'), '--json'];
  return JSON.parse(await runCommand(registerJobCommands, ['job', 'register', asked, ...where, ...words]));
};

describe('fedanchor job register', () => {
  it('enters a job, with its bond, under the parameters in force, once', async () => {
    const { terms, contracts } = await jobWith('first', 'TrMean');
    await give(COORDINATOR.address, BOND);
    const owner = wallet('owner').address;
    const entry = await register('first', '--owner', owner);
    expect(entry).toMatchObject({ owner, bond: '700', paramsVersion: 1, manifestHash: terms.job, isNew: true });
    expect(await register('first')).toEqual({ ...entry, isNew: false });

    const registry = await connectRegistry({ rpc: chain.rpc, registry: registryAddress });
    expect(await registry.jobOf(contracts.anchor)).toMatchObject({ id: entry.id, bond: BOND });
    const writer = createRegistryWriter(await chain.openOutbox(wallet('anybody')), registry, chain.rpc);
    await expect(writer.releaseBond(entry.id)).rejects.toMatchObject({ data: { errorName: 'RegistryBondNotFree' } });
    await chain.chain.increaseTime(3 * 86_400);
    await writer.releaseBond(entry.id);
    expect(await registry.jobOf(contracts.anchor)).toMatchObject({ bond: 0n });
  });

  it('is open to the guardian, and to nobody else', async () => {
    await jobWith('second', 'TrMean');
    const stranger = join(folder, 'stranger.key');
    await writeFile(stranger, hash('key of anybody'), { mode: 0o600 });
    await expect(register('second', '--key-file', stranger)).rejects.toMatchObject({
      data: { errorName: 'RegistryUnauthorizedAccount' },
    });
    await give(GUARDIAN.address, BOND);
    const guardian = ['--key-file', join(folder, 'guardian.key')];
    expect(await register('second', ...guardian)).toMatchObject({ owner: GUARDIAN.address, isNew: true });
  });

  it('names what the parameters do not allow', async () => {
    await give(COORDINATOR.address, 2n * BOND);
    await jobWith('median', 'Median');
    await expect(register('median')).rejects.toMatchObject({ data: { errorName: 'RegistryRuleNotAllowed' } });
    await jobWith('hasty', 'TrMean', 1);
    await expect(register('hasty')).rejects.toMatchObject({ data: { errorName: 'RegistryOutOfBounds' } });
  });

  it('does not do for a job or a registry that is not there', async () => {
    await expect(register('nothing')).rejects.toMatchObject({ code: 'usage/no-such-job' });
    const nowhere = connectRegistry({ rpc: chain.rpc, registry: wallet('nobody').address });
    await expect(nowhere).rejects.toMatchObject({ code: 'ledger/not-a-contract' });
  });
});
