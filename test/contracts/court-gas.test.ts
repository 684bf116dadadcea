import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ContractName, loadArtifact } from '../../contracts/artifacts.ts';
import { ANSWER_TYPES, abiEncode } from '../../contracts/court/court-abi.ts';
import { createLedgerWriter } from '../../contracts/ledger/ledger-writer.ts';
import { createStakesWriter } from '../../contracts/ledger/stakes.ts';
import { packageRoot } from '../../contracts/package-root.ts';
import type { Signer } from '../../contracts/wallet.ts';
import { type Hex, ZERO_HASH } from '../../shared/bytes.ts';
import { attestationDigest, packAttestations } from '../../shared/commitments/attestation.ts';
import { updateDigest } from '../../shared/commitments/contribution.ts';
import { genesisHead } from '../../shared/commitments/record.ts';
import { type CourtWorld, openCourtWorld } from './court-fixture.ts';
import { type GiantRound, giantRound } from './court-gas-round.ts';
import { hash, JOB, roundRecord, startTestChain, type TestChain, wallet } from './harness.ts';

const SNAPSHOT = join(packageRoot(), 'contracts', 'snapshots', 'court-gas.json');
const NO_HEAD: Hex = `0x${'00'.repeat(26)}`;
// Addresses follow from what a job is deployed with, and a zero byte in a hash is cheaper: nothing may tell the time.
const job = { jobEndsAtS: 4_000_000_000 };
const measured: Record<string, number> = {};

let test: TestChain;
beforeAll(async () => {
  test = await startTestChain();
});
afterAll(() => test.close());

const seven = Array.from({ length: 7 }, (_, index) => wallet(`attester ${index}`));
const domainOf = (world: CourtWorld) => ({ chainId: 31337n, anchor: world.job.anchor });

/** Sends one call from a wallet; the receipt's gas. */
async function spend(world: CourtWorld, by: Signer, contract: ContractName, to: Hex, call: string, values: unknown[]) {
  const outbox = await world.outboxOf(by);
  const data = loadArtifact(contract).abi.encodeFunctionData(call, values) as Hex;
  return (await outbox.send({ id: `${call}:${to}:${data.slice(0, 200)}:${by.address}`, to, data })).gasUsed;
}

async function play(giant: GiantRound, name: string): Promise<{ world: CourtWorld; opening: object; subject: Hex }> {
  const { blocks, record, plan, coordinate } = giant;
  const own = { ...JOB, ...giant.job };
  const world = await openCourtWorld(test, { blocks, job: { ...own, ...job }, participants: [wallet(name)] });
  await createLedgerWriter(await world.outboxOf(world.coordinator), world.job).anchor(record);
  const parentHead = genesisHead({ ...own, chainId: 31337n, anchor: world.job.anchor });
  const opening = { record, parentHead, parent: [], grandparentHead: NO_HEAD, plan };
  return { world, opening, subject: abiEncode(['uint256'], [coordinate]) };
}

async function challenge(world: CourtWorld, opening: object, subject: Hex): Promise<number> {
  const bond = BigInt(world.court.terms.challengerBond);
  await spend(world, world.challenger, 'FedToken', world.job.token, 'approve', [world.job.stakes, 100n * bond]);
  return spend(world, world.challenger, 'Disputes', world.job.disputes, 'challenge', [0, opening, subject]);
}

describe('gas of the court', () => {
  const sizes = [
    { what: 'd = 2^20, n = 20', n: 20, f: 4, depth: 14, bar: 300_000 },
    { what: 'd = 2^20, n = 50', n: 50, f: 10, depth: 14, bar: 500_000 },
    // What one transaction may use, by EIP-7825.
    { what: 'd = 2^24, n = 64', n: 64, f: 15, depth: 18, bar: 2 ** 24 },
  ];
  it.each(sizes)('of a coordinate of the trimmed mean, $what', async ({ what, n, f, depth, bar }) => {
    const giant = giantRound(n, f, depth);
    const { world, opening, subject } = await play(giant, `participant of ${what}`);
    const opened = await challenge(world, opening, subject);
    const facts = {
      ...{ record: giant.record, parentKnown: true, parentStateRoot: ZERO_HASH, parentRewardsRoot: ZERO_HASH },
      ...{ parentRewardsTotal: 0n, plan: giant.plan },
    };
    const shown = abiEncode([ANSWER_TYPES.coordinate], [giant.answer]);
    const answer = [1, facts, subject, shown];
    const used = await spend(world, world.coordinator, 'Disputes', world.job.disputes, 'answer', answer);
    measured[`dispute, opened (coordinate, ${what})`] = opened;
    measured[`dispute, answered (trimmed mean, ${what})`] = used;
    expect(used).toBeLessThanOrEqual(bar);
  });

  it('of a conviction', async () => {
    // Another number of faulty: the same job would be the same contracts.
    const giant = giantRound(20, 5, 14);
    const { world, opening, subject } = await play(giant, 'participant of the convicted');
    await challenge(world, opening, subject);
    await test.chain.increaseTime(world.court.terms.answerS);
    const { parentHead } = opening as { parentHead: Hex };
    const verdict = [1, giant.record, parentHead, giant.record];
    const { disputes, stakes } = world.job;
    const convicted = await spend(world, world.challenger, 'Disputes', disputes, 'convict', verdict);
    measured['dispute, convicted (one round rewound)'] = convicted;
    measured['reward of a challenger, withdrawn'] = await spend(
      world,
      world.challenger,
      'StakeManager',
      stakes,
      'withdraw',
      [],
    );
  });

  it('of stakes and bonds', async () => {
    const world = await openCourtWorld(test, { job, participants: seven.slice(0, 3) });
    const newcomer = wallet('newcomer');
    const stakes = createStakesWriter({
      ...{ outbox: await world.outboxOf(newcomer), rpc: test.rpc, stakes: world.job.stakes, token: world.job.token },
    });
    await world.give(newcomer.address, 10_000n);
    measured['stake, first of an account'] = (await stakes.stake(2000n, 'first')).gasUsed;
    measured['stake, more'] = (await stakes.stake(1000n, 'more')).gasUsed;
    const statement = {
      ...{ job: JOB.job, round: 1, attempt: 0, parentRoot: hash('parent'), updateRoot: hash('one') },
      ...{ samples: 100, largestMagnitude: 4000, datasetCommitment: hash('data') },
    };
    const other = { ...statement, updateRoot: hash('other') };
    const sign = (each: typeof statement) => newcomer.signDigest(updateDigest(domainOf(world), each));
    const reporter = createStakesWriter({
      ...{ outbox: await world.outboxOf(world.challenger), rpc: test.rpc },
      ...{ stakes: world.job.stakes, token: world.job.token },
    });
    const evidence = { updateA: statement, signatureA: sign(statement), updateB: other, signatureB: sign(other) };
    const proven = await reporter.proveEquivocation({ account: newcomer.address, ...evidence });
    measured['equivocation, proven'] = proven.gasUsed;
    measured['exit, requested'] = (await stakes.requestExit('gas')).gasUsed;
    await test.chain.increaseTime((await world.stakes.terms()).exitDelayS);
    measured['exit'] = (await stakes.exit('gas')).gasUsed;
  });

  it('of attestations', async () => {
    const world = await openCourtWorld(test, { job, participants: seven, court: { attestationQuorum: 4 } });
    const outbox = await world.outboxOf(world.coordinator);
    const writer = createLedgerWriter(outbox, world.job);
    const stakes = createStakesWriter({
      ...{ outbox, rpc: test.rpc, stakes: world.job.stakes, token: world.job.token },
    });
    measured['roster of 7, published'] = (await stakes.publishRoster('gas')).gasUsed;
    const roster = (await world.stakes.roster()) ?? [];
    const finalize = async (round: number, count: number): Promise<number> => {
      await writer.anchor(roundRecord(round));
      const answer = (await test.rpc.call('eth_call', [
        { to: world.job.anchor, data: loadArtifact('RoundAnchor').abi.encodeFunctionData('headOf', [round]) },
        'latest',
      ])) as Hex;
      const head = answer.slice(0, 54) as Hex;
      const digest = attestationDigest(domainOf(world), { job: JOB.job, round, head });
      const signed = seven.slice(0, count).map((each) => ({
        ...{ position: roster.indexOf(each.address), signature: each.signDigest(digest) },
      }));
      const packed = packAttestations(signed);
      return spend(world, world.coordinator, 'RoundAnchor', world.job.anchor, 'finalize', [round, head, packed]);
    };
    // The first of a job also writes where nothing was.
    await finalize(1, 4);
    const four = await finalize(2, 4);
    const all = await finalize(3, 7);
    measured['finalize with 4 attestations'] = four;
    measured['finalize with 7 attestations'] = all;
    const each = Math.round((all - four) / 3);
    measured['one attestation'] = each;
    expect(each).toBeLessThanOrEqual(5000);
  });

  it('is what the committed snapshot says, code sizes too (FEDANCHOR_UPDATE_SNAPSHOTS=1 writes it anew)', async () => {
    const contracts: readonly ContractName[] = [
      ...(['StakeManager', 'Disputes', 'CoordinateJudge', 'ContributionJudge', 'ShareJudge', 'GramJudge'] as const),
      ...(['Deployer', 'Params', 'Registry', 'LicenceTill', 'FedGovernor', 'FedTimelock'] as const),
    ];
    for (const name of contracts) {
      const bytes = loadArtifact(name).deployedBytes;
      measured[`bytes of ${name}`] = bytes;
      expect(bytes, 'EIP-170').toBeLessThanOrEqual(24_576);
    }
    if (process.env['FEDANCHOR_UPDATE_SNAPSHOTS'] === '1') {
      await writeFile(SNAPSHOT, `${JSON.stringify(measured, null, 2)}\n`);
    }
    expect(measured).toEqual(JSON.parse(await readFile(SNAPSHOT, 'utf8')));
  });
});
