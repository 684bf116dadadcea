import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadArtifact } from '../../../contracts/artifacts.ts';
import { connectCourt } from '../../../contracts/court/court.ts';
import { createCourtWriter } from '../../../contracts/court/court-writer.ts';
import { createStakesWriter } from '../../../contracts/ledger/stakes.ts';
import type { Signer } from '../../../contracts/wallet.ts';
import type { JobState } from '../../../coordinator/round/state.ts';
import type { Hex } from '../../../shared/bytes.ts';
import { attestationDigest } from '../../../shared/commitments/attestation.ts';
import { genesisHead } from '../../../shared/commitments/record.ts';
import type { RoundPosition } from '../../../shared/openings/round-view.ts';
import type { Subject } from '../../../shared/openings/subject.ts';
import type { CourtTerms } from '../../../shared/round/court-terms.ts';
import type { CourtWorld } from '../../contracts/court-fixture.ts';
import { COORDINATOR, STRANGER, WALLETS } from '../fixture.ts';
import { contribute, eventually, type Hosted, type HostedWorld, openHostedWorld, play, reached } from './hosted-job.ts';

type World = HostedWorld & { readonly court: CourtWorld };

const closed = ({ phase }: JobState): boolean => phase === 'closed';

async function openWorld(court: Partial<CourtTerms>, windowTicks = 1000, bondAsked?: string): Promise<World> {
  const world = await openHostedWorld({ rounds: 2, court, windowTicks, ...(bondAsked && { bondAsked }) });
  return world as World;
}

const connect = async ({ chain, court }: World) => {
  const { job, challenger } = court;
  const outbox = await court.outboxOf(challenger);
  return {
    court: await connectCourt({ rpc: chain.rpc, disputes: job.disputes }),
    challenger: createCourtWriter(outbox, { token: job.token, stakes: job.stakes, disputes: job.disputes }),
  };
};

/** A challenge costs more gas where an answer has just ended the round's only dispute: then it is sent again. */
async function insist<Result>(challenge: () => Promise<Result>): Promise<Result> {
  for (;;) {
    try {
      return await challenge();
    } catch (error) {
      if ((error as { code?: string }).code !== 'outbox/reverted') throw error;
    }
  }
}

/** Where an anchored round stands, by the chain alone. */
async function positionOf({ terms, ledger }: World, round: number): Promise<RoundPosition> {
  const [records, facts] = [await ledger.records(), await ledger.facts()];
  const placed = (at: number) => {
    const { record } = records[at - 1] as (typeof records)[number];
    return { record, parentHead: records[at - 2]?.head ?? genesisHead(facts) };
  };
  return { terms, ...placed(round), parent: round === 1 ? null : placed(round - 1) };
}

describe("a coordinator's attestations", () => {
  const attest = async ({ domain, terms, ledger }: World, { job }: Hosted, signer: Signer, round: number) => {
    const head = (await ledger.headOf(round)) as Hex;
    const digest = attestationDigest(domain, { job: terms.job, round, head });
    const signature = signer.signDigest(digest);
    await job.attestations?.take({ participant: signer.address, round, head, signature });
  };

  it('are collected over restarts, and shown to the chain once for all rounds when the newest has enough', async () => {
    const world = await openWorld({ attestationQuorum: 3 });
    const first = await world.start();
    await play(world, first, closed);
    const [a, b, c] = WALLETS as [Signer, Signer, Signer];
    await attest(world, first, a, 1);
    await attest(world, first, a, 2);
    await attest(world, first, b, 2);
    await attest(world, first, b, 2);
    expect((await world.ledger.progress()).attested).toBe(0);
    await first.stop();
    const second = await world.start();
    await attest(world, second, c, 2);
    await eventually(world.ledger.progress, ({ attested }) => attested === 2);
    expect(await world.court.stakes.roster()).toEqual(WALLETS.map(({ address }) => address));
    const attested = second.job.runner.history.filter(({ type }) => type === 'headAttested');
    expect(attested).toHaveLength(4);
  });

  it("are refused over another head, by another's signature and without a stake", async () => {
    const world = await openWorld({ attestationQuorum: 3 });
    const hosted = await world.start();
    await play(world, hosted, closed);
    const head = (await world.ledger.headOf(1)) as Hex;
    const [a, b] = WALLETS as [Signer, Signer];
    const { job } = world.terms;
    const sign = (signer: Signer, round: number, over: Hex) =>
      signer.signDigest(attestationDigest(world.domain, { job, round, head: over }));
    const take = (participant: Hex, round: number, signature: Hex) =>
      hosted.job.attestations?.take({ participant, round, head, signature });
    await expect(take(a.address, 2, sign(a, 2, head))).rejects.toMatchObject({ code: 'attest/unknown-head' });
    await expect(take(a.address, 7, sign(a, 7, head))).rejects.toMatchObject({ code: 'attest/unknown-head' });
    await expect(take(a.address, 1, sign(b, 1, head))).rejects.toMatchObject({ code: 'attest/bad-signature' });
    await expect(take(a.address, 1, `0x${'11'.repeat(65)}`)).rejects.toMatchObject({ code: 'attest/bad-signature' });
    const stranger = take(STRANGER.address, 1, sign(STRANGER, 1, head));
    await expect(stranger).rejects.toMatchObject({ code: 'attest/not-staked' });
    expect(hosted.job.runner.history.some(({ type }) => type === 'headAttested')).toBe(false);
  });

  it('that are missing when their time is up cost the rounds; the job goes on with the round before', async () => {
    const world = await openWorld({ attestationQuorum: 3, attestationTicks: 2 }, 10);
    const hosted = await world.start();
    await play(world, hosted, closed);
    await attest(world, hosted, WALLETS[0] as Signer, 2);
    await world.chain.chain.increaseTime(16 * 20);
    await world.court.give(STRANGER.address, 1n);
    await eventually(
      () => hosted.log.warnings,
      (warnings) => warnings.some((warning) => warning.includes('without the attestations')),
    );
    const [first, last] = (await world.ledger.records()).map(({ record }) => record);
    const parameters = [first, (await world.ledger.headOf(0)) as Hex, last];
    const data = loadArtifact('RoundAnchor').abi.encodeFunctionData('rewindUnattested', parameters) as Hex;
    const anyone = await world.court.outboxOf(STRANGER);
    await anyone.send({ id: 'rewind', to: world.contracts.anchor, data });
    const back = await reached(hosted, ({ progress }) => progress.rewound !== undefined);
    expect(back.progress.rounds).toBe(0);
    await play(world, hosted, closed);
    for (const signer of WALLETS.slice(1)) await attest(world, hosted, signer, 2);
    await eventually(world.ledger.progress, ({ attested }) => attested === 2);
  });
});

describe('disputes over honest rounds', () => {
  it('of every kind are answered without anybody asking', async () => {
    const world = await openWorld({});
    const hosted = await world.start();
    await play(world, hosted, closed);
    const { court, challenger } = await connect(world);
    await challenger.approveBonds(10n ** 9n, 'test');
    const position = await positionOf(world, 2);
    const receipt = hosted.job.runner.history.flatMap((event) =>
      event.type === 'updateAccepted' && event.receipt.round === 2 ? [event.receipt] : [],
    )[1];
    const subjects: Subject[] = [
      { kind: 'coordinate', coordinate: 3 },
      { kind: 'link', row: 1, block: 2 },
      { kind: 'contribution', row: 2 },
      { kind: 'scores' },
      ...(receipt ? [{ kind: 'omission' as const, receipt }] : []),
      { kind: 'gram', row: 1, column: 4 },
    ];
    for (const subject of subjects) await insist(() => challenger.challenge(position, subject));
    const [entry] = (await court.opened(0)).filter(({ kind }) => kind === 'gram');
    if (!entry) throw new Error('no dispute over an entry was opened');
    const isOurs = (dispute?: { readonly challengerDue: boolean }): boolean => dispute?.challengerDue === true;
    await eventually(() => court.disputeOf(entry.id), isOurs);
    const at = await court.bisectionOf(entry.id);
    await challenger.pickSum(entry.id, at, 2, (await court.sumsOf(entry.id, 0)) as bigint[]);
    const { disputes } = hosted.job;
    await eventually(
      () => disputes?.ended.answered,
      (answered) => answered === subjects.length,
    );
    expect(disputes?.open).toEqual([]);
    expect(disputes?.ended).toEqual({ answered: 6, moot: 0, abandoned: 0, won: 0 });
    expect(hosted.log.errors).toEqual([]);
    expect(subjects).toHaveLength(6);
    expect(await court.earliestDisputed()).toBe(0);
  });

  it('that wait for their challenger in vain are ended, and those over rounds that are gone dismissed', async () => {
    const world = await openWorld({ attestationQuorum: 3, attestationTicks: 0, answerS: 10_000 }, 1000);
    const hosted = await world.start();
    await play(world, hosted, closed);
    const { court, challenger } = await connect(world);
    await challenger.approveBonds(10n ** 9n, 'test');
    await challenger.challenge(await positionOf(world, 1), { kind: 'gram', row: 0, column: 0 });
    await eventually(
      () => court.disputeOf(1n),
      (dispute) => dispute?.challengerDue === true,
    );
    await world.chain.chain.increaseTime(10_001);
    await world.court.give(STRANGER.address, 1n);
    const { disputes } = hosted.job;
    await eventually(
      () => disputes?.ended.abandoned,
      (count) => count === 1,
    );
    await hosted.stop();
    await challenger.challenge(await positionOf(world, 2), { kind: 'scores' });
    await world.chain.chain.increaseTime(16 * 1001);
    const [first, last] = (await world.ledger.records()).map(({ record }) => record);
    const parameters = [first, (await world.ledger.headOf(0)) as Hex, last];
    const data = loadArtifact('RoundAnchor').abi.encodeFunctionData('rewindUnattested', parameters) as Hex;
    const anyone = await world.court.outboxOf(STRANGER);
    await anyone.send({ id: 'rewind', to: world.contracts.anchor, data });
    const again = await world.start();
    await eventually(
      () => again.job.disputes?.ended.moot,
      (count) => count === 1,
    );
    expect(again.job.runner.state.progress.rounds).toBe(0);
  });

  it('that cannot be answered since a blob is gone are complained of until it is back', async () => {
    const world = await openWorld({});
    const hosted = await world.start();
    await play(world, hosted, closed);
    const { blobs, runner, disputes } = hosted.job;
    const root = runner.recordOf(2)?.aggregateRoot as Hex;
    const bytes = (await blobs.get(root)) as Uint8Array;
    await rm(join(blobs.folder, blobs.relativePath(root)));
    const { challenger } = await connect(world);
    await challenger.approveBonds(10n ** 9n, 'test');
    await challenger.challenge(await positionOf(world, 2), { kind: 'coordinate', coordinate: 64 });
    const complaint = `blob ${root} is missing`;
    await eventually(
      () => disputes?.open[0]?.trouble,
      (trouble) => trouble?.includes(complaint) === true,
    );
    expect(hosted.log.errors.filter((error) => error.includes(complaint))).toHaveLength(1);
    await blobs.put(root, bytes);
    await eventually(
      () => disputes?.ended.answered,
      (count) => count === 1,
    );
  });
});

describe('a dispute that is lost', () => {
  it('is told of, and the job goes on with the round before as soon as the bond is whole again', async () => {
    const world = await openWorld({ slashAmount: '100000', coordinatorBond: '100000' }, 1000, '150000');
    const hosted = await world.start();
    await play(world, hosted, closed);
    const { blobs, runner, disputes } = hosted.job;
    await blobs.remove(runner.recordOf(2)?.location as Hex);
    const { challenger } = await connect(world);
    await challenger.approveBonds(10n ** 9n, 'test');
    const position = await positionOf(world, 2);
    await challenger.challenge(position, { kind: 'scores' });
    await eventually(
      () => disputes?.open.length,
      (count) => count === 1,
    );
    await world.chain.chain.increaseTime(Number(world.court.court.terms.answerS));
    await challenger.convict(1n, position, position.record);
    await eventually(
      () => disputes?.ended.won,
      (count) => count === 1,
    );
    expect(hosted.log.errors.some((error) => error.includes('a dispute is lost'))).toBe(true);
    // Not even the round that is to be done again opens without it.
    const held = await reached(hosted, ({ progress }) => progress.rewound !== undefined);
    expect(held).toMatchObject({ phase: 'open', progress: { rounds: 1, unbonded: { needed: '150000' } } });
    const { court } = world;
    await court.give(COORDINATOR.address, 50_000n);
    const { stakes, token } = court.job;
    const writer = createStakesWriter({ outbox: world.outbox, rpc: world.chain.rpc, stakes, token });
    await writer.postBond(50_000n, 'more');
    await play(world, hosted, ({ progress, phase }) => progress.unbonded === undefined && phase === 'closed');
    expect(await world.ledger.latestRound()).toBe(2);
  });
});

it('a job is not opened where its folder names another court than its contract answers to', async () => {
  const world = await openWorld({});
  const file = join(world.folder, 'contracts.json');
  const contracts = JSON.parse(await readFile(file, 'utf8'));
  for (const changes of [{ stakes: contracts.disputes }, { disputes: contracts.stakes }, { stakes: undefined }]) {
    await writeFile(file, JSON.stringify({ ...contracts, ...changes }));
    await expect(world.start()).rejects.toMatchObject({ code: 'coordinator/wrong-court' });
  }
});

describe('stakes', () => {
  it('are what the gate asks for: a stranger is refused with what to do about it', async () => {
    const world = await openWorld({});
    const hosted = await world.start();
    for (const { address } of WALLETS) await hosted.job.runner.join(address);
    expect(await contribute(world, hosted, STRANGER)).toMatchObject({ verdict: 'rejected', code: 'gate/not-staked' });
    expect(await contribute(world, hosted, WALLETS[0] as Signer)).toMatchObject({ verdict: 'accepted' });
    const { court } = world;
    await court.give(STRANGER.address, 5000n);
    const { stakes, token } = court.job;
    const outbox = await court.outboxOf(STRANGER);
    await createStakesWriter({ outbox, rpc: world.chain.rpc, stakes, token }).stake(1000n, 'test');
    const isTaken = ({ verdict }: { readonly verdict: string }): boolean => verdict === 'accepted';
    expect(await eventually(() => contribute(world, hosted, STRANGER), isTaken)).toMatchObject({ code: '' });
  });

  it('that are younger than the tick of anchoring are waited for, since the contract would not count them', async () => {
    const world = await openWorld({});
    const hosted = await world.start();
    const { court } = world;
    await court.give(STRANGER.address, 1000n);
    const { stakes, token } = court.job;
    // A new tick begins, and the stake falls into it.
    const { deployedAtS } = await world.ledger.facts();
    const nowS = await world.ledger.chainTimeS();
    await world.chain.chain.increaseTime(17 - ((nowS - deployedAtS) % 16));
    const outbox = await court.outboxOf(STRANGER);
    await createStakesWriter({ outbox, rpc: world.chain.rpc, stakes, token }).stake(1000n, 'test');
    const signers = [...WALLETS.slice(1), STRANGER];
    await play(world, hosted, ({ phase }) => phase === 'anchoring', signers);
    expect(await world.ledger.latestRound()).toBe(0);
    await world.chain.chain.increaseTime(16);
    await court.give(STRANGER.address, 1n);
    await reached(hosted, ({ progress }) => progress.rounds === 1);
    const { challenger } = await connect(world);
    await challenger.approveBonds(10n ** 9n, 'test');
    const position = await positionOf(world, 1);
    for (let row = 0; row < signers.length; row++) {
      await insist(() => challenger.challenge(position, { kind: 'contribution', row }));
    }
    await eventually(
      () => hosted.job.disputes?.ended.answered,
      (count) => count === signers.length,
    );
  });

  it('of those who leave are not waited for: the round goes on without them', async () => {
    const world = await openWorld({});
    const hosted = await world.start();
    for (const { address } of WALLETS) await hosted.job.runner.join(address);
    await hosted.job.runner.join(STRANGER.address);
    await reached(hosted, ({ progress }) => !progress.present.includes(STRANGER.address));
    expect(hosted.job.runner.state.progress.present).toHaveLength(4);
  });

  it('and so is the bond: without it no round opens, and with it they do', async () => {
    const world = await openWorld({}, 1000, '300000');
    const hosted = await world.start();
    for (const { address } of WALLETS) await hosted.job.runner.join(address);
    const { runner } = hosted.job;
    expect(runner.state).toMatchObject({
      phase: 'open',
      progress: { unbonded: { held: '200000', needed: '300000' } },
    });
    expect(hosted.log.warnings.some((warning) => warning.includes('fedanchor stake bond'))).toBe(true);
    const { court } = world;
    await court.give(COORDINATOR.address, 100_000n);
    const { stakes, token } = court.job;
    const writer = createStakesWriter({ outbox: world.outbox, rpc: world.chain.rpc, stakes, token });
    await writer.postBond(100_000n, 'more');
    await reached(hosted, ({ phase }) => phase === 'collecting');
    await play(world, hosted, closed);
  });
});
