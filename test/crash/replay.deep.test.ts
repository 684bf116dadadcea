import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createFileBlobStore } from '../../coordinator/blobs/file-blob-store.ts';
import { createUploadStore } from '../../coordinator/blobs/upload-store.ts';
import type { JobEvent } from '../../coordinator/round/events.ts';
import { startJobRunner } from '../../coordinator/runner.ts';
import { openLmdbStores } from '../../coordinator/stores/lmdb-store.ts';
import { recordToJson } from '../../shared/commitments/record.ts';
import { roundRecord } from '../contracts/harness.ts';
import { createFileEngine } from '../coordinator/file-engine.ts';
import {
  COORDINATOR,
  createQuietLog,
  DOMAIN,
  hash,
  signStatement,
  statementOf,
  temporaryFolder,
  testJob,
  updateOf,
  WALLETS,
} from '../coordinator/fixture.ts';
import { publish } from './matrix-document.ts';

const ROUNDS = 10_000;
const EVENTS = 100_000;

/** A log of ten thousand rounds as a coordinator would write it: four updates and reports, a record, its anchoring. */
function longLog(job: ReturnType<typeof testJob>): JobEvent[] {
  const plan = { round: 1, attempt: 0, parentRoot: job.terms.manifest.initialModelRoot };
  const samples = WALLETS.map((signer) => {
    const statement = statementOf(job.terms, plan, updateOf(job.terms, signer.address, plan));
    return { participant: signer.address, statement, signature: signStatement(signer, statement) };
  });
  const events: JobEvent[] = samples.map(({ participant }) => ({ type: 'participantJoined', at: 0, participant }));
  let parentRoot = job.terms.manifest.initialModelRoot;
  for (let round = 1; round <= ROUNDS; round++) {
    const record = roundRecord(round, { job: job.terms.job, parentModelRoot: parentRoot });
    for (const { participant, statement, signature } of samples) {
      const { updateRoot } = statement;
      const verdict = { verdict: 'accepted', code: '' } as const;
      const receipt = { job: job.terms.job, round, attempt: 0, participant, updateRoot, ...verdict, signature };
      events.push({
        type: 'updateAccepted',
        at: round,
        participant,
        statement: { ...statement, round },
        signature,
        receipt,
      });
      const counts = { correct: 3, total: 10, lossSum: 12.5, constantCorrect: 1 };
      events.push({
        type: 'metricsReported',
        at: round,
        participant,
        round: round - 1,
        modelRoot: parentRoot,
        ...counts,
      });
    }
    const numbers = {
      scores: ['1', '2', '3', '4'],
      earned: ['1', '2', '3', '4'],
      aggregationMs: 1,
      closeMs: 2,
      saturated: 0,
    };
    events.push({ type: 'roundAggregated', at: round, record: recordToJson(record), ...numbers });
    const receipt = { transactionHash: hash(`sent ${round}`), blockNumber: round, gasUsed: '70000' };
    events.push({ type: 'roundAnchored', at: round, round, attempt: 0, ...receipt });
    parentRoot = record.modelRoot;
  }
  return events.slice(0, EVENTS);
}

it('a log of a hundred thousand events is replayed in the time that is written down', async () => {
  const job = testJob({ rounds: ROUNDS + 1 });
  const folder = await temporaryFolder();
  await mkdir(join(folder, 'store'), { recursive: true });
  const events = longLog(job);
  const before = openLmdbStores(join(folder, 'store'));
  for (let at = 0; at < events.length; at += 1000) await before.events.append(events.slice(at, at + 1000));
  await before.close();
  const { size } = await stat(join(folder, 'store', 'data.mdb'));

  const stores = openLmdbStores(join(folder, 'store'));
  const controller = new AbortController();
  const startedAt = performance.now();
  const runner = await startJobRunner({
    ...{ terms: job.terms, seeds: job.seeds, domain: DOMAIN, signer: COORDINATOR, events: stores.events },
    ...{ blobs: await createFileBlobStore(join(folder, 'blobs')), uploads: createUploadStore(join(folder, 'uploads')) },
    engine: createFileEngine(),
    ...{ anchor: () => Promise.reject(new Error('nothing is anchored')), now: () => EVENTS, log: createQuietLog() },
    signal: controller.signal,
  });
  const seconds = (performance.now() - startedAt) / 1000;
  expect(runner.history).toHaveLength(EVENTS + 1);
  expect(runner.state.progress.rounds).toBe(events.filter(({ type }) => type === 'roundAnchored').length);
  controller.abort();
  await runner.stopped();
  await stores.close();
  const cells = [`${(size / 2 ** 20).toFixed(0)} MiB`, `${seconds.toFixed(1)} s`];
  await publish(
    'replay',
    ['events', 'size of the log', 'from opening it to the running loop'],
    [{ injected: EVENTS.toLocaleString('en'), cells }],
  );
}, 300_000);
