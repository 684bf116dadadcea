import { describe, expect, it } from 'vitest';
import { audit } from '../../../client/auditor/audit.ts';
import type { AuditReport } from '../../../client/auditor/report.ts';
import { recoverAddress } from '../../../contracts/wallet.ts';
import type { Hex } from '../../../shared/bytes.ts';
import { TREE } from '../../../shared/commitments/merkle-tree.ts';
import { scoresRoot, weightsRoot } from '../../../shared/commitments/number-trees.ts';
import type { RoundRecord } from '../../../shared/commitments/record.ts';
import { rewardsTree } from '../../../shared/commitments/rewards-tree.ts';
import { blockRoot } from '../../../shared/commitments/vector-trees.ts';
import { totalRewards } from '../../../shared/round/cumulative-rewards.ts';
import { decodeDocument, encodeDocument, type RoundDocument } from '../../../shared/round/document.ts';
import type { AdmittedUpdate, RoundOutcome } from '../../../shared/round/transition.ts';
import {
  chained,
  contribute,
  createHistory,
  type History,
  type HistoryOptions,
  type Meddling,
  memoryBlobs,
  outsider,
  sha256Hex,
  signers,
} from './history.ts';

const auditOf = (history: History): Promise<AuditReport> =>
  audit({ ...history, blobs: memoryBlobs(history.blobs), recover: recoverAddress });

const honestHistory = await createHistory();

const OTHER: Hex = `0x${'5a'.repeat(32)}`;

/** Another value for each member of a record. */
const members: { readonly [Name in keyof RoundRecord]: (value: RoundRecord[Name]) => RoundRecord[Name] } = {
  job: () => OTHER,
  round: (value) => value + 1,
  attempt: (value) => value + 1,
  participants: (value) => value + 1,
  updateBits: (value) => value + 1,
  seedIndex: (value) => value + 1,
  seed: () => OTHER,
  fixedPlanHash: () => OTHER,
  tensorTableRoot: () => OTHER,
  parentModelRoot: () => OTHER,
  modelRoot: () => OTHER,
  serverStateRoot: () => OTHER,
  aggregateRoot: () => OTHER,
  matrixRoot: () => OTHER,
  contributionsRoot: () => OTHER,
  gramRoot: () => OTHER,
  weightsRoot: () => OTHER,
  scoresRoot: () => OTHER,
  rewardsRoot: () => OTHER,
  rewardsTotal: (value) => value + 1n,
  location: () => OTHER,
};
const names = Object.keys(members) as (keyof RoundRecord)[];

function withMember(record: RoundRecord, name: keyof RoundRecord): RoundRecord {
  return { ...record, [name]: (members[name] as (value: unknown) => unknown)(record[name]) };
}

describe('a record anchored with one member wrong', () => {
  it('has 21 members to be wrong', () => {
    const [first] = honestHistory.records;
    expect(Object.keys(first?.record as RoundRecord).sort()).toEqual([...names].sort());
    expect(names.length).toBe(21);
  });

  it.each(names)('is found and named: %s', async (name) => {
    const history = honestHistory;
    const honest = history.records[1]?.record as RoundRecord;
    const wrong = withMember(honest, name);
    const records = chained(
      history.facts,
      history.records.map((anchored, index) => (index === 1 ? { ...anchored, record: wrong } : anchored)),
    );
    const report = await auditOf({ ...history, records });
    expect(report.holds).toBe(false);
    expect(report.rounds[0]?.holds).toBe(true);
    // A document that is nowhere to be found is a document that is missing.
    expect(report.rounds[1]?.divergence?.what).toBe(name === 'location' ? 'document' : name);
    if (name !== 'location') {
      expect(report.rounds[1]?.divergence).toMatchObject({ found: String(wrong[name]) });
      const expected = report.rounds[1]?.divergence?.expected;
      // A seed that nobody has revealed cannot be shown.
      if (name !== 'seed') expect(expected).toBe(String(honest[name]));
    }
    expect(report.rounds[2]?.holds).toBe(false);
  });

  it.each(names)('is no record of the chain when only the event says so: %s', async (name) => {
    const history = honestHistory;
    const records = history.records.map(({ record, head }, index) => ({
      record: index === 1 ? withMember(record, name) : record,
      head,
    }));
    const report = await auditOf({ ...history, records });
    expect(report.rounds[1]?.divergence?.what).toBe('head');
  });
});

/** Publishes another document than the round function's, its hash in the record. */
function publish(outcome: RoundOutcome, change: (document: RoundDocument) => RoundDocument, record = {}): RoundOutcome {
  const document = encodeDocument(change(decodeDocument(outcome.document)));
  return { ...outcome, document, record: { ...outcome.record, location: sha256Hex(document), ...record } };
}

const resign = (admitted: readonly AdmittedUpdate[], index: number, signature: Hex): AdmittedUpdate[] =>
  admitted.map((one, at) => (at === index ? { ...one, contribution: { ...one.contribution, signature } } : one));

const [first, second] = signers.map(({ address }) => address) as [Hex, Hex];
const participation = { admission: 'open', expected: 4, quorum: 4, deadlineMs: 1, retries: 0 };

/** Lies told in round 2 with everything that follows made to fit. */
const lies: [lie: string, meddling: Meddling, what: string, expected: RegExp, more?: HistoryOptions][] = [
  [
    'a score',
    {
      outcome: (outcome) => {
        const scores = outcome.scores.map((score, index) => (index === 0 ? score + 1n : score));
        return publish(outcome, (document) => ({ ...document, scores }), { scoresRoot: scoresRoot(scores) });
      },
    },
    'scoresRoot',
    /^0x/,
  ],
  [
    'a score in the document alone',
    {
      outcome: (outcome) =>
        publish(outcome, (document) => ({
          ...document,
          scores: document.scores.map((s, i) => (i === 2 ? s - 1n : s)),
        })),
    },
    'document scores.2',
    /^"\d+"$/,
  ],
  [
    'a Gram matrix in the document alone',
    {
      outcome: (outcome) =>
        publish(outcome, (document) => ({ ...document, gram: document.gram.map((row) => row.map((x) => -x)) })),
    },
    'document gram.0.0',
    /^"\d+"$/,
  ],
  [
    'weights where there are none',
    {
      outcome: (outcome) => {
        const weights = [2 ** 30, 0, 0, 0, 0];
        return publish(outcome, (document) => ({ ...document, weights }), { weightsRoot: weightsRoot(weights) });
      },
    },
    'weightsRoot',
    /^0x/,
  ],
  [
    'a reward, moved from one to another',
    {
      outcome: (outcome) => {
        const shift = (index: number) => (index === 0 ? -1n : index === 1 ? 1n : 0n);
        const rewards = outcome.rewards.map((entry, index) => ({
          ...entry,
          cumulative: entry.cumulative + shift(index),
        }));
        return {
          ...publish(outcome, (document) => ({ ...document, rewards }), { rewardsRoot: rewardsTree(rewards).root }),
          rewards,
        };
      },
    },
    'rewardsRoot',
    /^0x/,
  ],
  [
    'a reward, made from nothing',
    {
      outcome: (outcome) => {
        const rewards = [...outcome.rewards, { account: outsider.address, cumulative: 5n }];
        const record = { rewardsRoot: rewardsTree(rewards).root, rewardsTotal: totalRewards(rewards) };
        return { ...publish(outcome, (document) => ({ ...document, rewards }), record), rewards };
      },
    },
    'rewardsRoot',
    /^0x/,
  ],
  [
    'the model, moved by one unit',
    {
      outcome: (outcome) => {
        const model = outcome.model.map((value, at) => (at === 5 ? value + 1 : value));
        return { ...outcome, model, record: { ...outcome.record, modelRoot: blockRoot(TREE.model, model) } };
      },
    },
    'modelRoot',
    /^0x/,
  ],
  [
    'the aggregate',
    {
      outcome: (outcome) => {
        const aggregate = outcome.aggregate.map((value, at) => (at === 5 ? value + 1 : value));
        return {
          ...outcome,
          aggregate,
          record: { ...outcome.record, aggregateRoot: blockRoot(TREE.aggregate, aggregate) },
        };
      },
    },
    'aggregateRoot',
    /^0x/,
  ],
  [
    'rewards of the rounds before forgotten',
    { parent: (parent) => ({ ...parent, rewards: [] }) },
    'rewardsRoot',
    /^0x/,
  ],
  [
    'an update by nobody: signed by an outsider for another',
    {
      admitted: (admitted) => {
        const forged = admitted[1] as AdmittedUpdate;
        return resign(admitted, 1, outsider.signDigest(new Uint8Array(32).fill(forged.update.length & 255)));
      },
    },
    `signature of ${second}`,
    new RegExp(`^${second}$`),
  ],
  [
    'a signature with its last byte changed',
    { admitted: (admitted) => resign(admitted, 0, `${admitted[0]?.contribution.signature.slice(0, -2)}1d` as Hex) },
    `signature of ${first}`,
    /^a signature over its statement$/,
  ],
  [
    'a signature cut short',
    { admitted: (admitted) => resign(admitted, 0, '0x1234') },
    `signature of ${first}`,
    /^a signature/,
  ],
  [
    'a statement for another round',
    { statement: (statement, index) => (index === 1 ? { ...statement, round: 1 } : statement) },
    `signature of ${second}`,
    new RegExp(second),
  ],
  [
    'a statement for another attempt',
    { statement: (statement, index) => (index === 1 ? { ...statement, attempt: 1 } : statement) },
    `signature of ${second}`,
    new RegExp(second),
  ],
  [
    'a statement on another model',
    { statement: (statement, index) => (index === 1 ? { ...statement, parentRoot: OTHER } : statement) },
    `signature of ${second}`,
    new RegExp(second),
  ],
  [
    'a statement for another job',
    { statement: (statement, index) => (index === 1 ? { ...statement, job: OTHER } : statement) },
    `signature of ${second}`,
    new RegExp(second),
  ],
  [
    'more samples than were signed for',
    {
      admitted: (admitted) =>
        admitted.map((one, index) =>
          index === 1 ? { ...one, contribution: { ...one.contribution, samples: 999 } } : one,
        ),
    },
    `signature of ${second}`,
    new RegExp(second),
  ],
  [
    'another update than was signed for',
    {
      admitted: (admitted) =>
        admitted.map((one, index) =>
          index === 1
            ? {
                update: (admitted[0] as AdmittedUpdate).update,
                contribution: {
                  ...one.contribution,
                  updateRoot: (admitted[0] as AdmittedUpdate).contribution.updateRoot,
                },
              }
            : one,
        ),
    },
    `signature of ${second}`,
    new RegExp(second),
  ],
  [
    'the order of participants',
    { admitted: (admitted) => [...admitted].reverse() },
    'order of participants',
    /^an address above 0x/,
  ],
  [
    'one participant twice',
    { admitted: (admitted) => [admitted[0] as AdmittedUpdate, ...admitted] },
    'order of participants',
    new RegExp(`^an address above ${first}$`),
  ],
  [
    'a participant who is not on the allow-list',
    {},
    'participant',
    /^an address on the allow-list$/,
    { replace: { participation: { ...participation, admission: signers.slice(0, 4).map(({ address }) => address) } } },
  ],
  [
    'fewer participants than the quorum',
    { admitted: (admitted) => admitted.slice(0, 3) },
    'participants',
    /^at least the quorum of 4$/,
    { replace: { participation } },
  ],
  [
    'more participants than a round takes',
    {},
    'participants',
    /^at most the sample of 4$/,
    { replace: { participation: { ...participation, sample: { size: 4, extra: 1 } } } },
  ],
  ['a seed of its own', { plan: (plan) => ({ ...plan, seed: OTHER }) }, 'seed', /^the seed at position 2 /],
  [
    'the seed of the round before again',
    { plan: (plan) => ({ ...plan, seedIndex: 1, seed: honestHistory.records[0]?.record.seed as Hex }) },
    'seedIndex',
    /^above 1$/,
  ],
  ['the public commitment as a seed', { plan: (plan) => ({ ...plan, seedIndex: 0 }) }, 'seedIndex', /^above 1$/],
  [
    'a seed farther than anyone would hash',
    { plan: (plan) => ({ ...plan, seedIndex: 2 ** 32 - 1 }) },
    'seedIndex',
    /^at most 1000001$/,
  ],
  ['a scale of its own', { plan: (plan) => ({ ...plan, updateBits: plan.updateBits + 1 }) }, 'updateBits', /^\d+$/],
  [
    'an older model as the parent',
    { plan: (plan) => ({ ...plan, parentRoot: OTHER }), parent: (parent) => ({ ...parent, modelRoot: OTHER }) },
    'parentModelRoot',
    /^0x/,
  ],
  [
    'a coordinate out of range',
    {
      update: (update, index) => (index === 1 ? update.map((q, at) => (at === 3 ? 8192 : q)) : update),
      admitted: clamp,
    },
    `update of ${second}`,
    /^no coordinate beyond ±8191$/,
  ],
  [
    'something in the padding',
    { update: (update, index) => (index === 1 ? update.map((q, at) => (at === 127 ? 1 : q)) : update) },
    `update of ${second}`,
    /^padding of zeros$/,
  ],
  [
    'a magnitude that is not the update’s',
    {
      statement: (statement, index) =>
        index === 1 ? { ...statement, largestMagnitude: statement.largestMagnitude + 1 } : statement,
    },
    `largestMagnitude of ${second}`,
    /^\d+$/,
  ],
  [
    'an update of half the length',
    { update: (update, index) => (index === 1 ? update.slice(0, 96) : update), admitted: lengthen },
    `update of ${second}`,
    /^384 bytes$/,
  ],
];

/** The round function itself refuses values out of range, so it is given others than were signed. */
function clamp(admitted: AdmittedUpdate[]): AdmittedUpdate[] {
  return admitted.map((one) => ({ ...one, update: one.update.map((q) => Math.min(q, 8191)) }));
}

/** As with values, so with lengths. */
function lengthen(admitted: AdmittedUpdate[]): AdmittedUpdate[] {
  return admitted.map((one) => {
    const update = new Int16Array(192);
    update.set(one.update);
    return { ...one, update };
  });
}

describe('a coordinator that lies consistently in round 2', () => {
  it.each(lies)('is found out: %s', async (_, meddling, what, expected, more = {}) => {
    const report = await auditOf(await createHistory({ ...more, meddling: { 2: meddling } }));
    const guilty = more.replace && meddling.admitted === undefined ? 0 : 1;
    expect(report.holds).toBe(false);
    expect(report.rounds.slice(0, guilty).every(({ holds }) => holds)).toBe(true);
    expect(report.rounds[guilty]?.divergence?.what).toBe(what);
    expect(report.rounds[guilty]?.divergence?.expected).toMatch(expected);
    expect(report.rounds.slice(guilty).some(({ holds }) => holds)).toBe(false);
  });
});

describe('after a lie', () => {
  const wrongScores: Meddling = {
    outcome: (outcome) => ({ ...outcome, record: { ...outcome.record, scoresRoot: OTHER } }),
  };

  it('the audit goes on from what was published and says that a sound round stands on an unsound one', async () => {
    const report = await auditOf(await createHistory({ rounds: 4, meddling: { 2: wrongScores } }));
    expect(report.rounds.map(({ divergence }) => divergence?.what)).toEqual([
      undefined,
      'scoresRoot',
      'parent',
      'parent',
    ]);
    expect(report.rounds[3]?.divergence?.found).toBe('round 2 does not hold');
  });

  it('a second lie is found too', async () => {
    const report = await auditOf(
      await createHistory({
        rounds: 4,
        meddling: { 2: wrongScores, 4: { plan: (plan) => ({ ...plan, seed: OTHER }) } },
      }),
    );
    expect(report.rounds.map(({ divergence }) => divergence?.what)).toEqual([
      undefined,
      'scoresRoot',
      'parent',
      'seed',
    ]);
  });
});

describe('the state after a lie', () => {
  const verdictsAfter = async (meddling: Meddling) =>
    (await auditOf(await createHistory({ meddling: { 2: meddling } }))).rounds.map(({ divergence }) => divergence);
  const anchoring = (members: Partial<RoundRecord>): Meddling => ({
    outcome: (outcome) => ({ ...outcome, record: { ...outcome.record, ...members } }),
  });

  it('holds the next seed to the last right one', async () => {
    const [, second, third] = await verdictsAfter({ plan: (plan) => ({ ...plan, seed: OTHER }) });
    expect([second?.what, third?.what]).toEqual(['seed', 'parent']);
  });

  it.each<[string, Meddling]>([
    ['contributionsRoot', anchoring({ contributionsRoot: OTHER })],
    ['rewardsRoot', anchoring({ rewardsRoot: OTHER })],
    ['rewardsTotal', anchoring({ rewardsTotal: 1n })],
    [
      'document rewards.0.cumulative',
      {
        outcome: (outcome) =>
          publish(outcome, (document) => ({
            ...document,
            rewards: document.rewards.map(({ account }) => ({ account, cumulative: 1n })),
          })),
      },
    ],
  ])('is not taken from data that the chain does not vouch for: %s', async (what, meddling) => {
    const [, second, third] = await verdictsAfter(meddling);
    expect(second?.what).toBe(what);
    expect(third).toMatchObject({ what: 'parent', found: 'round 2, whose state cannot be recovered, does not hold' });
  });
});

describe('attempts and rounds', () => {
  it('never go back', async () => {
    const report = await auditOf(await createHistory({ attempts: [0, 2, 1] }));
    expect(report.rounds[2]?.divergence).toMatchObject({ what: 'attempt', expected: 'at least 2', found: '1' });
  });

  it('end where the manifest ends', async () => {
    const report = await auditOf(await createHistory({ rounds: 3, replace: { rounds: 2 } }));
    expect(report.rounds[2]?.divergence).toMatchObject({ what: 'round', expected: 'at most 2', found: '3' });
  });

  it('are consecutive', async () => {
    const history = honestHistory;
    const records = chained(
      history.facts,
      [history.records[0], history.records[2]].flatMap((one) => (one ? [one] : [])),
    );
    const report = await auditOf({ ...history, records });
    expect(report.rounds[1]?.divergence).toMatchObject({ what: 'round', expected: '2', found: '3' });
  });
});

describe('a document that no contribution tree could hold', () => {
  it('is a divergence, not a crash', async () => {
    for (const change of [
      { participant: '0x12' as Hex },
      { samples: -5 },
      { updateRoot: '0x' as Hex },
      { samples: 2 ** 40 },
    ]) {
      const history = await createHistory({
        meddling: {
          2: {
            outcome: (outcome) =>
              publish(outcome, (document) => ({
                ...document,
                contributions: document.contributions.map((one, index) => (index === 1 ? { ...one, ...change } : one)),
              })),
          },
        },
      });
      const report = await auditOf(history);
      expect(report.rounds[1]?.divergence?.what).toMatch(/^document$|^statement of 0x/);
    }
  });

  it('takes a contribution of an outsider for what it is', async () => {
    const history = await createHistory({
      meddling: {
        2: {
          admitted: (admitted) => {
            const { terms, facts } = honestHistory;
            const [one] = admitted as [AdmittedUpdate];
            const plan = { round: 2, attempt: 0, parentRoot: OTHER, updateBits: 1, seedIndex: 2, seed: OTHER };
            const strange = contribute(facts, terms, plan, outsider, 9);
            return [...admitted, { ...strange, update: one.update }].sort((a, b) =>
              a.contribution.participant < b.contribution.participant ? -1 : 1,
            );
          },
        },
      },
    });
    const report = await auditOf(history);
    expect(report.rounds[1]?.divergence?.what).toBe(`signature of ${outsider.address}`);
  });
});
