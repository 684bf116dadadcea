import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { keccak_256 } from '@noble/hashes/sha3.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { registerRegistryCommands } from '../../../client/registry/cli.ts';
import { datasetSeal } from '../../../client/registry/dataset-seal.ts';
import { loadArtifact } from '../../../contracts/artifacts.ts';
import { deployChain } from '../../../contracts/deploy/deploy-chain.ts';
import { writeDeployment } from '../../../contracts/deploy/deployment-file.ts';
import type { DeployedJob } from '../../../contracts/deploy.ts';
import { createLedgerWriter } from '../../../contracts/ledger/ledger-writer.ts';
import { connectRegistry } from '../../../contracts/ledger/registry.ts';
import { listJobs } from '../../../contracts/ledger/registry-listing.ts';
import { createRegistryWriter } from '../../../contracts/ledger/registry-writer.ts';
import type { Outbox } from '../../../contracts/outbox/outbox.ts';
import { readChainSettings } from '../../../coordinator/config/chain-settings.ts';
import type { Hex } from '../../../shared/bytes.ts';
import { concatBytes, toHex, utf8 } from '../../../shared/bytes.ts';
import { deployTestJob, hash, roundRecord, startTestChain, type TestChain, wallet } from '../../contracts/harness.ts';
import { runCommand } from '../../coordinator/cli/run-command.ts';

const OWNER = wallet('registry owner');
const BUYER = wallet('registry buyer');
const RULE = 'TrMean';
const BOND = 100n;

let chain: TestChain;
let folder: string;
let owner: Outbox;
let job: DeployedJob;
let deploymentFile: string;
let registry: Hex;
let token: Hex;

/** The plan behind the anchor's hash: one word for the rule is all that the Registry reads. */
const PLAN = [keccak_256(utf8(RULE)), ...Array.from({ length: 19 }, () => new Uint8Array(32))];

beforeAll(async () => {
  chain = await startTestChain();
  folder = await mkdtemp(join(tmpdir(), 'fedanchor-registry-verbs-'));
  owner = await chain.openOutbox(OWNER);
  await chain.openOutbox(BUYER);
  const settings = await readChainSettings(undefined, owner.address);
  const params = { ...settings.params, minWindowS: 32, courtRequired: false, registrationBond: BOND, feeBps: 1000 };
  const deployed = await deployChain(chain.rpc, owner, { ...settings, params, rules: [RULE] });
  const at = (name: string) => deployed.find((each) => each.name === name)?.address ?? '0x';
  [token, registry] = [at('FedToken'), at('Registry')];
  deploymentFile = join(folder, 'deployment.json');
  await writeDeployment(deploymentFile, { chainId: '31337', deployer: owner.address, token }, deployed);
  const fixedPlanHash = toHex(keccak_256(concatBytes(...PLAN)));
  job = await deployTestJob(chain, owner, { fixedPlanHash, ringSize: 4, windowTicks: 2 }, { token });
  for (const name of ['owner', 'buyer']) {
    await writeFile(join(folder, `${name}.key`), hash(`key of registry ${name}`), { mode: 0o600 });
  }
  const records = [roundRecord(1, { fixedPlanHash }), roundRecord(2, { fixedPlanHash })];
  const writer = createLedgerWriter(owner, job);
  for (const record of records) await writer.anchor(record);
  const data = loadArtifact('FedToken').abi.encodeFunctionData('transfer', [BUYER.address, 1000n]) as Hex;
  await owner.send({ id: 'give', to: token, data });
});

afterAll(async () => {
  await chain.close();
  await rm(folder, { recursive: true, force: true });
});

const verb = (...words: readonly string[]) =>
  runCommand(registerRegistryCommands, [
    ...['registry', ...words, '--rpc', chain.chain.rpcUrl, '--deployment', deploymentFile],
  ]);
const json = async (...words: readonly string[]) => JSON.parse(await verb(...words, '--json'));
const as = (who: string) => ['--key-file', join(folder, `${who}.key`)];

describe('fedanchor registry', () => {
  it('finds jobs with what was said of them, and only what was said in earnest', async () => {
    expect(await verb('list')).toBe('no job is registered\n');
    const connected = await connectRegistry({ rpc: chain.rpc, registry });
    const writer = createRegistryWriter(owner, connected, chain.rpc);
    await writer.register(job, PLAN, owner.address, { coordinatorUrl: 'https://federation.example/fed' });
    const { jobs } = await json('list');
    expect(jobs).toMatchObject([
      {
        ...{ anchor: job.anchor, vault: job.vault, owner: owner.address, registrant: owner.address },
        ...{ pricePerRound: '100', bond: '100', announcement: { coordinatorUrl: 'https://federation.example/fed' } },
      },
    ]);
    expect(await json('show', job.anchor)).toEqual(await json('show', jobs[0].id));
    expect(await verb('list')).toContain('https://federation.example/fed');
    // A later look may begin where this one ended.
    const later = await listJobs({ rpc: chain.rpc, registry, fromBlock: jobs[0].blockNumber + 1 });
    expect(later.entries).toEqual([]);
    await expect(verb('show', wallet('nobody').address)).rejects.toMatchObject({ code: 'registry/unknown' });
  });

  it('publishes, prices and sells the models of final rounds', async () => {
    await expect(verb('publish', '--job', job.anchor, '--round', '3', ...as('owner'))).rejects.toMatchObject({
      code: 'registry/not-anchored',
    });
    await chain.chain.increaseTime(60);
    const first = await json('publish', '--job', job.anchor, '--round', '1', ...as('owner'));
    expect(first).toMatchObject({ round: 1, modelRoot: roundRecord(1).modelRoot });
    const second = await json('publish', '--job', job.anchor, '--round', '2', '--parent', first.model, ...as('owner'));
    expect((await json('models')).models).toMatchObject([
      { model: first.model, round: 1, price: '0' },
      { model: second.model, round: 2, parent: first.model },
    ]);
    await expect(verb('publish', '--job', job.anchor, '--round', '1', ...as('buyer'))).rejects.toMatchObject({
      data: { errorName: 'RegistryUnauthorizedAccount' },
    });

    const buy = ['buy', '--model', second.model, ...as('buyer')];
    await expect(verb(...buy, '--most', '500')).rejects.toMatchObject({ code: 'registry/not-for-sale' });
    await json('price', '--model', second.model, '--price', '400', ...as('owner'));
    await expect(verb(...buy, '--most', '399')).rejects.toMatchObject({ code: 'registry/not-for-sale' });
    const mine = ['licence', '--model', second.model, '--account', BUYER.address];
    expect(await json(...mine)).toMatchObject({ isLicensed: false });
    expect(await json(...buy, '--most', '500')).toMatchObject({ holder: BUYER.address, price: '400' });
    expect(await json(...mine)).toMatchObject({ isLicensed: true });
    // Nine tenths go to the job's vault, one to the treasury.
    const [balance] = loadArtifact('FedToken').abi.decodeFunctionResult(
      'balanceOf',
      (await chain.rpc.call('eth_call', [
        { to: token, data: loadArtifact('FedToken').abi.encodeFunctionData('balanceOf', [job.vault]) },
        'latest',
      ])) as string,
    );
    expect(balance).toBe(360n);
  });

  it('dates a data set by a seal, and gives it to who sealed first', async () => {
    const dataset = hash('a data set');
    const [mine, late] = [join(folder, 'mine.salt'), join(folder, 'late.salt')];
    const sealing = ['dataset', 'seal', '--dataset', dataset];
    const sealed = await json(...sealing, '--salt-file', mine, ...as('owner'));
    expect((await stat(mine)).mode & 0o777).toBe(0o600);
    expect(sealed.seal).toBe(datasetSeal(OWNER.address, dataset, (await readFile(mine, 'utf8')).trim() as Hex));
    await chain.chain.increaseTime(10);
    await json(...sealing, '--salt-file', late, ...as('buyer'));
    expect(await json('dataset', 'show', dataset)).toEqual({ dataset, account: null });
    const claim = ['dataset', 'claim', '--dataset', dataset];
    await json(...claim, '--salt-file', late, ...as('buyer'));
    expect(await json('dataset', 'show', dataset)).toMatchObject({ account: BUYER.address });
    // Whoever sealed earlier owns it, though it is told later.
    await json(...claim, '--salt-file', mine, ...as('owner'));
    expect(await json('dataset', 'show', dataset)).toMatchObject({ account: OWNER.address });
    await expect(verb(...claim, '--salt-file', late, ...as('buyer'))).rejects.toMatchObject({
      data: { errorName: 'RegistryNotFirst' },
    });
    await expect(verb(...claim, '--salt-file', join(folder, 'no.salt'), ...as('buyer'))).rejects.toMatchObject({
      code: 'registry/bad-salt',
    });
  });

  it('returns a bond when it is free, and says which registry when none is named', async () => {
    const release = ['release', '--job', job.anchor, ...as('owner')];
    await expect(verb(...release)).rejects.toMatchObject({ data: { errorName: 'RegistryBondNotFree' } });
    await chain.chain.increaseTime(200_000);
    expect(await json(...release)).toMatchObject({ bond: '100', owner: owner.address });
    await expect(
      runCommand(registerRegistryCommands, ['registry', 'list', '--rpc', chain.chain.rpcUrl]),
    ).rejects.toMatchObject({ code: 'registry/no-registry' });
  });
});
