import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { auditCourt } from '../../../client/auditor/audit-court.ts';
import type { JobConfig } from '../../../client/config/client-config.ts';
import type { Finding } from '../../../client/doctor/finding.ts';
import { type JobOnChain, lookAtCourt, lookAtJob } from '../../../client/doctor/look-at-chain.ts';
import { openWard } from '../../../client/doctor/ward.ts';
import { connectLedger } from '../../../contracts/ledger/ledger.ts';
import type { Signer } from '../../../contracts/wallet.ts';
import { COURT, type CourtWorld, openCourtWorld } from '../../contracts/court-fixture.ts';
import { ONE_COIN, startTestChain, type TestChain, wallet } from '../../contracts/harness.ts';

const staked = wallet('staked');
const stranger = wallet('stranger');
let chain: TestChain;
let world: CourtWorld;

beforeAll(async () => {
  chain = await startTestChain();
  world = await openCourtWorld(chain, { participants: [staked] });
  for (const { address } of [staked, stranger]) await chain.chain.fund(address, ONE_COIN);
});
afterAll(() => chain.close());

/** What a doctor finds of a job with a court. */
async function findings(signer: Signer, agreed = COURT): Promise<readonly Finding[]> {
  const ward = openWard();
  const config = { job: world.job.anchor, vault: undefined } as JobConfig;
  const found = (await lookAtJob(ward, [chain.chain.rpcUrl], config, signer)) as JobOnChain;
  await lookAtCourt(ward, found, agreed);
  return ward.findings;
}

/** With another last byte in the code of the contract that keeps the stakes. */
async function withForeignStakes<T>(work: () => Promise<T>): Promise<T> {
  const { stakes } = world.job;
  const code = (await chain.rpc.call('eth_getCode', [stakes, 'latest'])) as string;
  await chain.rpc.call('anvil_setCode', [stakes, `${code.slice(0, -2)}${code.endsWith('00') ? '01' : '00'}`]);
  try {
    return await work();
  } finally {
    await chain.rpc.call('anvil_setCode', [stakes, code]);
  }
}

describe('a job with a court', () => {
  it('is well where the account has staked and the contracts are as agreed', async () => {
    const found = await findings(staked);
    expect(found.map(({ name, verdict }) => [name, verdict])).toEqual([
      ['job', 'good'],
      ['coins', 'good'],
      ['stake', 'good'],
      ['court', 'good'],
    ]);
  });

  it('is not for an account without a stake', async () => {
    expect(await findings(stranger)).toContainEqual(
      expect.objectContaining({
        name: 'stake',
        verdict: 'bad',
        remedy: expect.stringContaining('fedanchor stake add'),
      }),
    );
  });

  it('is not for anybody where the contracts are others, or on other terms', async () => {
    const foreign = await withForeignStakes(() => findings(staked));
    expect(foreign).toContainEqual(
      expect.objectContaining({ name: 'court', verdict: 'bad', code: 'deploy/foreign-code' }),
    );
    const other = await findings(staked, { ...COURT, minStake: '1' });
    expect(other).toContainEqual(
      expect.objectContaining({ name: 'court', verdict: 'bad', code: 'deploy/other-terms' }),
    );
  });

  it('holds before an auditor as it is, and not with foreign contracts', async () => {
    const ledger = await connectLedger({ rpc: chain.rpc, anchor: world.job.anchor });
    const facts = await ledger.facts();
    expect(await auditCourt(ledger, facts, undefined)).toEqual({ holds: true });
    const verdict = await withForeignStakes(() => auditCourt(ledger, facts, undefined));
    expect(verdict).toMatchObject({ holds: false, divergence: { what: 'court' } });
  });
});
