import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { verify } from '../../client/auditor/verify.ts';
import { createFileBlobStore } from '../../coordinator/blobs/file-blob-store.ts';
import type { Hex } from '../../shared/bytes.ts';
import { decodeDocument } from '../../shared/round/document.ts';
import { stalenessDiscount } from '../../shared/round/staleness.ts';
import { deferred } from '../client/deferred.ts';
import { PARTICIPANTS } from './crash-job.ts';
import { type Federation, openFederation, runClients } from './federation.ts';
import { startSound } from './scenario.ts';

const ROUNDS = 5;
const SLOW = 0;

let federation: Federation;

beforeAll(async () => {
  federation = await openFederation(ROUNDS, 1, undefined, (draft) => ({
    ...draft,
    aggregation: { ...draft.aggregation, rule: { rule: 'Average', pre: [], f: 0, params: {} } },
    participation: { ...draft.participation, quorum: 2, buffer: { size: 2, maxStaleness: 3 } },
  }));
}, 60_000);

afterAll(() => federation?.close());

it('a buffered job on a real chain takes what a slow client learnt from an old model, counts it less, and is verified', async () => {
  const scene = await federation.freshScene();
  await using coordinator = await startSound(federation, scene);
  const { ledger, terms } = federation;
  const delivered = deferred<void>();
  const trainings = new Map<number, number>();
  const beforeTraining = async (index: number): Promise<void> => {
    const count = (trainings.get(index) ?? 0) + 1;
    trainings.set(index, count);
    // The slow one is at its first training for two whole rounds; the third cannot close without it.
    if (index === SLOW && count === 1) while ((await ledger.latestRound()) < 2) await delay(20);
    if (index !== SLOW && count === 3) await delivered.promise;
  };
  const onTold = (index: number, message: string): void => {
    if (index === SLOW && message === 'update accepted') delivered.resolve();
  };
  const controller = new AbortController();
  const port = Number(new URL(coordinator.url).port);
  const outcomes = await runClients(federation, scene, [0, 1, 2], port, {
    ...{ signal: controller.signal, beforeTraining, onTold },
  });
  expect(outcomes.map(({ kind }) => kind)).toEqual(['closed', 'closed', 'closed']);

  const records = (await ledger.records()).map(({ record }) => record);
  const models = [terms.manifest.initialModelRoot, ...records.map(({ modelRoot }) => modelRoot)];
  const blobs = await createFileBlobStore(`${scene.job}/blobs`);
  const documents = await Promise.all(
    records.map(async ({ location }) => decodeDocument((await blobs.get(location)) as Uint8Array)),
  );
  const slow = PARTICIPANTS[SLOW]?.signer.address as Hex;
  const row = (documents[2]?.contributions ?? []).findIndex(({ participant }) => participant === slow);
  // The first update of the slow one is in round 3, and was trained from the model before round 1: two rounds old.
  expect(
    documents.slice(0, 2).flatMap(({ contributions }) => contributions.map((one) => one.participant)),
  ).not.toContain(slow);
  expect(documents[2]?.contributions[row]?.parentRoot).toBe(models[0]);
  const expected = (2 ** 30 * stalenessDiscount(2)) / 2 ** 21;
  expect(Math.abs((documents[2]?.weights?.[row] ?? 0) - expected)).toBeLessThanOrEqual(1);
  expect(documents.map(({ contributions }) => contributions.length)).toEqual([2, 2, 2, 2, 2]);

  const { rpcUrl, contracts } = federation;
  const place = { rpc: rpcUrl, job: contracts.anchor, vault: contracts.vault, blobs: `${scene.job}/blobs` };
  const report = await verify(place, () => {});
  expect(report.rounds.map(({ holds, divergence }) => divergence ?? holds)).toEqual(Array(ROUNDS).fill(true));
  expect(report.holds).toBe(true);
});
