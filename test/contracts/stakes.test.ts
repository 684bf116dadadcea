import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadArtifact } from '../../contracts/artifacts.ts';
import { callView } from '../../contracts/ledger/call.ts';
import { connectStakes, createStakesWriter } from '../../contracts/ledger/stakes.ts';
import { createMemoryOutboxStore } from '../../contracts/outbox/outbox-store.ts';
import type { Hex } from '../../shared/bytes.ts';
import { type UpdateStatement, updateDigest } from '../../shared/commitments/contribution.ts';
import { type CourtWorld, openCourtWorld } from './court-fixture.ts';
import { hash, JOB, ONE_COIN, startTestChain, type TestChain, wallet } from './harness.ts';

let chain: TestChain;
let world: CourtWorld;

beforeAll(async () => {
  chain = await startTestChain();
  world = await openCourtWorld(chain);
});

afterAll(() => chain.close());

async function held(): Promise<void> {
  const { stakes, bonds, locked, pots, owed } = await world.stakes.totals();
  expect(await world.balanceOf(world.stakes.address)).toBe(stakes + bonds + locked + pots + owed);
}

const statement = (changes: Partial<UpdateStatement> = {}): UpdateStatement => ({
  ...{ job: JOB.job, round: 1, attempt: 0, parentRoot: JOB.genesisModelRoot, updateRoot: hash('an update') },
  ...{ samples: 10, largestMagnitude: 5, datasetCommitment: hash('data'), ...changes },
});

describe('a StakeManager', () => {
  it('lists who staked, and publishes that list once asked to', async () => {
    const addresses = world.participants.map(({ address }) => address);
    const listed = await world.stakes.participants();
    expect(listed.toSorted()).toEqual(addresses);
    expect(await world.stakes.roster()).toBeUndefined();
    const outbox = await world.outboxOf(world.challenger);
    const writer = createStakesWriter({ outbox, rpc: chain.rpc, stakes: world.stakes.address, token: world.job.token });
    await writer.publishRoster('first');
    expect(await world.stakes.roster()).toEqual(listed);
    const timeS = await world.ledger.chainTimeS();
    for (const each of addresses) expect(await world.stakes.isEligible(each, timeS)).toBe(true);
    expect(await world.stakes.isEligible(world.challenger.address, timeS)).toBe(false);
    expect(await world.stakes.hasJoined(addresses[0] ?? '0x')).toBe(true);
    await held();
  });

  it('punishes two statements for one attempt by this side’s signatures, and pays whoever shows them', async () => {
    const [liar] = world.participants;
    if (!liar) throw new Error('nobody staked');
    const domain = { chainId: 31337n, anchor: world.job.anchor };
    const [updateA, updateB] = [statement(), statement({ updateRoot: hash('another update') })];
    const evidence = {
      ...{ account: liar.address, updateA, signatureA: liar.signDigest(updateDigest(domain, updateA)) },
      ...{ updateB, signatureB: liar.signDigest(updateDigest(domain, updateB)) },
    };
    const outbox = await world.outboxOf(world.challenger);
    const writer = createStakesWriter({ outbox, rpc: chain.rpc, stakes: world.stakes.address, token: world.job.token });
    const first = await writer.proveEquivocation(evidence);
    // The same evidence is the same transaction.
    expect(await writer.proveEquivocation(evidence)).toEqual(first);
    expect((await world.stakes.stakeOf(liar.address)).amount).toBe(500n);
    expect(await world.stakes.owedTo(world.challenger.address)).toBe(100n);
    expect(await world.stakes.totals()).toMatchObject({ burned: 400n, owed: 100n });
    const before = await world.balanceOf(world.challenger.address);
    await writer.withdraw('reward');
    expect(await world.balanceOf(world.challenger.address)).toBe(before + 100n);
    await held();
  });

  it('does not punish an honest client that was asked again', async () => {
    const [, honest] = world.participants;
    if (!honest) throw new Error('nobody staked');
    const domain = { chainId: 31337n, anchor: world.job.anchor };
    const [updateA, updateB] = [statement(), statement({ attempt: 1, updateRoot: hash('trained again') })];
    const outbox = await world.outboxOf(world.challenger);
    const writer = createStakesWriter({ outbox, rpc: chain.rpc, stakes: world.stakes.address, token: world.job.token });
    const accusation = writer.proveEquivocation({
      ...{ account: honest.address, updateA, signatureA: honest.signDigest(updateDigest(domain, updateA)) },
      ...{ updateB, signatureB: honest.signDigest(updateDigest(domain, updateB)) },
    });
    await expect(accusation).rejects.toMatchObject({
      code: 'ledger/reverted',
      data: { errorName: 'StakeManagerNoEquivocation' },
    });
  });
});

describe('staking', () => {
  it('is done once for one purpose, even across a crash between approval and stake', async () => {
    const signer = wallet('interrupted');
    await chain.chain.fund(signer.address, ONE_COIN);
    await world.give(signer.address, 3000n);
    const store = createMemoryOutboxStore();
    const open = async () => {
      const outbox = await chain.openOutbox(signer, store);
      return { outbox, rpc: chain.rpc, stakes: world.stakes.address, token: world.job.token };
    };
    const first = await open();
    const cut = {
      ...first.outbox,
      send: (request: Parameters<typeof first.outbox.send>[0]) => {
        if (request.id.startsWith('stake:')) throw new Error('cut off');
        return first.outbox.send(request);
      },
    };
    await expect(createStakesWriter({ ...first, outbox: cut }).stake(1000n, 'mine')).rejects.toThrow('cut off');
    for (let again = 0; again < 3; again++) await createStakesWriter(await open()).stake(1000n, 'mine');
    expect((await world.stakes.stakeOf(signer.address)).amount).toBe(1000n);
    expect(await world.balanceOf(signer.address)).toBe(2000n);
    await createStakesWriter(await open()).stake(2000n, 'more');
    expect((await world.stakes.stakeOf(signer.address)).amount).toBe(3000n);
    // All is spent, and what was done is still done.
    await createStakesWriter(await open()).stake(2000n, 'more');
    await expect(createStakesWriter(await open()).stake(1n, 'too much')).rejects.toMatchObject({
      code: 'ledger/too-few-tokens',
    });
    await held();
  });

  it('approves what is lacking, and leaves an approval that suffices as it is', async () => {
    const signer = wallet('careful');
    await chain.chain.fund(signer.address, ONE_COIN);
    await world.give(signer.address, 3000n);
    const outbox = await chain.openOutbox(signer);
    const [stakes, token] = [world.stakes.address, world.job.token];
    const { abi } = loadArtifact('FedToken');
    const approve = (amount: bigint) => {
      const data = abi.encodeFunctionData('approve', [stakes, amount]) as Hex;
      return outbox.send({ id: `by hand ${amount}`, to: token, data });
    };
    const allowance = async () =>
      (await callView(chain.rpc, abi, token, 'allowance', [signer.address, stakes]))[0] as bigint;
    const writer = createStakesWriter({ outbox, rpc: chain.rpc, stakes, token });
    await approve(1n);
    await writer.stake(1000n, 'too little was approved');
    expect(await allowance()).toBe(0n);
    await approve(1500n);
    await writer.stake(1000n, 'enough was approved');
    expect(await allowance()).toBe(500n);
    await held();
  });

  it('is refused where there is no StakeManager', async () => {
    const nowhere = connectStakes({ rpc: chain.rpc, stakes: wallet('nobody').address });
    await expect(nowhere).rejects.toMatchObject({ code: 'ledger/not-a-contract' });
  });
});
