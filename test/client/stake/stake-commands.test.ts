import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { registerStakeCommands } from '../../../client/stake/cli.ts';
import { loadArtifact } from '../../../contracts/artifacts.ts';
import type { Hex } from '../../../shared/bytes.ts';
import { type CourtWorld, openCourtWorld } from '../../contracts/court-fixture.ts';
import { deployTestJob, hash, ONE_COIN, startTestChain, type TestChain, wallet } from '../../contracts/harness.ts';

let chain: TestChain;
let world: CourtWorld;
let folder: string;

beforeAll(async () => {
  chain = await startTestChain();
  world = await openCourtWorld(chain);
  folder = await mkdtemp(join(tmpdir(), 'fedanchor-stake-'));
});

afterAll(async () => {
  await chain.close();
  await rm(folder, { recursive: true, force: true });
});

afterEach(() => vi.restoreAllMocks());

/** Runs a command as its user would, and returns what it prints. */
async function run(who: string, ...words: readonly string[]): Promise<string> {
  const keyFile = join(folder, `${who}.key`);
  await writeFile(keyFile, hash(`key of ${who}`), { mode: 0o600 });
  const printed: string[] = [];
  const spy = vi.spyOn(process.stdout, 'write').mockImplementation((text) => printed.push(String(text)) > 0);
  try {
    const program = new Command().exitOverride().configureOutput({ writeErr: () => undefined });
    registerStakeCommands(program);
    const target = words.includes('--job') ? [] : ['--job', world.job.anchor];
    const where = ['--rpc', chain.chain.rpcUrl, '--key-file', keyFile];
    await program.parseAsync(['stake', ...words, ...where, ...target], { from: 'user' });
  } finally {
    spy.mockRestore();
  }
  return printed.join('');
}

const json = async (who: string, ...words: readonly string[]) => JSON.parse(await run(who, ...words, '--json'));

async function newcomer(who: string, tokens: bigint): Promise<Hex> {
  const { address } = wallet(who);
  await chain.chain.fund(address, ONE_COIN);
  if (tokens > 0n) await world.give(address, tokens);
  return address;
}

describe('fedanchor stake', () => {
  it('takes a participant in and out again, to the last unit', async () => {
    const account = await newcomer('joiner', 1500n);
    expect(await json('joiner', 'show')).toMatchObject({ account, eligible: false, stake: { amount: '0' } });
    expect(await json('joiner', 'add', '--amount', '1000')).toMatchObject({ account, staked: '1000' });
    expect(await json('joiner', 'add', '--amount', '500')).toMatchObject({ staked: '1500' });
    expect(await json('joiner', 'show')).toMatchObject({ eligible: true, stake: { amount: '1500' } });
    expect(await world.balanceOf(account)).toBe(0n);

    const asked = await json('joiner', 'exit');
    expect(asked).toMatchObject({ step: 'asked', amount: '1500' });
    expect(await json('joiner', 'show')).toMatchObject({ stake: { freeAtS: asked.freeAtS } });
    await expect(run('joiner', 'exit')).rejects.toMatchObject({ code: 'stake/still-bound' });
    await expect(run('joiner', 'add', '--amount', '1')).rejects.toMatchObject({ code: 'stake/leaving' });
    await chain.chain.increaseTime(asked.freeAtS - (await world.ledger.chainTimeS()));
    expect(await json('joiner', 'exit')).toMatchObject({ step: 'paid', amount: '1500' });
    expect(await world.balanceOf(account)).toBe(1500n);
    await expect(run('joiner', 'exit')).rejects.toMatchObject({ code: 'stake/nothing-there' });
    // Who has left may come again.
    expect(await json('joiner', 'add', '--amount', '1000')).toMatchObject({ staked: '1000' });
  });

  it('says what is lacking before anything is sent', async () => {
    await newcomer('poor', 999n);
    await expect(run('poor', 'add', '--amount', '999')).rejects.toMatchObject({
      code: 'stake/too-little',
      message: expect.stringContaining('add at least 1000'),
    });
    await expect(run('poor', 'add', '--amount', '1000')).rejects.toMatchObject({
      code: 'ledger/too-few-tokens',
      data: { holds: '999', needed: '1000' },
    });
    await expect(run('poor', 'withdraw')).rejects.toMatchObject({ code: 'stake/nothing-there' });
    await expect(run('poor', 'exit')).rejects.toMatchObject({ code: 'stake/nothing-there' });
    expect((await world.stakes.stakeOf(wallet('poor').address)).amount).toBe(0n);
    for (const amount of ['0', '-1', '1.5', '']) {
      await expect(run('poor', 'add', `--amount=${amount}`)).rejects.toMatchObject({
        code: 'commander.invalidArgument',
      });
    }
  });

  it("keeps the coordinator's bond while it is in office, and pays it afterwards", async () => {
    const guardian = wallet('guardian');
    const other = await openCourtWorld(chain, {
      ...{ coordinator: wallet('first coordinator'), job: { job: hash('another'), guardian: guardian.address } },
      participants: [],
    });
    const at = ['--job', other.job.anchor];
    const { address } = other.coordinator;
    await other.give(address, 7n);
    expect(await json('first coordinator', 'bond', 'add', '--amount', '7', ...at)).toMatchObject({ bond: '200007' });
    await expect(run('first coordinator', 'bond', 'release', ...at)).rejects.toMatchObject({ code: 'stake/in-office' });

    const outbox = await chain.openOutbox(guardian);
    const data = loadArtifact('RoundAnchor').abi.encodeFunctionData('setCoordinator', [wallet('heir').address]) as Hex;
    await outbox.send({ id: 'succession', to: other.job.anchor, data });
    const { freeAtS } = await json('first coordinator', 'bond', 'release', ...at);
    await chain.chain.increaseTime(freeAtS - (await world.ledger.chainTimeS()));
    expect(await json('first coordinator', 'bond', 'release', ...at)).toMatchObject({ step: 'paid', amount: '200007' });
    expect(await other.balanceOf(address)).toBe(200_007n);
    expect(await other.stakes.totals()).toMatchObject({ bonds: 0n });
  });

  it('shows a stranger the terms, in words too', async () => {
    await newcomer('stranger', 0n);
    const words = await run('stranger', 'show', '--account', world.participants[0]?.address ?? '');
    expect(words).toContain('stake    1000 of at least 1000\n');
    expect(await run('stranger', 'show')).toContain('(cannot take part)');
  });

  it('says that a job has no court', async () => {
    const plain = await deployTestJob(chain, await chain.openOutbox(wallet('plain')));
    const shown = run('stranger', 'show', '--job', plain.anchor);
    await expect(shown).rejects.toMatchObject({ code: 'stake/no-court' });
  });
});
