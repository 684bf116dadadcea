import { setTimeout as delay } from 'node:timers/promises';
import { createRoundAuditor } from '../../client/auditor/round-auditor.ts';
import { createWallet, recoverAddress } from '../../contracts/wallet.ts';
import type { AggregationEngine } from '../../shared/aggregation/engine.ts';
import { type Hex, toHex } from '../../shared/bytes.ts';
import { byParticipant, updateDigest } from '../../shared/commitments/contribution.ts';
import { TREE } from '../../shared/commitments/merkle-tree.ts';
import { genesisHead, nextHead, recordHash } from '../../shared/commitments/record.ts';
import { blockRoot, updateTree, vectorBytes } from '../../shared/commitments/vector-trees.ts';
import { layoutOf } from '../../shared/fixed-point/layout.ts';
import { largestMagnitude } from '../../shared/fixed-point/update.ts';
import { nextUpdateBits } from '../../shared/fixed-point/update-bits.ts';
import { jobTerms } from '../../shared/round/job-terms.ts';
import { parseManifest } from '../../shared/round/manifest.ts';
import { seedChain } from '../../shared/round/plan.ts';
import { type RoundOutcome, type RoundParent, transition } from '../../shared/round/transition.ts';
import { updateSource } from './aggregation-input.ts';
import { BenchError } from './bench-error.ts';
import { benchKey } from './bench-job.ts';
import type { BenchReport, Progress } from './report.ts';
import { median } from './statistics.ts';
import { milliseconds, multiple, renderTable } from './table.ts';

/** What `bench watch` is run with. */
export interface WatchBenchOptions {
  /** Participants. */
  readonly n: number;
  /** Parameters of the model. */
  readonly d: number;
  /** Rounds, of which the median counts, after one that only warms up. */
  readonly repeats: number;
  /** What the link to the coordinator carries, in megabytes (10^6) a second; 0 for no limit. */
  readonly link: number;
}

/** One round, in milliseconds. */
interface WatchTimes {
  /** Trees of the updates, each held to the root that was signed. */
  readonly hashingMs: number;
  /** The round function over updates in memory. */
  readonly aggregationMs: number;
  /** What the watcher took from the record to the verdict. */
  readonly watcherMs: number;
  /** What its downloads alone take, one after the other. */
  readonly downloadMs: number;
}

const CHAIN_ID = 31337n;
const ANCHOR: Hex = `0x${'a1'.repeat(20)}`;
/** The bar: a watcher costs little beyond what nobody who recomputes can be without. */
const BAR = 1.2;

/**
 * Measures what a watcher takes for a round beyond its downloads, against hashing the updates and applying the round
 * function: signatures, magnitudes, documents, comparisons are all that may come on top.
 *
 * @throws BenchError `bench/does-not-hold` if the watcher finds a round not to hold: then it was not the same work
 */
export async function benchWatch(
  engine: AggregationEngine,
  { n, d, repeats, link }: WatchBenchOptions,
  progress: Progress,
): Promise<BenchReport> {
  const tensors = [{ name: 'weights', shape: [d], fractionBits: 24, preScaleBits: 0 }];
  const { dimension } = layoutOf(tensors);
  const seeds = seedChain(new Uint8Array(32).fill(5), repeats + 3);
  const f = Math.floor((n - 1) / 4);
  const model = new Int32Array(dimension);
  const terms = jobTerms(
    parseManifest({
      ...{ version: 1, name: 'benchmark', tensors, rounds: repeats + 1, initialUpdateBits: 16, retentionS: 0 },
      task: { kind: 'none', architecture: null, training: null, data: null },
      aggregation: {
        rule: { rule: 'TrMean', pre: [], f, params: {} },
        sampleCap: 1_000_000,
        serverStep: { name: 'FedAvg', learningRate: 2 ** 16 },
      },
      participation: { admission: 'open', expected: n, quorum: n, deadlineMs: 60_000, retries: 0 },
      rewards: { pricePerRound: String(10n ** 18n), score: 'confirmation' },
      ...{ chain: { windowTicks: 1 }, disclosure: 'public' },
      ...{ initialModelRoot: blockRoot(TREE.model, model), seedCommitment: seeds[0] },
    }),
  );
  const { job, manifest } = terms;
  const domain = { chainId: CHAIN_ID, anchor: ANCHOR };
  const facts = {
    ...{ ...domain, job, manifestHash: job, fixedPlanHash: terms.fixedPlanHash },
    ...{ tensorTableRoot: terms.tensorTableRoot, genesisModelRoot: manifest.initialModelRoot },
    ...{ pricePerRound: 10n ** 18n, maxRounds: manifest.rounds, windowTicks: 1 },
  };
  const signers = Array.from({ length: n }, (_, index) => createWallet(benchKey('watch', index))).sort((a, b) =>
    byParticipant({ participant: a.address }, { participant: b.address }),
  );
  const blobs = new Map<Hex, Uint8Array>([
    [job, terms.manifestBytes],
    [manifest.initialModelRoot, vectorBytes(model)],
  ]);
  let asked: Hex[] = [];
  const get = async (id: Hex): Promise<Uint8Array> => {
    const bytes = blobs.get(id);
    if (bytes === undefined) throw new BenchError('bench/does-not-hold', `there is no blob ${id}`, { id });
    // As off a network: in its time, and bytes of one's own.
    if (link > 0) await delay(bytes.length / (link * 1000));
    return Uint8Array.from(bytes);
  };
  await using auditor = createRoundAuditor({
    ...{ facts, engine, recover: recoverAddress },
    blobs: {
      get: (id) => {
        asked.push(id);
        return get(id);
      },
    },
  });
  await auditor.origin();

  const source = updateSource(n, f, 1);
  const rows = engine.allocate(n, dimension);
  let parent: RoundParent = { model, modelRoot: manifest.initialModelRoot, serverState: null, rewards: [] };
  let updateBits = manifest.initialUpdateBits;
  let head = genesisHead(facts);
  const times: WatchTimes[] = [];
  for (let round = 1; round <= repeats + 1; round++) {
    progress(`round ${round} of ${repeats + 1}: ${n} updates of ${d}`);
    const plan = { round, attempt: 0, parentRoot: parent.modelRoot, updateBits, seedIndex: round };
    for (const [index, row] of rows.rows.entries()) source.fill(index, 0, row.subarray(0, d));
    const updates = rows.rows.map((row) => Uint8Array.from(vectorBytes(row)));
    const contributions = updates.map((bytes, index) => {
      const { address: participant, signDigest } = signers[index] as (typeof signers)[number];
      const stated = {
        updateRoot: toHex(updateTree(bytes).root),
        samples: 100,
        largestMagnitude: largestMagnitude(rows.rows[index] as Int16Array),
        datasetCommitment: job,
      };
      blobs.set(stated.updateRoot, bytes);
      const statement = { job, round, attempt: 0, parentRoot: parent.modelRoot, ...stated };
      return { participant, signature: signDigest(updateDigest(domain, statement)), ...stated };
    });

    const hashingAt = performance.now();
    for (const bytes of updates) updateTree(bytes);
    const hashingMs = performance.now() - hashingAt;
    const aggregationAt = performance.now();
    const revealed = { ...plan, seed: seeds[round] as Hex };
    const outcome: RoundOutcome = await transition(terms, parent, revealed, { contributions, rows }, engine);
    const aggregationMs = performance.now() - aggregationAt;
    const { record } = outcome;
    blobs.set(record.location, outcome.document);
    blobs.set(record.modelRoot, Uint8Array.from(vectorBytes(outcome.model)));
    blobs.set(record.aggregateRoot, Uint8Array.from(vectorBytes(outcome.aggregate)));
    head = nextHead(head, recordHash(record));

    asked = [];
    const startedAt = performance.now();
    const { verdict } = await auditor.next({ record, head });
    const watcherMs = performance.now() - startedAt;
    const downloadsAt = performance.now();
    for (const id of asked.splice(0)) await get(id);
    const downloadMs = performance.now() - downloadsAt;
    if (!verdict.holds) {
      const { divergence } = verdict;
      throw new BenchError('bench/does-not-hold', `round ${round} does not hold: ${divergence?.what}`, { round });
    }
    if (round > 1) times.push({ hashingMs, aggregationMs, watcherMs, downloadMs });
    const magnitudes = contributions.map(({ largestMagnitude: largest }) => largest);
    updateBits = nextUpdateBits(updateBits, magnitudes);
    for (const { updateRoot } of contributions) blobs.delete(updateRoot);
    parent = { model: outcome.model, modelRoot: record.modelRoot, serverState: null, rewards: outcome.rewards };
  }
  return watchReport({ n, d, repeats, link, threads: engine.threads }, times);
}

/** The table and what is behind it. */
function watchReport(
  options: WatchBenchOptions & { readonly threads: number },
  times: readonly WatchTimes[],
): BenchReport {
  const hashingMs = median(times.map((each) => each.hashingMs));
  const aggregationMs = median(times.map((each) => each.aggregationMs));
  const downloadMs = median(times.map((each) => each.downloadMs));
  const beyondMs = median(times.map((each) => each.watcherMs - each.downloadMs));
  const ratio = median(times.map((each) => (each.watcherMs - each.downloadMs) / (each.hashingMs + each.aggregationMs)));
  const cells = [hashingMs, aggregationMs, downloadMs, beyondMs].map(milliseconds);
  const table = renderTable(
    ['n', 'd', 'hashing', 'aggregation', 'download', 'beyond it', 'ratio'],
    [[String(options.n), String(options.d), ...cells, multiple(ratio)]],
  );
  const text = [
    table,
    '',
    'hashing      trees of the updates, which nobody who trusts no download can be without',
    'aggregation  the round function: rule, inner products, trees, server step',
    `download     everything the watcher fetches for a round, one after the other, ${options.link === 0 ? 'from memory' : `at ${options.link} MB/s`}`,
    'beyond it    what the watcher takes for a round longer than that: it verifies one update while the next is on its way',
    `bar          ${multiple(BAR)} of hashing and aggregation`,
  ].join('\n');
  return { text, document: { ...options, hashingMs, aggregationMs, downloadMs, beyondMs, ratio, times } };
}
