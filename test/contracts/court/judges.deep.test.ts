import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type ContractName, loadArtifact } from '../../../contracts/artifacts.ts';
import { encodeAnswer } from '../../../contracts/court/answer-codec.ts';
import { connectCourt } from '../../../contracts/court/court.ts';
import { encodeSubject } from '../../../contracts/court/subject-codec.ts';
import { callView } from '../../../contracts/ledger/call.ts';
import { isLedgerError } from '../../../contracts/ledger/ledger-error.ts';
import { recoverAddress, type Signer } from '../../../contracts/wallet.ts';
import { guaranteeOf } from '../../../shared/aggregation/guarantee.ts';
import {
  PRE_AGGREGATORS,
  parseRuleSpec,
  RULES,
  type RuleSpec,
  resolveRule,
} from '../../../shared/aggregation/registry.ts';
import { RuleError } from '../../../shared/aggregation/rule-error.ts';
import { type Hex, toHex } from '../../../shared/bytes.ts';
import { rewardsTree } from '../../../shared/commitments/rewards-tree.ts';
import { type Answer, buildAnswer } from '../../../shared/openings/answer.ts';
import { diagnose } from '../../../shared/openings/diagnose.ts';
import { type Facts, factsOf, openingOf } from '../../../shared/openings/facts.ts';
import { gramSums } from '../../../shared/openings/gram-moves.ts';
import type { RoundPosition, RoundView } from '../../../shared/openings/round-view.ts';
import { recomputesCoordinates, recomputesWeights, settledOnChain } from '../../../shared/openings/settled.ts';
import { KINDS, type Subject } from '../../../shared/openings/subject.ts';
import { fixedPlanWords } from '../../../shared/round/plan.ts';
import { exampleManifest } from '../../shared/round/example-manifest.ts';
import { type CourtWorld, openCourtWorld } from '../court-fixture.ts';
import { hash, roundRecord, startTestChain, type TestChain, wallet } from '../harness.ts';
import { createRounds, type JobChoices, type LabRound, type Parts } from './court-lab.ts';

// Whole rounds, and a chain that mines a block for each move.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const MOST = 9;
const signers: readonly Signer[] = Array.from({ length: MOST }, (_, each) => wallet(`participant ${each}`)).toSorted(
  (a, b) => (a.address < b.address ? -1 : 1),
);

let chain: TestChain;
let world: CourtWorld;
let judges: Readonly<Record<'CoordinateJudge' | 'ContributionJudge' | 'ShareJudge' | 'GramJudge', Hex>>;
let anchoredAt: number;

beforeAll(async () => {
  chain = await startTestChain();
  world = await openCourtWorld(chain, { participants: signers });
  const court = await connectCourt({ rpc: chain.rpc, disputes: world.job.disputes });
  const { abi } = loadArtifact('Disputes');
  const [terms] = await callView(chain.rpc, abi, court.address, 'terms');
  judges = {
    CoordinateJudge: terms.coordinateJudge,
    ContributionJudge: terms.contributionJudge,
    ShareJudge: terms.shareJudge,
    GramJudge: terms.gramJudge,
  };
  anchoredAt = await world.ledger.chainTimeS();
});
afterAll(() => chain.close());

const judgeOf = (kind: Subject['kind']): 'CoordinateJudge' | 'ContributionJudge' | 'ShareJudge' =>
  kind === 'coordinate'
    ? 'CoordinateJudge'
    : ['link', 'contribution', 'omission'].includes(kind)
      ? 'ContributionJudge'
      : 'ShareJudge';

/** What a judge answers; a judge that cannot go through with it says no, as the court does. */
async function ask(
  contract: ContractName & keyof typeof judges,
  name: string,
  parameters: readonly unknown[],
): Promise<boolean> {
  try {
    return (await callView(chain.rpc, loadArtifact(contract).abi, judges[contract], name, parameters))[0];
  } catch (error) {
    if (isLedgerError(error, 'ledger/reverted')) return false;
    throw error;
  }
}

const circumstances = (blocks: number, confirmation: boolean) => ({
  ...{ anchor: world.job.anchor, stakes: world.job.stakes, coordinator: world.coordinator.address },
  ...{ anchoredAt, blocks, pricePerRound: 100n, confirmation },
});

const admits = (subject: Subject, facts: Facts, blocks: number, confirmation: boolean) =>
  subject.kind === 'gram'
    ? ask('GramJudge', 'admits', [facts, subject.row, subject.column])
    : ask(judgeOf(subject.kind), 'admits', [
        KINDS.indexOf(subject.kind),
        facts,
        circumstances(blocks, confirmation),
        encodeSubject(subject),
      ]);

const holds = (subject: Subject, facts: Facts, blocks: number, confirmation: boolean, answer: Answer) =>
  ask(judgeOf(subject.kind), 'holds', [
    KINDS.indexOf(subject.kind),
    facts,
    circumstances(blocks, confirmation),
    encodeSubject(subject),
    encodeAnswer(answer),
  ]);

const blocksOf = ({ terms }: RoundPosition): number => terms.layout.dimension / 64;

const RULE_CHOICES: readonly JobChoices['rule'][] = [
  { rule: 'Average', f: 0 },
  { rule: 'Median', f: 1 },
  { rule: 'TrMean', f: 1 },
  { rule: 'Meamed', f: 1 },
  { rule: 'Phocas', f: 2 },
  { rule: 'SignMajority', f: 1 },
  { rule: 'Krum', f: 1, params: { neighbours: 'original' } },
  { rule: 'MultiKrum', f: 1, params: { m: 2, neighbours: 'byzfl' } },
  { rule: 'CGE', f: 2 },
  { rule: 'MoNNA', f: 1, params: { idx: 1 } },
  { rule: 'GeometricMedian', f: 1, pre: ['NNM'], params: { nu: 0.1, T: 3 } },
];

const jobs = fc.record({
  rule: fc.constantFrom(...RULE_CHOICES),
  participants: fc.integer({ min: 5, max: MOST }),
  size: fc.integer({ min: 1, max: 400 }),
  step: fc.constantFrom(
    { name: 'FedAvg', learningRate: 65536 } as const,
    { name: 'FedAvgM', learningRate: 90000, momentum: 58982 } as const,
  ),
  score: fc.constantFrom('confirmation' as const, 'alignment' as const),
  seed: fc.nat(),
});

const roundsOf = (choices: JobChoices) =>
  createRounds(
    choices,
    signers.slice(0, choices.participants),
    () => ({ chainId: 31337n, anchor: world.job.anchor }),
    world.coordinator,
  );

/** Any subject of a round; `pick` chooses among what there is. */
function anySubject(
  { view, parts, receipts, record }: LabRound,
  kind: Subject['kind'],
  pick: (below: number) => number,
): Subject {
  const n = record.participants;
  const blocks = blocksOf(view);
  switch (kind) {
    case 'coordinate':
      return { kind, coordinate: pick(64 * 2 ** Math.ceil(Math.log2(blocks))) };
    case 'link':
      return { kind, row: pick(n), block: pick(blocks) };
    case 'contribution':
      return { kind, row: pick(2 ** Math.ceil(Math.log2(n))) };
    case 'omission':
      return { kind, receipt: receipts[pick(n)] as LabRound['receipts'][number] };
    case 'weights':
      return { kind, selected: pick(n), better: pick(n) };
    case 'scores':
      return { kind };
    case 'reward': {
      const after = pick(2) === 1;
      const side = after ? parts.rewards : view.parentRewards;
      const account = (parts.contributions[pick(n)] as { participant: Hex }).participant;
      const cumulative = side.find((own) => own.account === account)?.cumulative ?? 0n;
      return { kind, after, account, cumulative, proof: rewardsTree(side).proof(account) ?? [] };
    }
    case 'gram':
      return { kind, row: pick(n + 1), column: pick(n + 1) };
  }
}

describe('an honest round', () => {
  it('of any shape and rule has an answer to whatever its court admits', async () => {
    const held = new Set<string>();
    await fc.assert(
      fc.asyncProperty(jobs, fc.array(fc.nat(), { minLength: 16, maxLength: 16 }), async (choices, numbers) => {
        const rounds = roundsOf(choices);
        const first = await rounds.play(null, 0);
        const second = await rounds.play(first, 1);
        let at = 0;
        const pick = (below: number) => (numbers[at++ % numbers.length] as number) % below;
        for (const round of [first, second]) {
          const facts = factsOf(openingOf(round.view, true));
          for (const kind of KINDS) {
            const subject = anySubject(round, kind, pick);
            const isConfirmed = choices.score === 'confirmation';
            if (!(await admits(subject, facts, blocksOf(round.view), isConfirmed))) {
              // Weights alone are not asked for everywhere.
              expect(kind).toBe('weights');
              expect(recomputesWeights(rounds.terms.manifest.aggregation.rule, round.record.participants)).toBe(false);
              continue;
            }
            if (subject.kind === 'gram') continue;
            const answer = await buildAnswer(round.view, subject);
            expect(await holds(subject, facts, blocksOf(round.view), isConfirmed, answer)).toBe(true);
            held.add(answer.kind);
          }
        }
      }),
      // The seed is fixed, so that each kind of answer comes up.
      { numRuns: 20, seed: 5 },
    );
    expect([...held].sort()).toEqual(
      ['contribution', 'coordinate', 'link', 'omission', 'padding', 'reward', 'scores', 'weights'].sort(),
    );
  });
});

const LIES: readonly (keyof Parts)[] = [
  'aggregate',
  'model',
  'state',
  'gram',
  'weights',
  'scores',
  'rewards',
  'rewardsTotal',
];

/** One number more or less in one part of a round. */
function lieIn(parts: Parts, part: keyof Parts, at: number): Partial<Parts> {
  const bump = (vector: Int32Array | null) =>
    vector?.map((value, i) => (i === at % vector.length ? value + 1 : value)) ?? null;
  const { gram, weights, scores, rewards } = parts;
  switch (part) {
    case 'aggregate':
    case 'model':
      return { [part]: bump(parts[part]) };
    case 'state':
      return { state: bump(parts.state) };
    case 'gram': {
      const width = gram.length;
      const [row, column] = [at % width, Math.floor(at / width) % width];
      return { gram: gram.map((cells, i) => cells.map((cell, j) => (i === row && j === column ? cell - 1n : cell))) };
    }
    case 'weights':
      return { weights: weights?.map((weight, i) => (i === at % weights.length ? weight + 1 : weight)) ?? null };
    case 'scores':
      return { scores: scores.map((score, i) => (i === at % scores.length ? score + 1n : score)) };
    case 'rewards':
      return {
        rewards: rewards.map((own, i) =>
          i === at % rewards.length ? { ...own, cumulative: own.cumulative + 1n } : own,
        ),
      };
    default:
      return { rewardsTotal: parts.rewardsTotal + 1n };
  }
}

describe('a round with one lie in it', () => {
  it('is diagnosed by a dispute that the court admits and that nothing published answers', async () => {
    const found = new Map<string, number>();
    await fc.assert(
      fc.asyncProperty(jobs, fc.constantFrom(...LIES), fc.nat(), async (choices, part, at) => {
        const rounds = roundsOf(choices);
        const first = await rounds.play(null, 0);
        const honest = await rounds.play(first, 1);
        const lying = rounds.falsify(honest, first, lieIn(honest.parts, part, at));
        const evidence = {
          ...{ recomputed: honest.outcome, recover: recoverAddress, isEligible: async () => true },
          domain: { chainId: 31337n, anchor: world.job.anchor },
        };
        const diagnosis = await diagnose(lying.view, evidence);
        const { record } = lying;
        const isLie =
          JSON.stringify({ ...record, rewardsTotal: String(record.rewardsTotal) }) !==
          JSON.stringify({ ...honest.record, rewardsTotal: String(honest.record.rewardsTotal) });
        if (!isLie) {
          expect(diagnosis).toEqual({ verdict: 'none' });
          return;
        }
        if (diagnosis.verdict === 'off-chain') {
          // Only the weights of a rule that the chain cannot follow.
          expect([choices.rule.rule, part]).toEqual(['GeometricMedian', 'weights']);
          return;
        }
        if (diagnosis.verdict !== 'challenge') throw new Error(`${part}: ${JSON.stringify(diagnosis)}`);
        const { subject } = diagnosis;
        const facts = factsOf(openingOf(lying.view, true));
        const isConfirmed = choices.score === 'confirmation';
        expect(await admits(subject, facts, blocksOf(lying.view), isConfirmed)).toBe(true);
        found.set(subject.kind, (found.get(subject.kind) ?? 0) + 1);
        if (subject.kind === 'gram') {
          const sums = await gramSums(lying.view, subject, { first: 0, span: blocksOf(lying.view) });
          expect(sums.reduce((sum, each) => sum + each, 0n)).not.toBe(lying.parts.gram[subject.row]?.[subject.column]);
          return;
        }
        for (const view of [lying.view, honest.view] satisfies RoundView[]) {
          const answer = await buildAnswer(view, subject);
          expect(await holds(subject, facts, blocksOf(lying.view), isConfirmed, answer)).toBe(false);
        }
      }),
      { numRuns: 60, seed: 5 },
    );
    expect([...found.keys()].sort()).toEqual(['coordinate', 'gram', 'reward', 'scores', 'weights']);
  });
});

/** Every rule with its parameters as given and each choice of them, bare and behind every pre-aggregator. */
function everySpec(): RuleSpec[] {
  const specs: RuleSpec[] = [];
  for (const rule of RULES) {
    for (const pre of [[], ...PRE_AGGREGATORS.map(({ name }) => [name])]) {
      for (const f of [0, 1, 3]) {
        specs.push(parseRuleSpec({ rule: rule.name, pre, f }));
        for (const { name, choices } of rule.parameters) {
          for (const choice of choices)
            specs.push(parseRuleSpec({ rule: rule.name, pre, f, params: { [name]: choice } }));
        }
      }
    }
  }
  specs.push(parseRuleSpec('MultiKrum:f=1,m=3'), parseRuleSpec('MoNNA:f=1,idx=2'), parseRuleSpec('MoNNA:f=1,idx=63'));
  return specs;
}

/** What means the same to a round, but not to contracts, which know it by hash. */
const OTHER_SPELLINGS: readonly RuleSpec[] = [
  { rule: 'krum', pre: [], f: 1, params: { neighbours: 'byzfl' } },
  { rule: 'Krum', pre: [], f: 1, params: {} },
  { rule: 'trimmed-mean', pre: [], f: 1, params: {} },
  { rule: 'MultiKrum', pre: [], f: 1, params: { m: '3', neighbours: 'byzfl' } },
];

describe('the guarantee that a rule states', () => {
  it('is what the contracts admit, for every rule, parameter and pre-aggregator, up to 64 participants', async () => {
    let compared = 0;
    for (const spec of [...everySpec(), ...OTHER_SPELLINGS]) {
      const manifest = exampleManifest({
        replace: {
          aggregation: {
            rule: { ...spec, pre: [...spec.pre] },
            sampleCap: 1000,
            serverStep: { name: 'FedAvg', learningRate: 65536 },
          },
        },
      });
      const plan = fixedPlanWords(manifest).map(toHex);
      for (const n of [9, 65]) {
        const rule = resolveRule(spec.rule);
        try {
          if (spec.pre.length === 0) rule.validate(n, spec.f, spec.params);
        } catch (error) {
          if (error instanceof RuleError) continue;
          throw error;
        }
        const zero = hash('nothing');
        const facts: Facts = {
          ...{ record: roundRecord(2, { participants: n }), parentKnown: true, plan },
          ...{ parentStateRoot: zero, parentRewardsRoot: zero, parentRewardsTotal: 0n },
        };
        const coordinate = await admits({ kind: 'coordinate', coordinate: 0 }, facts, 3, true);
        const scores = await admits({ kind: 'scores' }, facts, 3, true);
        const weights = await admits({ kind: 'weights', selected: 0, better: 1 }, facts, 3, true);
        const isReduced = rule.sees === 'values';
        expect({ spec, n, coordinate, scores }).toEqual({
          ...{ spec, n },
          coordinate: recomputesCoordinates(spec, n),
          scores: recomputesCoordinates(spec, n),
        });
        expect({ spec, n, weights }).toEqual({ spec, n, weights: recomputesWeights(spec, n) });
        expect({ spec, n, settled: coordinate && (isReduced || weights) }).toEqual({
          spec,
          n,
          settled: settledOnChain(spec, n),
        });
        const isStated = guaranteeOf(spec, n) === 'settled on chain';
        expect(settledOnChain(spec, n)).toBe(isStated && !OTHER_SPELLINGS.includes(spec));
        compared += 1;
      }
    }
    expect(compared).toBeGreaterThan(300);
  });
});
