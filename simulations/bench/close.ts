import { join } from 'node:path';
import { createWallet } from '../../contracts/wallet.ts';
import type { JobEvent } from '../../coordinator/round/events.ts';
import type { AggregationEngine } from '../../shared/aggregation/engine.ts';
import type { Hex } from '../../shared/bytes.ts';
import type { RoundPlan } from '../../shared/round/plan.ts';
import { benchKey } from './bench-job.ts';
import { type CloseRow, closeReport } from './close-report.ts';
import { createPutLane } from './http-put.ts';
import { createKernel } from './kernel.ts';
import { inLanes } from './lanes.ts';
import { type MachineLimits, measureLimits } from './limits.ts';
import type { CloseOptions } from './options.ts';
import { connectParty, type Party, type Venue, watchEvents } from './party.ts';
import type { BenchReport, Progress } from './report.ts';
import { inFolder, onStage, type Stage } from './stage.ts';
import { type BenchUpdate, updateFamily } from './updates.ts';

/** How one round closed, in milliseconds since its last submission was sent. */
interface Closing {
  readonly acceptedMs: number;
  readonly storedMs: number;
  readonly anchoredMs: number;
  readonly fetchedMs: number;
  readonly closeMs: number;
  readonly aggregationMs: number;
  readonly modelRoot: Hex;
}

/**
 * Measures how long a round takes to close: from the last byte of the last update being there to the next model being
 * stored, announced and fetched. Between two rounds the round function alone is applied to the same updates.
 */
export function benchClose(
  entry: string,
  options: CloseOptions,
  engine: AggregationEngine,
  progress: Progress,
): Promise<BenchReport> {
  return inFolder(async (folder) => {
    const limits: MachineLimits = await measureLimits(folder);
    const rows: CloseRow[] = [];
    for (const n of options.n) {
      for (const d of options.d) {
        const rounds = options.repeats + 1;
        // TrMean with a fifth of the participants faulty: what a federation that trusts nobody would run.
        const job = { parameters: d, rounds, rule: 'TrMean', f: Math.floor(n / 5), expected: n, quorum: n };
        const stageFolder = join(folder, `${n}-${d}`);
        rows.push(
          await onStage(entry, job, stageFolder, (stage) =>
            closeRounds(stage, n, rounds, engine, (round) =>
              progress(
                `n = ${n}, d = ${d}: ${round === 1 ? 'warming up' : `round ${round - 1} of ${options.repeats}`}`,
              ),
            ),
          ),
        );
      }
    }
    return closeReport(options, limits, rows);
  });
}

async function closeRounds(
  { job, url }: Stage,
  n: number,
  rounds: number,
  engine: AggregationEngine,
  onRound: (round: number) => void,
): Promise<CloseRow> {
  const { terms } = job.job;
  const venue: Venue = { url, job: terms.job, coordinator: job.coordinator.address, domain: job.domain };
  const signers = Array.from({ length: n }, (_, index) => createWallet(benchKey('participant', index)));
  signers.sort((one, other) => (one.address < other.address ? -1 : 1));
  const families = signers.map((_, seed) => updateFamily(terms.layout.dimension, terms.layout.parameters, seed));
  const kernel = createKernel(job, engine);
  const events = createEventWaiter();
  const unwatch = await watchEvents(venue, job.coordinator, events.take);
  const parties = await Promise.all(signers.map((signer) => connectParty(venue, signer)));
  const row: CloseRow = { n, d: terms.layout.parameters, closings: [], kernels: [] };
  try {
    for (const party of parties) await party.join();
    for (let round = 1; round <= rounds; round++) {
      onRound(round);
      const { plan } = await (parties[0] as Party).state();
      if (!plan) throw new Error('no round is open');
      const updates = families.map((family) => family(round));
      const closing = await closeOnce(venue, parties, updates, plan, events);
      const alone = await kernel(plan, signers, updates, closing.modelRoot);
      if (round === 1) continue;
      row.closings.push(closing);
      row.kernels.push(alone);
    }
    return row;
  } finally {
    unwatch();
    for (const party of parties) party.close();
  }
}

/** Brings a round to the point where only the last submission is missing, then measures. */
async function closeOnce(
  venue: Venue,
  parties: readonly Party[],
  updates: readonly BenchUpdate[],
  plan: RoundPlan,
  events: EventWaiter,
): Promise<Closing> {
  const lane = createPutLane();
  const work = [...parties.entries()];
  await inLanes(work, [lane], ([index, party]) => party.upload(plan, updates[index] as BenchUpdate, lane));
  lane.close();
  for (const [index, party] of work.slice(0, -1)) await party.submit(plan, updates[index] as BenchUpdate);

  const last = parties.length - 1;
  const stored = events.next('roundAggregated');
  const anchored = events.next('roundAnchored');
  const startedAt = performance.now();
  await (parties[last] as Party).submit(plan, updates[last] as BenchUpdate);
  const acceptedMs = performance.now() - startedAt;
  const { event, at: storedAt } = await stored;
  const { at: anchoredAt } = await anchored;
  const modelRoot = event.record.modelRoot as Hex;
  const fetchedFrom = performance.now();
  await (await fetch(`${venue.url}/jobs/${venue.job}/blobs/${modelRoot}`)).arrayBuffer();
  const fetchedMs = anchoredAt - startedAt + performance.now() - fetchedFrom;
  const { closeMs, aggregationMs } = event;
  const [storedMs, anchoredMs] = [storedAt - startedAt, anchoredAt - startedAt];
  return { acceptedMs, storedMs, anchoredMs, fetchedMs, closeMs, aggregationMs, modelRoot };
}

type EventOf<Type extends JobEvent['type']> = Extract<JobEvent, { readonly type: Type }>;

interface EventWaiter {
  take(event: JobEvent): void;
  /** The next event of a type, and when it came. */
  next<Type extends JobEvent['type']>(type: Type): Promise<{ readonly event: EventOf<Type>; readonly at: number }>;
}

function createEventWaiter(): EventWaiter {
  const waiting = new Map<JobEvent['type'], (event: JobEvent) => void>();
  return {
    take: (event) => {
      const wake = waiting.get(event.type);
      waiting.delete(event.type);
      wake?.(event);
    },
    next: <Type extends JobEvent['type']>(type: Type) =>
      new Promise((resolve) => {
        waiting.set(type, (event) => resolve({ event: event as never, at: performance.now() }));
      }),
  };
}
