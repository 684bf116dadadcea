import { join } from 'node:path';
import { createWallet } from '../../contracts/wallet.ts';
import { benchKey } from './bench-job.ts';
import { createPutLane, type PutLane } from './http-put.ts';
import { type IngestRow, ingestReport } from './ingest-report.ts';
import { inLanes } from './lanes.ts';
import { levelGround } from './level-ground.ts';
import { measureLimits } from './limits.ts';
import type { IngestOptions } from './options.ts';
import { connectParty, type Party, type Venue } from './party.ts';
import type { BenchReport, Progress } from './report.ts';
import { inFolder, onStage, type Stage } from './stage.ts';
import { type BenchUpdate, type UpdateFamily, updateFamily } from './updates.ts';
import { startWorker, type WorkerProcess } from './workers/worker-process.ts';

/** One repeat on the coordinator, in milliseconds. */
interface IngestTimes {
  readonly uploadMs: number;
  readonly submitMs: number;
}

/**
 * Measures how fast updates come in: offers and verified parts on a coordinator process, against PUTs of the same bodies
 * over as many connections on a bare server process, one after the other in each repeat and each first in turn.
 */
export function benchIngest(entry: string, options: IngestOptions, progress: Progress): Promise<BenchReport> {
  const parameters = Math.ceil(options.bytes / 2);
  const job = { parameters, rounds: 1, rule: 'Average', f: 0, expected: 1, quorum: 1 };
  return inFolder(async (folder) => {
    progress('measuring what this machine can do at most');
    const limits = await measureLimits(folder);
    await using bare = startWorker(entry, 'bare');
    const bareUrl = await bare.call<string>('start', join(folder, 'bare'));
    return await onStage(entry, job, join(folder, 'stage'), async (stage) => {
      const rows: IngestRow[] = [];
      await using bench = await createIngestBench(stage, { bare, bareUrl, folder }, options);
      for (const clients of options.clients) {
        const row: IngestRow = { clients, bytes: 0, bareMs: [], uploadMs: [], submitMs: [] };
        for (let repeat = 0; repeat <= options.repeats; repeat++) {
          progress(`${clients} clients: ${repeat === 0 ? 'warming up' : `repeat ${repeat} of ${options.repeats}`}`);
          const { bytes, bareMs, uploadMs, submitMs } = await bench.repeat(clients);
          row.bytes = bytes;
          if (repeat === 0) continue;
          row.bareMs.push(bareMs);
          row.uploadMs.push(uploadMs);
          row.submitMs.push(submitMs);
        }
        rows.push(row);
      }
      return ingestReport(options, limits, rows);
    });
  });
}

/** One repeat: first the bare server, then the coordinator, with the same updates. */
async function createIngestBench(
  stage: Stage,
  { bare, bareUrl, folder }: { readonly bare: WorkerProcess; readonly bareUrl: string; readonly folder: string },
  options: IngestOptions,
) {
  const { job, url } = stage;
  const { layout } = job.job.terms;
  const venue: Venue = { url, job: job.job.terms.job, coordinator: job.coordinator.address, domain: job.domain };
  const family: UpdateFamily = updateFamily(layout.dimension, layout.parameters, 1);
  let made = 0;
  let isBareFirst = false;
  // The round waits for this one alone, which never answers: it stays open for all the others.
  const keeper = await connectParty(venue, createWallet(benchKey('keeper')));
  await keeper.join();

  const repeat = async (clients: number) => {
    const count = Math.max(clients, Math.ceil(options.totalBytes / options.bytes));
    const updates = Array.from({ length: count }, () => family(made++));
    const bytes = updates.reduce((sum, { byteLength }) => sum + byteLength, 0);
    const lanes = Array.from({ length: clients }, createPutLane);
    try {
      const level = () => levelGround(folder, bytes);
      const onBare = async (): Promise<{ readonly bareMs: number }> => {
        await level();
        const bareMs = await inLanes(updates, lanes, (update, lane) => putAll(bareUrl, update, lane));
        await bare.call('clear');
        return { bareMs };
      };
      const onOther = () => onCoordinator(venue, updates, lanes, made - count, level);
      // Whatever one leaves for the other all the same evens out over the repeats.
      isBareFirst = !isBareFirst;
      if (isBareFirst) return { bytes, ...(await onBare()), ...(await onOther()) };
      return { bytes, ...(await onOther()), ...(await onBare()) };
    } finally {
      for (const lane of lanes) lane.close();
    }
  };
  return { repeat, [Symbol.asyncDispose]: async () => keeper.close() };
}

async function putAll(url: string, update: BenchUpdate, lane: PutLane): Promise<void> {
  for (const part of update.partRoots.keys()) await lane.put(`${url}/${update.updateRoot}/${part}`, update.part(part));
}

async function onCoordinator(
  venue: Venue,
  updates: readonly BenchUpdate[],
  lanes: readonly PutLane[],
  firstKey: number,
  level: () => Promise<void>,
): Promise<IngestTimes> {
  const parties: Party[] = [];
  await inLanes([...updates.keys()], lanes, async (index) => {
    parties[index] = await connectParty(venue, createWallet(benchKey('uploader', firstKey + index)));
  });
  try {
    const { plan } = await (parties[0] as Party).state();
    if (!plan) throw new Error('the round is not open');
    const work = [...updates.entries()];
    await level();
    const uploadMs = await inLanes(work, lanes, ([index, update], lane) =>
      (parties[index] as Party).upload(plan, update, lane),
    );
    const submitMs = await inLanes(work, lanes, ([index, update]) => (parties[index] as Party).submit(plan, update));
    return { uploadMs, submitMs };
  } finally {
    for (const party of parties) party.close();
  }
}
