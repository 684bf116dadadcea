import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadArtifact } from '../../../contracts/artifacts.ts';
import { readDeployment } from '../../../contracts/deploy/deployment-file.ts';
import { singletonAddress } from '../../../contracts/deploy/singletons.ts';
import { callView } from '../../../contracts/ledger/call.ts';
import { connectGovernance, type Governance } from '../../../contracts/ledger/governance.ts';
import { connectLedger } from '../../../contracts/ledger/ledger.ts';
import { createLedgerWriter } from '../../../contracts/ledger/ledger-writer.ts';
import { toQuantity } from '../../../contracts/rpc.ts';
import { registerDeployCommand } from '../../../coordinator/cli/deploy-command.ts';
import { registerGovCommands } from '../../../coordinator/cli/gov-commands.ts';
import type { Hex } from '../../../shared/bytes.ts';
import {
  deployTestJob,
  hash,
  ONE_COIN,
  roundRecord,
  startTestChain,
  type TestChain,
  wallet,
} from '../../contracts/harness.ts';
import { runCommand } from './run-command.ts';

const DELAY_S = 3600;
const SETTINGS = {
  supply: '1000',
  timelockDelayS: DELAY_S,
  rules: ['TrMean', 'Median'],
  governor: { votingDelay: 1, votingPeriod: 20, proposalThreshold: '10', quorumPercent: 40, lateQuorumExtension: 5 },
  params: { feeBps: 100 },
};

let chain: TestChain;
let folder: string;
let file: string;
let governance: Governance;

beforeAll(async () => {
  chain = await startTestChain();
  folder = await mkdtemp(join(tmpdir(), 'fedanchor-gov-'));
  await writeFile(join(folder, 'settings.json'), JSON.stringify(SETTINGS));
  for (const who of ['founder', 'holder', 'stranger']) await chain.chain.fund(wallet(who).address, ONE_COIN);
  await deploy();
  file = join(folder, 'deployments', '31337.json');
  const { contracts } = await readDeployment(file);
  const at = (name: string) => contracts[name]?.address ?? '0x';
  governance = await connectGovernance({ rpc: chain.rpc, governor: at('FedGovernor'), params: at('Params') });
});

afterAll(async () => {
  await chain.close();
  await rm(folder, { recursive: true, force: true });
});

async function keyOf(who: string): Promise<string> {
  const path = join(folder, `${who}.key`);
  await writeFile(path, hash(`key of ${who}`), { mode: 0o600 });
  return path;
}

async function deploy(...words: readonly string[]) {
  const settings = words.includes('--settings') ? [] : ['--settings', join(folder, 'settings.json')];
  const where = ['--rpc', chain.chain.rpcUrl, '--key-file', await keyOf('founder'), ...settings];
  const out = ['--out', join(folder, 'deployments'), '--json'];
  return JSON.parse(await runCommand(registerDeployCommand, ['deploy', ...where, ...out, ...words]));
}

async function gov(who: string, ...words: readonly string[]) {
  const where = ['--rpc', chain.chain.rpcUrl, '--deployment', file, '--json'];
  const key = words[0] === 'show' ? [] : ['--key-file', await keyOf(who)];
  return JSON.parse(await runCommand(registerGovCommands, ['gov', ...words, ...where, ...key]));
}

const mine = (blocks: number) => chain.rpc.call('anvil_mine', [toQuantity(blocks)]);

/** Proposes, votes as the founder, queues, and lets the time pass. */
async function decide(...wishes: readonly string[]): Promise<string> {
  const { id } = await gov('founder', 'propose', '--description', `try ${wishes.join(' ')}`, ...wishes);
  await mine(2);
  await gov('founder', 'vote', id, 'for', '--reason', 'it is good');
  await mine(26);
  expect(await gov('stranger', 'queue', id)).toMatchObject({ state: 'queued' });
  await chain.chain.increaseTime(DELAY_S);
  return id;
}

describe('fedanchor deploy', () => {
  it('puts the parameters into the hands of the timelock, and that into the hands of the voters', async () => {
    const { contracts, chainId, token, deployer } = await readDeployment(file);
    expect([chainId, deployer]).toEqual(['31337', wallet('founder').address]);
    const at = (name: string) => contracts[name]?.address as Hex;
    const params = loadArtifact('Params').abi;
    const [timelock] = await callView(chain.rpc, params, at('Params'), 'timelock');
    expect(timelock.toLowerCase()).toBe(at('FedTimelock'));
    expect(token).toBe(at('FedToken'));
    expect(governance.addresses).toEqual({ governor: at('FedGovernor'), params: at('Params'), token });
    expect((await governance.params()).values).toMatchObject({
      feeBps: 100,
      slashCoverBps: 10_000,
      courtRequired: false,
    });
    expect(await Promise.all(['TrMean', 'Median', 'Krum'].map(governance.isAllowed))).toEqual([true, true, false]);
    const lock = loadArtifact('FedTimelock').abi;
    for (const [role, account] of [
      ['PROPOSER_ROLE', at('FedGovernor')],
      ['DEFAULT_ADMIN_ROLE', at('FedTimelock')],
    ] as const) {
      const [hashed] = await callView(chain.rpc, lock, at('FedTimelock'), role);
      expect([...(await callView(chain.rpc, lock, at('FedTimelock'), 'hasRole', [hashed, account]))]).toEqual([true]);
      const own = [hashed, wallet('founder').address];
      expect([...(await callView(chain.rpc, lock, at('FedTimelock'), 'hasRole', own))]).toEqual([false]);
    }
  });

  it('deploys nothing twice, and remembers the transactions of the first time', async () => {
    const before = await readFile(file, 'utf8');
    expect(before).toContain('transactionHash');
    expect(await deploy()).toMatchObject({ created: 0 });
    expect(await readFile(file, 'utf8')).toBe(before);
  });

  it('exports what compiles to the code that is on chain', async () => {
    const out = join(folder, 'verify');
    await deploy('--standard-json', out);
    const { contracts } = JSON.parse(await readFile(join(out, 'contracts.json'), 'utf8'));
    expect(contracts.map(({ name }: { name: string }) => name)).toHaveLength(10);
    const solc = createRequire(import.meta.url)('solc');
    for (const name of ['Deployer', 'FedToken'] as const) {
      const input = JSON.parse(await readFile(join(out, `${name}.json`), 'utf8'));
      const settings = { ...input.settings, outputSelection: { '*': { '*': ['evm.bytecode.object'] } } };
      const compiled = JSON.parse(solc.compile(JSON.stringify({ ...input, settings })));
      expect(`0x${compiled.contracts[`${name}.sol`][name].evm.bytecode.object}`).toBe(loadArtifact(name).bytecode);
      const { contract, address, constructorArguments } = contracts.find(
        (each: { name: string }) => each.name === name,
      );
      expect(contract).toBe(`${name}.sol:${name}`);
      if (name === 'Deployer') expect([address, constructorArguments]).toEqual([singletonAddress('Deployer'), '0x']);
      else expect(constructorArguments.slice(2 + 24, 2 + 64)).toBe(wallet('founder').address.slice(2));
    }
  }, 60_000);

  it.each([
    [{ rules: ['Krumm'] }, 'rules.0'],
    [{ governor: { votingPeriod: 10, lateQuorumExtension: 11 } }, 'governor.lateQuorumExtension'],
    [{ params: { feeBp: 1 } }, 'params.feeBp'],
    [{ supply: 5 }, 'supply'],
    [{ supply: '5' }, 'governor.proposalThreshold'],
  ])('names what is wrong with the settings %j', async (settings, field) => {
    const path = join(folder, 'wrong.json');
    await writeFile(path, JSON.stringify(settings));
    await expect(deploy('--settings', path)).rejects.toMatchObject({ code: 'config/invalid', data: { field } });
  });
});

describe('fedanchor gov', () => {
  it('changes a parameter by a vote, and nothing before the time has passed', async () => {
    const early = gov('founder', 'propose', '--description', 'early', '--set', 'feeBps=1');
    await expect(early).rejects.toMatchObject({ data: { errorName: 'GovernorInsufficientProposerVotes' } });
    expect(await gov('founder', 'delegate')).toMatchObject({ votes: '1000' });
    await mine(1);

    const wishes = ['--set', 'feeBps=300', 'registrationBond=7', '--allow-rule', 'Krum', '--forbid-rule', 'Median'];
    const { id, description } = await gov('founder', 'propose', '--description', 'a fee', ...wishes);
    expect(description).toBe(`a fee #proposer=${wallet('founder').address}`);
    const wrong = { code: 'gov/wrong-state' };
    await expect(gov('founder', 'vote', id, 'for')).rejects.toMatchObject({ ...wrong, data: { state: 'pending' } });
    await mine(2);
    await expect(gov('founder', 'queue', id)).rejects.toMatchObject({ ...wrong, data: { state: 'active' } });
    await gov('stranger', 'vote', id, 'against');
    expect(await gov('founder', 'vote', id, 'for')).toMatchObject({
      votesFor: '1000',
      votesAgainst: '0',
      quorum: '400',
    });
    await expect(gov('founder', 'execute', id)).rejects.toMatchObject({ ...wrong, data: { state: 'active' } });
    await mine(26);
    await gov('stranger', 'queue', id);
    await expect(gov('founder', 'execute', id)).rejects.toMatchObject({ ...wrong, data: { state: 'queued' } });
    expect((await governance.params()).version).toBe(1);
    await chain.chain.increaseTime(DELAY_S);
    expect(await gov('stranger', 'execute', id)).toMatchObject({ state: 'executed' });

    const { version, values } = await governance.params();
    expect([version, values.feeBps, values.registrationBond, values.maxAnswerS]).toEqual([2, 300, 7n, 604_800]);
    expect(await Promise.all(['TrMean', 'Median', 'Krum'].map(governance.isAllowed))).toEqual([true, false, true]);
    const shown = await gov('stranger', 'show', id);
    expect(shown).toMatchObject({ params: { version: 2, feeBps: 300 }, proposals: [{ id, state: 'executed' }] });
    expect(shown.proposals[0].calls).toHaveLength(3);
  });

  it('does not reach a job that is open, whatever is voted', async () => {
    const outbox = await chain.openOutbox(wallet('coordinator'));
    const job = await deployTestJob(chain, outbox);
    const record = roundRecord(1);
    await createLedgerWriter(outbox, job).anchor(record);
    const ledger = await connectLedger({ rpc: chain.rpc, anchor: job.anchor });
    const [head, genesis] = [await ledger.headOf(1), await ledger.headOf(0)];
    const { abi } = loadArtifact('RoundAnchor');
    for (const data of [
      abi.encodeFunctionData('setCoordinator', [wallet('stranger').address]),
      abi.encodeFunctionData('rewind', [record, genesis, record]),
      abi.encodeFunctionData('pause', [60]),
    ]) {
      const id = await decide('--call', `${job.anchor}:${data}`);
      await expect(gov('founder', 'execute', id)).rejects.toMatchObject({
        code: 'ledger/reverted',
        data: { errorName: 'RoundAnchorUnauthorizedAccount' },
      });
      expect((await governance.standingOf(BigInt(id))).state).toBe('queued');
    }
    expect(await ledger.headOf(1)).toBe(head);
    expect((await ledger.facts()).coordinator).toBe(outbox.address);
  });

  it('does not leave the bounds that are code', async () => {
    const id = await decide('--set', 'feeBps=1001');
    await expect(gov('founder', 'execute', id)).rejects.toMatchObject({ data: { errorName: 'ParamsOutOfBounds' } });
  });

  it('carries out nothing without a quorum', async () => {
    const { id } = await gov('founder', 'propose', '--description', 'unloved', '--set', 'feeBps=2');
    await mine(30);
    const refused = { code: 'gov/wrong-state', data: { state: 'defeated' } };
    await expect(gov('founder', 'queue', id)).rejects.toMatchObject(refused);
  });

  it('counts votes for whom they were given to', async () => {
    const { address } = wallet('holder');
    expect(await gov('founder', 'delegate', '--to', address)).toMatchObject({ to: address, votes: '1000' });
    expect(await governance.votesOf(wallet('founder').address)).toBe(0n);
    await gov('founder', 'delegate');
  });

  it.each([
    [['--set', 'feeBp=1'], 'gov/unknown-parameter'],
    [['--set', 'feeBps=many'], 'gov/unknown-parameter'],
    [['--set', 'courtRequired=1'], 'gov/unknown-parameter'],
    [['--call', '0x12:0x'], 'gov/nothing-proposed'],
    [['--allow-rule', 'Krumm'], 'rule/unknown'],
    [[], 'gov/nothing-proposed'],
  ])('says what is wrong with %j', async (wishes, code) => {
    await expect(gov('founder', 'propose', '--description', 'x', ...wishes)).rejects.toMatchObject({ code });
  });

  it('says that a proposal does not exist, or that a file is no deployment', async () => {
    await expect(gov('founder', 'vote', '5', 'for')).rejects.toMatchObject({ code: 'gov/unknown-proposal' });
    const elsewhere = ['gov', 'show', '--rpc', chain.chain.rpcUrl, '--deployment', join(folder, 'settings.json')];
    await expect(runCommand(registerGovCommands, elsewhere)).rejects.toMatchObject({ code: 'deploy/no-deployment' });
  });
});
