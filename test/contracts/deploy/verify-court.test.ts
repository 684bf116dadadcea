import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStakeDesk, viewStakes } from '../../../client/stake/stake-desk.ts';
import { verifyCourt } from '../../../contracts/deploy/verify-court.ts';
import type { Hex } from '../../../shared/bytes.ts';
import { COURT, type CourtWorld, openCourtWorld } from '../court-fixture.ts';
import { startTestChain, type TestChain, wallet } from '../harness.ts';

let chain: TestChain;
let world: CourtWorld;

beforeAll(async () => {
  chain = await startTestChain();
  world = await openCourtWorld(chain, { participants: [] });
});

afterAll(() => chain.close());

const verify = (agreed?: typeof COURT) => verifyCourt(chain.rpc, world.job, agreed);

/** Changes one byte of a contract's code while the check runs. */
async function tampered(address: Hex, at: number, work: () => Promise<unknown>): Promise<unknown> {
  const code = (await chain.rpc.call('eth_getCode', [address, 'latest'])) as string;
  const place = 2 + 2 * at;
  const byte = (Number.parseInt(code.slice(place, place + 2), 16) ^ 1).toString(16).padStart(2, '0');
  await chain.rpc.call('anvil_setCode', [address, `${code.slice(0, place)}${byte}${code.slice(place + 2)}`]);
  try {
    return await work();
  } finally {
    await chain.rpc.call('anvil_setCode', [address, code]);
  }
}

describe('verifyCourt', () => {
  it('finds the contracts of a job as they were deployed, with the terms of the manifest', async () => {
    await verify();
    await verify(COURT);
  });

  it('finds any other code, wherever it differs', async () => {
    for (const name of ['stakes', 'disputes'] as const) {
      const code = (await chain.rpc.call('eth_getCode', [world.job[name], 'latest'])) as string;
      // The last bytes are no instructions that a view would come by.
      const refusal = tampered(world.job[name], code.length / 2 - 2, () => verify());
      await expect(refusal).rejects.toMatchObject({ code: 'deploy/foreign-code', data: { address: world.job[name] } });
    }
    await verify();
  });

  it.each([
    ['minStake', '1001'],
    ['slashAmount', '49999'],
    ['answerS', 601],
    ['longestRoundS', 1001],
  ])('finds that %s is not what was agreed', async (name, value) => {
    const refusal = verify({ ...COURT, [name]: value });
    await expect(refusal).rejects.toMatchObject({ code: 'deploy/other-terms' });
  });

  it('keeps money from contracts that are not genuine', async () => {
    const signer = wallet('trusting');
    await chain.openOutbox(signer);
    await world.give(signer.address, 1000n);
    const view = await viewStakes(chain.rpc, world.job.anchor);
    const desk = await openStakeDesk(chain.rpc, view, signer, new AbortController().signal);
    const code = (await chain.rpc.call('eth_getCode', [world.job.disputes, 'latest'])) as string;
    const staked = tampered(world.job.disputes, code.length / 2 - 2, () => desk.add(1000n));
    await expect(staked).rejects.toMatchObject({ code: 'deploy/foreign-code' });
    expect(await world.balanceOf(signer.address)).toBe(1000n);
    await desk.add(1000n);
    expect(await world.balanceOf(signer.address)).toBe(0n);
  });
});
