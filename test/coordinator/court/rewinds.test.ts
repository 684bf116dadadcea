import { describe, expect, it } from 'vitest';
import { loadArtifact } from '../../../contracts/artifacts.ts';
import type { JobState } from '../../../coordinator/round/state.ts';
import type { Hex } from '../../../shared/bytes.ts';
import { ONE_COIN, wallet } from '../../contracts/harness.ts';
import { eventually, type HostedWorld, openHostedWorld, play, reached } from './hosted-job.ts';

const ARBITER = wallet('arbiter');
/** Seeds are spent by rewinds too, and a job without a court has one for each retry only. */
const REWOUND = { arbiter: ARBITER.address, participation: { retries: 30 } };

const closed = ({ phase }: JobState): boolean => phase === 'closed';
const anchoredRounds = (rounds: number) => (state: JobState) => state.progress.rounds >= rounds;

/** Takes back the rounds from one on, as the contract's arbiter; it pays so much that it comes first in its block. */
async function rewind({ chain, contracts, ledger }: HostedWorld, firstRound: number): Promise<void> {
  const records = await ledger.records();
  const [first, last] = [records[firstRound - 1]?.record, records.at(-1)?.record];
  const parent = (await ledger.headOf(firstRound - 1)) as Hex;
  const data = loadArtifact('RoundAnchor').abi.encodeFunctionData('rewind', [first, parent, last]);
  const gas = `0x${(500_000).toString(16)}`;
  const fee = `0x${(10n ** 11n).toString(16)}`;
  const fees = { gas, maxFeePerGas: fee, maxPriorityFeePerGas: fee };
  await chain.chain.fund(ARBITER.address, ONE_COIN);
  await chain.rpc.call('anvil_impersonateAccount', [ARBITER.address]);
  await chain.rpc.call('eth_sendTransaction', [{ from: ARBITER.address, to: contracts.anchor, data, ...fees }]);
}

async function models({ ledger }: HostedWorld): Promise<Hex[]> {
  return (await ledger.records()).map(({ record }) => record.modelRoot);
}

async function undisturbed(): Promise<Hex[]> {
  const world = await openHostedWorld({ rounds: 3, ...REWOUND });
  await play(world, await world.start(), closed);
  return models(world);
}

describe('a job whose rounds the chain takes back', () => {
  it('goes on by itself, and comes to the models of one that was left alone', async () => {
    const world = await openHostedWorld({ rounds: 3, ...REWOUND });
    const hosted = await world.start();
    await play(world, hosted, anchoredRounds(2));
    await rewind(world, 1);
    const back = await reached(hosted, ({ progress }) => progress.rewound !== undefined);
    expect(back.progress.rounds).toBe(0);
    const end = await play(world, hosted, closed);
    expect(end.progress.rounds).toBe(3);
    expect(await models(world)).toEqual(await undisturbed());
    const attempts = (await world.ledger.records()).map(({ record }) => record.attempt);
    expect(Math.min(...attempts)).toBeGreaterThan(0);
    expect(hosted.job.runner.recordOf(3)).toEqual((await world.ledger.records())[2]?.record);
  });

  it('opens again after its last round, also where the coordinator was down meanwhile and was rewound twice', async () => {
    const world = await openHostedWorld({ rounds: 2, ...REWOUND });
    const first = await world.start();
    await play(world, first, closed);
    await rewind(world, 2);
    await reached(first, ({ phase }) => phase === 'collecting');
    await play(world, first, closed);
    await first.stop();
    await rewind(world, 2);
    await rewind(world, 1);
    const second = await world.start();
    const state = second.job.runner.state;
    expect(state.phase).toBe('collecting');
    expect(state.progress.rounds).toBe(0);
    await play(world, second, closed);
    expect((await models(world)).length).toBe(2);
    const minAttempt = (await world.ledger.facts()).minAttempt;
    for (const { record } of await world.ledger.records()) expect(record.attempt).toBeGreaterThanOrEqual(minAttempt);
  });

  it.each(['collecting', 'aggregating', 'anchoring', 'closed'])(
    'takes up what it was at when it was killed after a rewind: %s',
    async (phase) => {
      const world = await openHostedWorld({ rounds: 2, ...REWOUND });
      const first = await world.start();
      await play(world, first, closed);
      await rewind(world, 1);
      await play(world, first, (state) => state.progress.rewound !== undefined && state.phase === phase);
      await first.stop();
      const second = await world.start();
      expect(second.job.runner.state.progress).toMatchObject({ rewound: { minAttempt: 1 } });
      await play(world, second, closed);
      expect(await models(world)).toEqual((await undisturbed()).slice(0, 2));
      expect(second.job.runner.history.filter(({ type }) => type === 'roundsRewound')).toHaveLength(1);
    },
  );

  it('gives up a record that is on its way when its parent is gone, and sends it no more', async () => {
    const world = await openHostedWorld({ rounds: 3, ...REWOUND });
    const hosted = await world.start();
    await play(world, hosted, anchoredRounds(1));
    await world.chain.rpc.call('evm_setAutomine', [false]);
    await play(world, hosted, ({ phase }) => phase === 'anchoring');
    await eventually(
      () => world.outbox.status().pending,
      (pending) => pending.some(({ id }) => id.startsWith('anchor:2:0@')),
    );
    await rewind(world, 1);
    await world.chain.rpc.call('evm_mine', []);
    await world.chain.rpc.call('evm_setAutomine', [true]);
    const back = await reached(hosted, ({ progress }) => progress.rewound !== undefined);
    expect(back.progress.rounds).toBe(0);
    await play(world, hosted, closed);
    expect(await models(world)).toEqual(await undisturbed());
    expect(world.outbox.status().pending).toEqual([]);
    const records = await world.ledger.records();
    expect(records.map(({ record }) => record.attempt).every((attempt) => attempt > 0)).toBe(true);
  });
});
