import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { decide, type ReasonCode } from '../../../client/agent/decide.ts';
import type { AgentView, JobView, WorkView } from '../../../client/agent/job-view.ts';
import { type Policy, readPolicy } from '../../../client/agent/policy.ts';
import type { Hex } from '../../../shared/bytes.ts';

const address = (digit: string): Hex => `0x${digit.repeat(40)}`;
const hash = (digit: string): Hex => `0x${digit.repeat(64)}`;
const [TOKEN, OTHER, PUBLISHER, ANCHOR] = [address('a'), address('b'), address('c'), address('d')];

const POLICY = `
rpc = "http://127.0.0.1:1"
registry = "${address('1')}"
state = "state"

[[tokens]]
token = "${TOKEN}"
minPricePerRound = "1000"
minSharePerRound = "100"
maxStakePerJob = "500"
maxStakeTotal = "800"

[allow]
manifests = ["${hash('e')}"]
publishers = ["${PUBLISHER}"]

[hours]
timeZone = "UTC"
windows = ["20:00-07:00"]

[work]
tasks = ["classification"]
maxJobs = 2
maxSteps = 100
minFundedPercent = 50

[[data]]
task = "classification"
paths = ["data"]
`;

const NIGHT = Date.parse('2026-03-27T22:00:00Z');

const JOB: JobView = {
  ...{ id: hash('1'), anchor: ANCHOR, manifestHash: hash('f'), registrant: PUBLISHER, coordinator: address('9') },
  ...{ token: TOKEN, pricePerRound: 1000n, rounds: 10, anchored: 2, unearned: 4000n },
  ...{ minStake: 400n, staked: 0n, isLeaving: false, isGenuine: true, coordinatorUrl: 'https://federation.example' },
};
const WORK: WorkView = {
  ...{ task: 'classification', steps: 100, epochs: undefined, batchSize: 32, parameters: 1000, sharers: 10 },
  ...{ isAdmitted: true, publishedBytes: undefined },
};
const AGENT: AgentView = {
  ...{ nowMs: NIGHT, running: [], ended: [], stakedByToken: new Map(), balances: new Map([[TOKEN, 400n]]) },
};

let policy: Policy;

beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'fedanchor-policy-'));
  await writeFile(join(folder, 'policy.toml'), POLICY);
  policy = await readPolicy(join(folder, 'policy.toml'));
  await rm(folder, { recursive: true, force: true });
});

function reasonsOf(decision: ReturnType<typeof decide>): ReasonCode[] {
  return 'reasons' in decision ? decision.reasons.map(({ code }) => code) : [];
}

describe('decide', () => {
  it('reads the manifest first, then joins with the stake that is missing', () => {
    expect(decide(policy, JOB, undefined, AGENT)).toEqual({ kind: 'inspect' });
    expect(decide(policy, JOB, WORK, AGENT)).toEqual({ kind: 'join', stake: 400n });
    expect(decide(policy, { ...JOB, staked: 150n }, WORK, AGENT)).toEqual({ kind: 'join', stake: 250n });
    expect(decide(policy, { ...JOB, registrant: undefined, manifestHash: hash('e') }, WORK, AGENT).kind).toBe('join');
  });

  const RUNNING = [ANCHOR];
  it.each<[ReasonCode, 'ignore' | 'wait' | 'leave', Partial<JobView>, Partial<WorkView>, Partial<AgentView>]>([
    ['job-over', 'ignore', { anchored: 10, unearned: 9000n }, {}, {}],
    ['job-over', 'ignore', {}, {}, { ended: [ANCHOR] }],
    ['not-allowed', 'ignore', { registrant: address('8') }, {}, {}],
    ['not-allowed', 'ignore', { registrant: undefined }, {}, {}],
    ['token-not-wanted', 'ignore', { token: OTHER }, {}, {}],
    ['price-too-low', 'ignore', { pricePerRound: 999n }, { sharers: 1 }, {}],
    ['share-too-low', 'ignore', {}, { sharers: 11 }, {}],
    ['stake-too-high', 'ignore', { minStake: 501n }, {}, { balances: new Map([[TOKEN, 1000n]]) }],
    ['foreign-contracts', 'ignore', { isGenuine: false }, {}, {}],
    ['too-many-rounds', 'ignore', { rounds: 100_001, unearned: 10n ** 12n }, {}, {}],
    ['task-not-wanted', 'ignore', {}, { task: 'next-character', publishedBytes: 1 }, {}],
    ['no-data', 'ignore', {}, { publishedBytes: 1 }, {}],
    ['not-admitted', 'ignore', {}, { isAdmitted: false }, {}],
    ['too-much-work', 'ignore', {}, { steps: 101 }, {}],
    ['too-much-work', 'ignore', {}, { parameters: 100_000_001 }, {}],
    ['no-address', 'wait', { coordinatorUrl: undefined }, {}, {}],
    ['underfunded', 'wait', { unearned: 3999n }, {}, {}],
    ['out-of-hours', 'wait', {}, {}, { nowMs: Date.parse('2026-03-27T12:00:00Z') }],
    ['enough-jobs', 'wait', {}, {}, { running: [address('5'), address('6')] }],
    ['stakes-exhausted', 'wait', {}, {}, { stakedByToken: new Map([[TOKEN, 401n]]) }],
    ['too-few-tokens', 'wait', {}, {}, { balances: new Map([[TOKEN, 399n]]) }],
    ['leaving', 'wait', { isLeaving: true, staked: 400n }, {}, {}],
    ['leaving', 'leave', { isLeaving: true, staked: 400n }, {}, { running: RUNNING }],
    ['out-of-hours', 'leave', {}, {}, { running: RUNNING, nowMs: Date.parse('2026-03-27T12:00:00Z') }],
  ])('%s: %s', (code, kind, job, work, agent) => {
    const decision = decide(policy, { ...JOB, ...job }, { ...WORK, ...work }, { ...AGENT, ...agent });
    expect(decision.kind).toBe(kind);
    expect(reasonsOf(decision)).toContain(code);
  });

  it('stays with a job that it is in, whatever it would say to a new one', () => {
    const poor = { ...JOB, pricePerRound: 1n, unearned: 0n, coordinatorUrl: undefined };
    expect(decide(policy, poor, WORK, { ...AGENT, running: RUNNING, balances: new Map() })).toEqual({ kind: 'stay' });
  });

  const amounts = (min: bigint, max: bigint) => fc.bigInt({ min, max });
  /** Mostly the one that allows a job, so that many are joined. */
  const mostly = <T>(good: T, ...others: readonly T[]) =>
    fc.oneof({ weight: 9, arbitrary: fc.constant(good) }, { weight: 1, arbitrary: fc.constantFrom(...others) });
  const job = fc.record({
    ...{ pricePerRound: amounts(980n, 1200n), unearned: amounts(3000n, 9000n), minStake: amounts(300n, 520n) },
    ...{ staked: amounts(0n, 600n), isLeaving: mostly(false, true), isGenuine: mostly(true, false) },
    ...{ anchored: fc.integer({ min: 2, max: 10 }), token: mostly(TOKEN, OTHER) },
    registrant: mostly<Hex | undefined>(PUBLISHER, OTHER, undefined),
    coordinatorUrl: mostly<string | undefined>('https://federation.example', undefined),
  });
  const work = fc.record({
    ...{ steps: fc.integer({ min: 90, max: 101 }), sharers: fc.integer({ min: 5, max: 11 }) },
    ...{ isAdmitted: mostly(true, false), task: mostly('classification', 'next-character') },
    publishedBytes: mostly<number | undefined>(undefined, 1000),
  });
  const agent = fc.record({
    nowMs: fc.integer({ min: NIGHT - 12 * 3_600_000, max: NIGHT + 8 * 3_600_000 }),
    running: fc.subarray([address('5'), address('6')]),
    stakedByToken: amounts(0n, 900n).map((amount) => new Map([[TOKEN, amount]])),
    balances: amounts(0n, 900n).map((amount) => new Map([[TOKEN, amount]])),
  });

  it('never joins beyond any of its bounds, and always says why it does not', () => {
    let joined = 0;
    fc.assert(
      fc.property(job, work, agent, (a, b, c) => {
        const [view, asked, self] = [
          { ...JOB, ...a },
          { ...WORK, ...b },
          { ...AGENT, ...c },
        ];
        const decision = decide(policy, view, asked, self);
        if (decision.kind !== 'join') {
          expect(reasonsOf(decision).length).toBeGreaterThan(0);
          return;
        }
        joined += 1;
        const hour = new Date(self.nowMs).getUTCHours();
        expect(hour >= 20 || hour < 7).toBe(true);
        expect(view.token).toBe(TOKEN);
        expect(view.registrant).toBe(PUBLISHER);
        expect(view.pricePerRound).toBeGreaterThanOrEqual(1000n);
        expect(view.pricePerRound / BigInt(asked.sharers)).toBeGreaterThanOrEqual(100n);
        expect(view.staked + decision.stake).toBeGreaterThanOrEqual(view.minStake);
        expect(view.minStake).toBeLessThanOrEqual(500n);
        const total = self.stakedByToken.get(TOKEN) ?? 0n;
        if (decision.stake > 0n) expect(total + decision.stake).toBeLessThanOrEqual(800n);
        expect(decision.stake).toBeLessThanOrEqual(self.balances.get(TOKEN) ?? 0n);
        expect(self.running.length).toBeLessThan(2);
        expect([asked.task, asked.publishedBytes]).toEqual(['classification', undefined]);
        expect([view.isGenuine, asked.isAdmitted, view.isLeaving]).toEqual([true, true, false]);
        expect(asked.steps).toBeLessThanOrEqual(100);
      }),
      { numRuns: 3000 },
    );
    expect(joined).toBeGreaterThan(30);
  });

  it('is not brought to join by a lower price, a higher stake, more work or less money', () => {
    const arbitrary = fc.tuple(job, work, agent, amounts(0n, 500n), fc.integer({ min: 0, max: 50 }));
    fc.assert(
      fc.property(arbitrary, ([a, b, c, less, more]) => {
        const [view, asked, self] = [
          { ...JOB, ...a },
          { ...WORK, ...b },
          { ...AGENT, ...c },
        ];
        if (decide(policy, view, asked, self).kind === 'join') return;
        const worse = {
          ...view,
          pricePerRound: view.pricePerRound - less,
          minStake: view.minStake + less,
          // The pots to come fall with the price: what is funded must fall as well.
          unearned: 0n,
        };
        const after = decide(policy, worse, { ...asked, steps: asked.steps + more }, self);
        expect(after.kind).not.toBe('join');
      }),
      { numRuns: 3000 },
    );
  });
});

describe('a policy', () => {
  it.each([
    ['rpc = ', 'config/syntax'],
    ['minPricePerRound = "1.5"', 'config/invalid'],
    ['timeZone = "Mars/Olympus"', 'config/invalid'],
    ['windows = ["8-9"]', 'config/invalid'],
    ['maxJob = 2', 'config/invalid'],
  ])('with %s is refused', async (line, code) => {
    const folder = await mkdtemp(join(tmpdir(), 'fedanchor-policy-'));
    const [name] = line.split(' ');
    const text = POLICY.split('\n').map((each) => (each.split(' ')[0] === name ? line : each));
    if (!text.includes(line)) text.splice(text.indexOf('maxJobs = 2'), 0, line);
    await writeFile(join(folder, 'policy.toml'), text.join('\n'));
    await expect(readPolicy(join(folder, 'policy.toml'))).rejects.toMatchObject({ code });
    await rm(folder, { recursive: true, force: true });
  });
});
