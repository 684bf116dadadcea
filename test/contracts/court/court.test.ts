import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { loadArtifact } from '../../../contracts/artifacts.ts';
import { rebuildCase } from '../../../contracts/court/case-file.ts';
import { connectCourt } from '../../../contracts/court/court.ts';
import { decodeSubject, encodeSubject } from '../../../contracts/court/subject-codec.ts';
import type { Hex } from '../../../shared/bytes.ts';
import { buildAnswer } from '../../../shared/openings/answer.ts';
import { openingOf } from '../../../shared/openings/facts.ts';
import { KINDS, type Subject } from '../../../shared/openings/subject.ts';
import { type CourtLab, type LabRound, openCourtLab } from './court-lab.ts';

// Whole rounds, and a chain that mines a block for each move.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let lab: CourtLab;
let rounds: LabRound[];

beforeAll(async () => {
  lab = await openCourtLab({ rule: { rule: 'TrMean', f: 1 } });
  const first = await lab.play(null, 0);
  const honest = await lab.play(first, 0);
  const second = lab.falsify(honest, first, { scores: honest.parts.scores.map((score) => score + 1n) });
  const third = await lab.play(second, 0);
  rounds = [first, second, third];
  for (const { record } of rounds) await lab.ledger.anchor(record);
});
afterAll(() => lab.close());

const round = (number: number): LabRound => rounds[number - 1] as LabRound;

/** Opens a dispute with bytes of one's own making. */
async function challengeBy(to: Hex, parameters: readonly unknown[], id: string): Promise<bigint> {
  const outbox = await lab.world.outboxOf(lab.world.challenger);
  const data = loadArtifact('Disputes').abi.encodeFunctionData('challenge', parameters) as Hex;
  const { transactionHash } = await outbox.send({ id, to, data });
  return (await lab.court.disputeIn(transactionHash)) as bigint;
}

async function answerTo(id: bigint, { view }: LabRound): Promise<void> {
  const opened = (await lab.court.opened(0)).find((each) => each.id === id);
  const dispute = await lab.court.disputeOf(id);
  if (opened === undefined || dispute === undefined) throw new Error('there is no such dispute');
  const file = rebuildCase(opened, dispute, view);
  if (file === undefined || file.subject.kind === 'gram') throw new Error('the case could not be rebuilt');
  await lab.coordinator.answer(file, await buildAnswer(view, file.subject));
  expect(await lab.court.disputeOf(id)).toBeUndefined();
}

describe('a court', () => {
  it('tells what it was created with, and where it is not', async () => {
    expect(await lab.court.terms()).toEqual({
      ...{ anchor: lab.world.job.anchor, stakes: lab.world.job.stakes, blocks: 3, answerS: 600 },
      ...{ challengerBond: 500n, slashAmount: 50_000n, confirmation: true },
    });
    const nowhere: Hex = `0x${'0d'.repeat(20)}`;
    await expect(connectCourt({ rpc: lab.chain.rpc, disputes: nowhere })).rejects.toMatchObject({
      code: 'ledger/not-a-contract',
    });
    const small = await connectCourt({ rpc: lab.chain.rpc, disputes: lab.court.address, logRangeBlocks: 1 });
    await lab.dispute(round(1), { kind: 'coordinate', coordinate: 3 });
    expect(await small.opened(0)).toEqual(await lab.court.opened(0));
    expect(await small.disputeOf(99n)).toBeUndefined();
    expect(await small.disputeIn(`0x${'00'.repeat(32)}`)).toBeUndefined();
    expect(await small.earliestDisputed()).toBe(1);
    await answerTo(1n, round(1));
  });

  it('opens one dispute however often the same one is asked for', async () => {
    const subject: Subject = { kind: 'link', row: 1, block: 1 };
    const first = await lab.challenger.challenge(round(1).view, subject);
    const again = await lab.challenger.challenge(round(1).view, subject);
    expect(again.transactionHash).toBe(first.transactionHash);
    await answerTo((await lab.court.disputeIn(first.transactionHash)) as bigint, round(1));
  });
});

describe("somebody else's case", () => {
  it('is rebuilt where the challenge brings the round before without need, and bytes that nobody reads', async () => {
    const { view } = round(2);
    const data = `${encodeSubject({ kind: 'coordinate', coordinate: 5 })}${'ab'.repeat(40)}` as Hex;
    await answerTo(await challengeBy(lab.court.address, [0, openingOf(view, true), data], 'own bytes'), round(2));
    await answerTo(await challengeBy(lab.court.address, [0, openingOf(view, false), data], 'fewer bytes'), round(2));
  });

  it('is rebuilt where the challenge comes through another contract', async () => {
    const { rpc, chain } = lab.chain;
    const wallet: Hex = `0x${'ca11'.repeat(10)}`;
    await chain.fund(wallet, 10n ** 18n);
    await lab.world.give(wallet, 10_000n);
    const { abi } = loadArtifact('FedToken');
    const approve = abi.encodeFunctionData('approve', [lab.world.job.stakes, 10_000n]);
    await rpc.call('anvil_impersonateAccount', [wallet]);
    await rpc.call('eth_sendTransaction', [{ from: wallet, to: lab.world.job.token, data: approve }]);
    // Passes its calldata on: calldatacopy, call, and what comes back.
    const code = `0x365f5f375f5f365f5f73${lab.court.address.slice(2)}5af13d5f5f3e602a573d5ffd5b3d5ff3`;
    await rpc.call('anvil_setCode', [wallet, code]);
    const subject = encodeSubject({ kind: 'contribution', row: 4 });
    const id = await challengeBy(wallet, [2, openingOf(round(3).view, false), subject], 'by a contract');
    expect((await lab.court.disputeOf(id))?.challenger).toBe(wallet);
    await answerTo(id, round(3));
  });

  it('is not rebuilt from another round, or for another subject', async () => {
    const { opened } = await lab.dispute(round(3), { kind: 'coordinate', coordinate: 9 });
    const dispute = await lab.court.disputeOf(opened.id);
    if (dispute === undefined) throw new Error('the dispute is open');
    expect(rebuildCase(opened, dispute, round(2).view)).toBeUndefined();
    expect(rebuildCase({ ...opened, subjectData: '0x' }, dispute, round(3).view)).toBeUndefined();
    expect(rebuildCase({ ...opened, subject: undefined }, dispute, round(3).view)).toBeUndefined();
    await answerTo(opened.id, round(3));
  });

  it('has a subject that reads as it was written, and bytes that are none read as none', () => {
    const account: Hex = `0x${'aB'.repeat(20)}`;
    const subjects: Subject[] = [
      { kind: 'coordinate', coordinate: 2 ** 26 - 1 },
      { kind: 'link', row: 63, block: 1_000_000 },
      { kind: 'contribution', row: 7 },
      { kind: 'omission', receipt: round(1).receipts[2] as never },
      { kind: 'weights', selected: 4, better: 1 },
      { kind: 'scores' },
      {
        kind: 'reward',
        after: true,
        account: account.toLowerCase() as Hex,
        cumulative: 2n ** 90n,
        proof: [`0x${'07'.repeat(32)}`],
      },
      { kind: 'gram', row: 64, column: 0 },
    ];
    expect(subjects.map(({ kind }) => kind)).toEqual(KINDS);
    for (const subject of subjects) expect(decodeSubject(subject.kind, encodeSubject(subject))).toEqual(subject);
    expect(KINDS.map((kind) => decodeSubject(kind, '0x0102')?.kind)).toEqual([
      ...[undefined, undefined, undefined, undefined, 'weights', 'scores', undefined, undefined],
    ]);
  });
});

describe('a conviction', () => {
  it('rewinds all that followed, pays its participants, and makes other disputes about it moot', async () => {
    const { stakes } = lab.world;
    const wrong = await lab.dispute(round(2), { kind: 'scores' });
    const other = await lab.dispute(round(3), { kind: 'contribution', row: 1 });
    await lab.chain.chain.increaseTime(600);
    await lab.challenger.convict(wrong.file.id, round(2), round(3).record);
    expect(await lab.world.ledger.latestRound()).toBe(1);
    const owed = await stakes.owedTo(lab.world.challenger.address);
    await lab.challenger.dismiss(other.file.id);
    expect(await stakes.owedTo(lab.world.challenger.address)).toBe(owed + 500n);
    await expect(lab.challenger.dismiss(other.file.id)).resolves.toMatchObject({ gasUsed: expect.any(Number) });

    const outcomes = await lab.court.outcomes(0);
    expect(outcomes.slice(-2)).toMatchObject([
      { outcome: 'won', id: wrong.file.id },
      { outcome: 'moot', id: other.file.id },
    ]);
    const pot = 1n;
    expect(outcomes.at(-2)).toMatchObject({ pot });
    // A fifth of what was slashed, for the participants of two rounds.
    expect(await lab.court.potOf(pot)).toEqual({
      lastHead: round(3).head,
      firstRound: 2,
      lastRound: 3,
      perRound: 5000n,
    });
    for (const [rewound, later] of [
      [round(2), [round(3).record]],
      [round(3), []],
    ] as const) {
      const claim = { pot, rewound, later, contributions: rewound.parts.contributions, row: 3 };
      const account = rewound.parts.contributions[3]?.participant as Hex;
      const before = await stakes.owedTo(account);
      await lab.coordinator.compensate(claim);
      expect(await stakes.owedTo(account)).toBe(before + 1000n);
      await expect(lab.challenger.compensate(claim)).rejects.toMatchObject({
        data: { errorName: 'DisputesNoCompensation' },
      });
    }
  });
});
