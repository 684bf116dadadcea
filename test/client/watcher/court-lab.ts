import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDispute } from '../../../client/watcher/open-dispute.ts';
import { positionOf } from '../../../client/watcher/published-round.ts';
import { type WatchOptions, type WatchOutcome, watch } from '../../../client/watcher/watch.ts';
import type { WatchEvent } from '../../../client/watcher/watch-event.ts';
import { rebuildCase } from '../../../contracts/court/case-file.ts';
import { type Court, connectCourt } from '../../../contracts/court/court.ts';
import { createCourtWriter } from '../../../contracts/court/court-writer.ts';
import { createLedgerWriter, type LedgerWriter } from '../../../contracts/ledger/ledger-writer.ts';
import type { Signer } from '../../../contracts/wallet.ts';
import { parseRuleSpec } from '../../../shared/aggregation/registry.ts';
import { createScalarEngine } from '../../../shared/aggregation/scalar-engine.ts';
import type { Hex } from '../../../shared/bytes.ts';
import { int16Vector, int32Vector } from '../../../shared/commitments/vector-trees.ts';
import { BLOCK } from '../../../shared/fixed-point/constants.ts';
import { buildAnswer } from '../../../shared/openings/answer.ts';
import { openGramEntry } from '../../../shared/openings/gram-moves.ts';
import { memoryBlocks, type RoundPosition, type RoundView } from '../../../shared/openings/round-view.ts';
import type { Subject } from '../../../shared/openings/subject.ts';
import type { CourtTerms } from '../../../shared/round/court-terms.ts';
import { decodeDocument } from '../../../shared/round/document.ts';
import { openUpdateBlocks } from '../../../shared/runtime/update-blocks.ts';
import { COURT, type CourtWorld, openCourtWorld } from '../../contracts/court-fixture.ts';
import { startTestChain, type TestChain } from '../../contracts/harness.ts';
import { createHistory, type History, type HistoryOptions, memoryBlobs, signers } from '../auditor/history.ts';
import { type Deferred, deferred } from '../deferred.ts';

/** How a lab is set up. */
export interface LabOptions {
  /** Members of the manifest to replace. */
  readonly replace?: Readonly<Record<string, unknown>>;
  /** Changes of the court's terms. */
  readonly court?: Partial<CourtTerms>;
}

/** A watcher under test. */
export interface Watched {
  /** What it told. */
  readonly events: readonly WatchEvent[];
  /** Resolves with the first event that fits, past or to come. */
  told<Name extends WatchEvent['event']>(
    name: Name,
    fits?: (event: Extract<WatchEvent, { event: Name }>) => boolean,
  ): Promise<Extract<WatchEvent, { event: Name }>>;
  /** How it ended. */
  readonly ended: Promise<WatchOutcome>;
  /** Tells it to stop and waits. */
  stop(): Promise<WatchOutcome>;
}

/** A job with a court on a real chain, whose coordinator anchors whatever a test has made. */
export interface CourtLab {
  readonly chain: TestChain;
  readonly world: CourtWorld;
  /** Everything published; a test may take things away. */
  readonly blobs: Map<Hex, Uint8Array>;
  /** Runs the job in memory, as often as a test needs other rounds; publishes it all. */
  history(options?: HistoryOptions): Promise<History>;
  /** Anchors rounds of a history. */
  anchor(history: History, from: number, to: number): Promise<void>;
  readonly coordinator: LedgerWriter;
  /** Starts a watcher, by default as the fixture's challenger. */
  watch(changes?: Partial<WatchOptions>): Watched;
  /** Moves the chain's clock on. */
  pass(seconds: number): Promise<void>;
  /** The court, for reading. */
  court(): Promise<Court>;
  /** A folder of its own for a watcher that shares nothing with the others. */
  folder(): Promise<string>;
  /** The coordinator's first move in a dispute over the Gram matrix: sums that add up to its lie. */
  defendGram(id: bigint, history: History): Promise<void>;
  /** Opens a dispute by hand, as the fixture's challenger. */
  challenge(round: number, subject: Subject): Promise<bigint>;
  /** The coordinator's answer. */
  answer(id: bigint, history: History): Promise<void>;
  /** What the StakeManager holds beyond what it owes to anybody: nothing, always. */
  surplus(): Promise<bigint>;
  close(): Promise<void>;
}

const RULE = (rule: string, f: number) => ({
  // The contracts know parameters by their canonical text: all are spelt out.
  rule: parseRuleSpec({ rule, f }),
  sampleCap: 102,
  serverStep: { name: 'FedAvg', learningRate: 65_536 },
});

/** Terms of a job that the lab can run, by a rule. */
export function ruled(rule: string, f: number): Readonly<Record<string, unknown>> {
  return { aggregation: RULE(rule, f) };
}

/** Opens a lab on a chain of its own. */
export async function openCourtLab(options: LabOptions = {}): Promise<CourtLab> {
  const chain = await startTestChain();
  const folder = await mkdtemp(join(tmpdir(), 'fedanchor-watch-'));
  const court = { ...COURT, ...options.court };
  const replace = {
    ...ruled('TrMean', 1),
    rewards: { pricePerRound: '100', score: 'confirmation' },
    chain: { windowTicks: 100 },
    ...{ court, ...options.replace },
  };
  const { terms, facts } = await createHistory({ rounds: 0, replace });
  const world = await openCourtWorld(chain, {
    court,
    blocks: terms.layout.dimension / BLOCK,
    participants: signers,
    job: {
      job: terms.job,
      manifestHash: terms.job,
      fixedPlanHash: terms.fixedPlanHash,
      tensorTableRoot: terms.tensorTableRoot,
      genesisModelRoot: facts.genesisModelRoot,
      pricePerRound: facts.pricePerRound,
      maxRounds: facts.maxRounds,
      windowTicks: facts.windowTicks,
    },
  });
  // The anchor's clock ticks every 16 seconds: who staked within the tick of a round came too late for it.
  await chain.chain.increaseTime(32);
  const blobs = new Map<Hex, Uint8Array>();
  const coordinator = createLedgerWriter(await world.outboxOf(world.coordinator), world.job);
  const stops: (() => Promise<unknown>)[] = [];
  const { disputes, stakes, token } = world.job;
  const openCourt = () => connectCourt({ rpc: chain.rpc, disputes });
  const writerOf = async (signer: Signer) =>
    createCourtWriter(await world.outboxOf(signer), { disputes, stakes, token });
  const caseOf = async (id: bigint, { facts, records }: History) => {
    const reader = await openCourt();
    const [opened, dispute] = [(await reader.opened(0)).find((each) => each.id === id), await reader.disputeOf(id)];
    if (opened === undefined || dispute === undefined) throw new Error(`there is no dispute ${id}`);
    const position = positionOf(facts, terms, records, opened.round);
    const caseFile = rebuildCase(opened, dispute, position);
    if (caseFile === undefined) throw new Error('the case is another one');
    return { caseFile, position, round: opened.round };
  };
  const viewOf = (history: History, position: RoundPosition, round: number): RoundView => {
    const outcome = history.outcomes[round - 1];
    if (outcome === undefined) throw new Error('there is no such round');
    const document = decodeDocument(outcome.document);
    const rows = document.contributions.map(({ updateRoot }) =>
      int16Vector(history.blobs.get(updateRoot) as Uint8Array),
    );
    const parent = history.outcomes[round - 2];
    const parentModel = int32Vector(history.blobs.get(outcome.record.parentModelRoot) as Uint8Array);
    const { model, aggregate } = outcome;
    return {
      ...{ ...position, document, parentRewards: parent?.rewards ?? [], updates: memoryBlocks(rows) },
      vector: async (name) => ({ parentModel, model, aggregate, parentState: null, state: null })[name],
    };
  };
  return {
    ...{ chain, world, blobs, coordinator },
    history: async (more = {}) => {
      const history = await createHistory({ ...more, replace, anchor: world.job.anchor });
      for (const [id, bytes] of history.blobs) blobs.set(id, bytes);
      return history;
    },
    anchor: async ({ records }, from, to) => {
      for (const { record } of records.slice(from - 1, to)) await coordinator.anchor(record);
    },
    watch: (changes = {}) => {
      const lifetime = new AbortController();
      const events: WatchEvent[] = [];
      const waiting: { readonly fits: (event: WatchEvent) => boolean; readonly found: Deferred<WatchEvent> }[] = [];
      const ended = watch({
        rpcUrls: [chain.chain.rpcUrl],
        anchor: world.job.anchor,
        openUpdates: openUpdateBlocks,
        openBlobs: () => memoryBlobs(blobs),
        ...{ signer: world.challenger as Signer, dryRun: false, stateDir: folder, engine: createScalarEngine() },
        pollMs: 20,
        emit: (event) => {
          events.push(event);
          for (const { fits, found } of waiting) if (fits(event)) found.resolve(event);
        },
        signal: lifetime.signal,
        ...changes,
      });
      ended.catch(() => undefined);
      const stop = (): Promise<WatchOutcome> => {
        lifetime.abort();
        return ended;
      };
      stops.push(() => stop().catch(() => undefined));
      return {
        ...{ events, ended, stop },
        told: async (name, fits = () => true) => {
          const matches = (event: WatchEvent): boolean => event.event === name && fits(event as never);
          const past = events.find(matches);
          if (past) return past as never;
          const found = deferred<WatchEvent>();
          waiting.push({ fits: matches, found });
          const failure = ended.then((outcome) => {
            throw new Error(`the watch ended (${JSON.stringify(outcome)}) before it told of ${name}`);
          });
          return (await Promise.race([found.promise, failure])) as never;
        },
      };
    },
    court: openCourt,
    folder: () => mkdtemp(join(folder, 'other-')),
    defendGram: async (id, history) => {
      const { caseFile, position, round } = await caseOf(id, history);
      const view = viewOf(history, position, round);
      if (caseFile.subject.kind !== 'gram') throw new Error('it is another kind of dispute');
      const { row, column } = caseFile.subject;
      const entry = await openGramEntry(view, { row, column });
      const lie = view.document.gram[row]?.[column] ?? 0n;
      const gap = lie - entry.sums.reduce((sum, part) => sum + part, 0n);
      const sums = entry.sums.map((sum, index) => (index === 1 ? sum + gap : sum));
      await (await writerOf(world.coordinator)).openEntry(caseFile, { ...entry, sums });
    },
    challenge: async (round, subject) => {
      const facts = await world.ledger.facts();
      const position = positionOf(facts, terms, await world.ledger.records(), round);
      const context = { court: await openCourt(), writer: await writerOf(world.challenger), emit: () => undefined };
      return openDispute(context, position, subject);
    },
    answer: async (id, history) => {
      const { caseFile, position, round } = await caseOf(id, history);
      if (caseFile.subject.kind === 'gram') throw new Error('it takes more than one answer');
      const answer = await buildAnswer(viewOf(history, position, round), caseFile.subject);
      await (await writerOf(world.coordinator)).answer(caseFile, answer);
    },
    pass: (seconds) => chain.chain.increaseTime(seconds),
    surplus: async () => {
      const { stakes, bonds, locked, pots, owed } = await world.stakes.totals();
      return (await world.balanceOf(world.job.stakes)) - (stakes + bonds + locked + pots + owed);
    },
    close: async () => {
      for (const stop of stops) await stop();
      await chain.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
