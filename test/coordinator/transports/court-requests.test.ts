import { describe, expect, it } from 'vitest';
import type { Attested } from '../../../coordinator/attestations/attestations.ts';
import { createJobRegister } from '../../../coordinator/job-register.ts';
import { createSessions } from '../../../coordinator/sessions.ts';
import type { Connection } from '../../../coordinator/transports/connection.ts';
import { createControlHandlers } from '../../../coordinator/transports/control-handlers.ts';
import type { Hex } from '../../../shared/bytes.ts';
import { COORDINATOR, DOMAIN, hash, WALLETS } from '../fixture.ts';
import { createWorld, startLife } from '../runner-harness.ts';

const [STAKED, OTHER] = WALLETS.map(({ address }) => address) as [Hex, Hex];

async function open(hasCourt: boolean) {
  const world = await createWorld();
  const { runner, uploads } = await startLife(world);
  const { terms } = world.job;
  const taken: Attested[] = [];
  const jobs = createJobRegister();
  jobs.add({
    ...{ terms, anchor: DOMAIN.anchor, runner, blobs: world.blobs, uploads },
    ...(hasCourt && {
      eligibility: { isStaked: async (participant: Hex) => participant === STAKED },
      attestations: { take: async (attested: Attested) => void taken.push(attested) },
    }),
  });
  const { chainId } = DOMAIN;
  const sessions = createSessions(chainId, COORDINATOR.address);
  const options = { jobs, chainId, coordinator: COORDINATOR.address, operators: [], sessions, now: () => 0 };
  const handlers = createControlHandlers(options);
  const connectionOf = (address: Hex): Connection => ({
    challenge: undefined,
    session: { address, role: 'participant', job: terms.job, anchor: DOMAIN.anchor, token: 'token' },
    join: async () => {},
    watch: () => {},
  });
  return { job: terms.job, runner, handlers, connectionOf, taken };
}

const attestation = { round: 1, head: `0x${'12'.repeat(26)}`, signature: `0x${'34'.repeat(65)}` } as const;

describe('requests to a job with a court', () => {
  it('to join, to offer and to decline are for those who have staked', async () => {
    const { job, runner, handlers, connectionOf } = await open(true);
    const stranger = connectionOf(OTHER);
    const isRefused = { code: 'session/not-staked', message: expect.stringContaining('fedanchor stake add') };
    await expect(handlers['job.join'](stranger, { job })).rejects.toMatchObject(isRefused);
    const about = { job, round: 1, attempt: 0 };
    const decline = handlers['round.decline'](stranger, { ...about, code: 'x', message: 'y' });
    await expect(decline).rejects.toMatchObject(isRefused);
    const offer = { ...about, updateRoot: hash('u'), byteLength: 384, partRoots: [hash('p')] };
    await expect(handlers['update.offer'](stranger, offer)).rejects.toMatchObject(isRefused);
    expect(runner.state.progress.present).toEqual([]);
    await handlers['job.join'](connectionOf(STAKED), { job });
    expect(runner.state.progress.present).toEqual([STAKED]);
  });

  it('to attest go to where attestations are collected, in the name of whoever asks', async () => {
    const { job, handlers, connectionOf, taken } = await open(true);
    expect(await handlers['round.attest'](connectionOf(OTHER), { job, ...attestation })).toEqual({});
    expect(taken).toEqual([{ participant: OTHER, ...attestation }]);
  });

  it('to attest are refused where a job needs no attestations', async () => {
    const { job, handlers, connectionOf } = await open(false);
    const asked = handlers['round.attest'](connectionOf(STAKED), { job, ...attestation });
    await expect(asked).rejects.toMatchObject({ code: 'attest/not-needed' });
    await handlers['job.join'](connectionOf(OTHER), { job });
  });
});
