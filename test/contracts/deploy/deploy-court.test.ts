import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadArtifact } from '../../../contracts/artifacts.ts';
import { FACTORY } from '../../../contracts/deploy/factory.ts';
import type { JobCourt } from '../../../contracts/deploy/job-court.ts';
import { predictedAddress } from '../../../contracts/deploy/predicted-address.ts';
import { ensureSingletons, SINGLETONS, singletonAddress } from '../../../contracts/deploy/singletons.ts';
import { callView } from '../../../contracts/ledger/call.ts';
import { connectLedger } from '../../../contracts/ledger/ledger.ts';
import { connectStakes } from '../../../contracts/ledger/stakes.ts';
import type { Hex } from '../../../shared/bytes.ts';
import { leastSlashAmount } from '../../../shared/round/court-terms.ts';
import { COURT } from '../court-fixture.ts';
import { deployTestJob, hash, JOB, startTestChain, type TestChain, wallet } from '../harness.ts';

let chain: TestChain;

beforeAll(async () => {
  chain = await startTestChain();
});

afterAll(() => chain.close());

const court = (changes: Partial<JobCourt> = {}): JobCourt => ({
  ...{ terms: COURT, blocks: 4, confirmation: true, rpc: chain.rpc, ...changes },
});
const code = async (address: Hex) => (await chain.rpc.call('eth_getCode', [address, 'latest'])) as Hex;
const sent = async (address: Hex) => Number(await chain.rpc.call('eth_getTransactionCount', [address, 'latest']));
const end = { jobEndsAtS: 4_000_000_000 };

describe('a job with a court', () => {
  it('has contracts that know each other, at addresses known before', async () => {
    const outbox = await chain.openOutbox(wallet('deployer 1'));
    const job = await deployTestJob(
      chain,
      outbox,
      { ringSize: 16, coordinator: wallet('c').address },
      { court: court() },
    );
    const { stakes, disputes, anchor, vault, token } = job;
    if (!stakes || !disputes) throw new Error('no court');
    const facts = await (await connectLedger({ rpc: chain.rpc, anchor, vault })).facts();
    expect(facts).toMatchObject({
      ...JOB,
      arbiter: disputes,
      roster: stakes,
      attestationQuorum: 0,
      attestationTicks: 10,
    });
    const terms = await (await connectStakes({ rpc: chain.rpc, stakes })).terms();
    const { minStake, longestRoundS, faultBps, proverBps, compensationBps } = COURT;
    expect(terms).toEqual({
      ...{ token, anchor, minStake: BigInt(minStake), longestRoundS, faultBps, proverBps, compensationBps },
      ...{ longestDisputeS: 9 * COURT.answerS, exitDelayS: longestRoundS + 32 + 9 * COURT.answerS },
    });
    const [said] = await callView(chain.rpc, loadArtifact('Disputes').abi, disputes, 'terms');
    const named = (name: string) => String(said[name]).toLowerCase();
    expect([named('anchor'), named('stakes'), named('gramJudge')]).toEqual([
      anchor,
      stakes,
      singletonAddress('GramJudge'),
    ]);
    expect([said.blocks, said.confirmation, said.slashAmount]).toEqual([4n, true, 50_000n]);
    expect(Object.keys(job.receipts).sort()).toEqual(['anchor', 'disputes', 'stakes', 'token', 'vault']);
  });

  it('is deployed once, whatever outbox it is repeated with', async () => {
    const signer = wallet('deployer 2');
    const deploy = async () =>
      deployTestJob(chain, await chain.openOutbox(signer), { ...end, ringSize: 16 }, { court: court() });
    const first = await deploy();
    const before = await sent(signer.address);
    const { receipts, ...again } = await deploy();
    expect(await sent(signer.address)).toBe(before);
    expect(receipts).toEqual({});
    expect(again).toEqual({ ...again, ...{ anchor: first.anchor, vault: first.vault, token: first.token } });
    expect(again).toEqual({ ...again, ...{ stakes: first.stakes, disputes: first.disputes } });
  });

  it('goes on where it was interrupted, at the same addresses', async () => {
    const signer = wallet('deployer 3');
    const outbox = await chain.openOutbox(signer);
    const cut = {
      ...outbox,
      send: (request: Parameters<typeof outbox.send>[0]) => {
        if (request.id.includes('Disputes')) throw new Error('cut off');
        return outbox.send(request);
      },
    };
    const deploy = (from: typeof outbox) => deployTestJob(chain, from, { ...end, ringSize: 16 }, { court: court() });
    await expect(deploy(cut)).rejects.toThrow('cut off');
    const whole = await deploy(await chain.openOutbox(signer));
    expect(Object.keys(whole.receipts).sort()).toEqual(['disputes', 'vault']);
    expect(await code(whole.anchor)).not.toBe('0x');
  });

  it('is another job for every other term, and every other wallet', async () => {
    const addresses = new Set<Hex>();
    const outbox = await chain.openOutbox(wallet('deployer 4'));
    const changes = [{}, { answerS: 601 }, { minStake: '1001' }, { attestationQuorum: 3 }];
    for (const each of changes) {
      const terms = { ...COURT, ...each };
      addresses.add((await deployTestJob(chain, outbox, { ...end, ringSize: 16 }, { court: court({ terms }) })).anchor);
    }
    const other = await chain.openOutbox(wallet('deployer 5'));
    addresses.add((await deployTestJob(chain, other, { ...end, ringSize: 16 }, { court: court() })).anchor);
    expect(addresses.size).toBe(changes.length + 1);
  });

  it('takes a token that is there, and mints none', async () => {
    const outbox = await chain.openOutbox(wallet('deployer 6'));
    const { token } = await deployTestJob(chain, outbox);
    const job = await deployTestJob(chain, outbox, { ...end, ringSize: 16 }, { court: court(), token });
    expect(job.token).toBe(token);
    expect(job.receipts.token).toBeUndefined();
  });

  it('refuses, before anything is paid, a fine that a coordinator could gain by', async () => {
    const outbox = await chain.openOutbox(wallet('deployer 7'));
    const before = await sent(outbox.address);
    const least = leastSlashAmount(COURT, JOB.pricePerRound, 16);
    const slash = (slashAmount: bigint) => court({ terms: { ...COURT, slashAmount: String(slashAmount) } });
    await expect(
      deployTestJob(chain, outbox, { ...end, ringSize: 16 }, { court: slash(least - 1n) }),
    ).rejects.toMatchObject({
      code: 'deploy/invalid-court',
      data: { field: 'court.slashAmount' },
      message: expect.stringContaining(`at least ${least}`),
    });
    expect(await sent(outbox.address)).toBe(before);
    // The least that is let through is the least that the contract takes.
    const job = await deployTestJob(chain, outbox, { ...end, ringSize: 16 }, { court: slash(least) });
    expect(await code(job.disputes ?? '0x')).not.toBe('0x');
  });

  it('refuses a model that no dispute reaches, and who else decides what its court does', async () => {
    const outbox = await chain.openOutbox(wallet('deployer 8'));
    const deploy = (changes: object, given = court()) =>
      deployTestJob(chain, outbox, { ringSize: 16, ...changes }, { court: given });
    const many = court({ blocks: 32 ** 4 + 1 });
    await expect(deploy({}, many)).rejects.toMatchObject({ code: 'deploy/invalid-court', data: { field: 'tensors' } });
    // What nobody has checked before, the constructor does, and its word is passed on.
    const wrong = court({ terms: { ...COURT, faultBps: 10_001 } });
    await expect(deploy({ ...end }, wrong)).rejects.toMatchObject({
      data: { errorName: 'StakeManagerInvalidParameter' },
    });
    await expect(deploy({ arbiter: outbox.address })).rejects.toMatchObject({ data: { name: 'arbiter' } });
    await expect(deploy({ attestationQuorum: 1 })).rejects.toMatchObject({ data: { name: 'attestationQuorum' } });
  });
});

describe('the contracts that a chain needs once', () => {
  it('are found again, by whoever looks', async () => {
    await ensureSingletons(chain.rpc, await chain.openOutbox(wallet('singler 1')));
    const other = await chain.openOutbox(wallet('singler 2'));
    expect(await ensureSingletons(chain.rpc, other)).toEqual({});
    expect(await sent(other.address)).toBe(0);
    for (const name of SINGLETONS) expect(await code(singletonAddress(name))).not.toBe('0x');
  });

  it('are deployed by two at a time without harm', async () => {
    const fresh = await startTestChain();
    try {
      const outboxes = await Promise.all([wallet('racer 1'), wallet('racer 2')].map((each) => fresh.openOutbox(each)));
      const both = await Promise.all(outboxes.map((each) => ensureSingletons(fresh.rpc, each)));
      for (const name of SINGLETONS) {
        expect(await fresh.rpc.call('eth_getCode', [singletonAddress(name), 'latest'])).not.toBe('0x');
        expect(both.filter((receipts) => receipts[name] !== undefined).length).toBeLessThanOrEqual(1);
      }
    } finally {
      await fresh.close();
    }
  });

  it('come with the proxy they need, on a chain that lacks it', async () => {
    const fresh = await startTestChain();
    try {
      await fresh.rpc.call('anvil_setCode', [FACTORY, '0x']);
      // As on a chain where its transaction was never sent.
      await fresh.rpc.call('anvil_setNonce', ['0x3fab184622dc19b6109349b94811493bf2a45362', '0x0']);
      await fresh.rpc.call('anvil_setNonce', [FACTORY, '0x0']);
      const receipts = await ensureSingletons(fresh.rpc, await fresh.openOutbox(wallet('pioneer')));
      expect(Object.keys(receipts)).toEqual([...SINGLETONS]);
      expect(await fresh.rpc.call('eth_getCode', [singletonAddress('Deployer'), 'latest'])).not.toBe('0x');
    } finally {
      await fresh.close();
    }
  });

  it('compute addresses as this side does', async () => {
    await ensureSingletons(chain.rpc, await chain.openOutbox(wallet('singler 3')));
    const { abi } = loadArtifact('Deployer');
    for (const [sender, salt] of [
      [wallet('a').address, hash('one')],
      [wallet('b').address, hash('two')],
    ] as const) {
      const [address] = await callView(chain.rpc, abi, singletonAddress('Deployer'), 'addressOf', [sender, salt]);
      expect(predictedAddress(sender, salt)).toBe(String(address).toLowerCase());
    }
  });
});
