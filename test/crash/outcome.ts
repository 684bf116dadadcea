import { setMaxListeners } from 'node:events';
import { expect } from 'vitest';
import { audit } from '../../client/auditor/audit.ts';
import { createFolderBlobSource } from '../../client/auditor/folder-blob-source.ts';
import { createFileJournal } from '../../client/journal/file-journal.ts';
import { createLedgerWriter } from '../../contracts/ledger/ledger-writer.ts';
import { quantity } from '../../contracts/rpc.ts';
import { recoverAddress } from '../../contracts/wallet.ts';
import { createFileBlobStore } from '../../coordinator/blobs/file-blob-store.ts';
import type { JobEvent } from '../../coordinator/round/events.ts';
import { openLmdbStores } from '../../coordinator/stores/lmdb-store.ts';
import { toHex } from '../../shared/bytes.ts';
import type { SignedReceipt } from '../../shared/commitments/receipt.ts';
import type { RoundRecord } from '../../shared/commitments/record.ts';
import { rewardsTree } from '../../shared/commitments/rewards-tree.ts';
import { updateTree } from '../../shared/commitments/vector-trees.ts';
import { decodeDocument } from '../../shared/round/document.ts';
import { OPERATOR, PARTICIPANTS } from './crash-job.ts';
import { type Federation, openOutbox, type Scene } from './federation.ts';

/** Events of a job whose coordinator has ended. */
export async function readLog(scene: Scene): Promise<JobEvent[]> {
  const stores = openLmdbStores(`${scene.job}/store`);
  try {
    const log: JobEvent[] = [];
    for await (const event of stores.events.read()) log.push(event);
    return log;
  } finally {
    await stores.close();
  }
}

/** What a run comes to: the same for all runs of one job, whatever crashed in them. */
export interface Outcome {
  readonly records: readonly RoundRecord[];
  /** What each participant was paid in the end. */
  readonly paid: readonly bigint[];
}

/** Holds a run that has ended to everything that no crash may change, and has its rewards paid out. */
export async function settle(federation: Federation, scene: Scene): Promise<Outcome> {
  const { ledger, terms, rpc } = federation;
  const anchored = await ledger.records();
  const records = anchored.map(({ record }) => record);
  const { rounds } = terms.manifest;

  // Exactly one record a round, by exactly one transaction a round: not even a failed one was sent besides.
  expect(records.map(({ round }) => round)).toEqual(Array.from({ length: rounds }, (_, at) => at + 1));
  const sent = quantity(await rpc.call('eth_getTransactionCount', [OPERATOR.signer.address, 'latest']));
  expect(sent).toBe(rounds);

  await holdUpdates(scene, terms.job, records);

  // Somebody who trusts nothing but the chain recomputes it all from the coordinator's blobs.
  const blobs = createFolderBlobSource(`${scene.job}/blobs`);
  const facts = await ledger.facts();
  expect(await audit({ facts, records: anchored, blobs, recover: recoverAddress })).toMatchObject({ holds: true });
  return { records, paid: await claimTwice(federation, scene, records.at(-1) as RoundRecord) };
}

/** No accepted update is lost or counted twice: receipts, log, record and stored bytes name the same ones. */
async function holdUpdates(scene: Scene, job: SignedReceipt['job'], records: readonly RoundRecord[]): Promise<void> {
  const log = await readLog(scene);
  const accepted = log.flatMap((event) => (event.type === 'updateAccepted' ? [event] : []));
  const name = ({ participant, round, attempt, updateRoot }: SignedReceipt): string =>
    `${round}/${attempt} ${participant} ${updateRoot}`;
  const logged = accepted.map(({ receipt }) => name(receipt)).sort();
  expect(new Set(logged).size).toBe(logged.length);
  expect(log.filter(({ type }) => type === 'roundAnchored')).toHaveLength(records.length);

  const kept: SignedReceipt[] = [];
  for (const [index, { signer }] of PARTICIPANTS.entries()) {
    const sign = (): never => {
      throw new Error('nothing is signed here');
    };
    const journal = createFileJournal({ folder: scene.client(index), participant: signer.address, sign });
    kept.push(...(await journal.receipts(job)));
  }
  expect(kept.map(({ verdict }) => verdict)).toEqual(kept.map(() => 'accepted'));
  expect(kept.map(name).sort()).toEqual(logged);

  const blobs = await createFileBlobStore(`${scene.job}/blobs`);
  const counted: string[] = [];
  for (const { round, attempt, location } of records) {
    for (const { participant, updateRoot } of decodeDocument((await blobs.get(location)) as Uint8Array).contributions) {
      expect(toHex(updateTree((await blobs.get(updateRoot)) as Uint8Array).root)).toBe(updateRoot);
      counted.push(`${round}/${attempt} ${participant} ${updateRoot}`);
    }
  }
  expect(counted.sort()).toEqual(logged);
}

/** Has the last record's rewards activated and claimed, each of them twice; returns what each participant was paid. */
async function claimTwice(federation: Federation, scene: Scene, last: RoundRecord): Promise<bigint[]> {
  const { contracts, rpc, ledger } = federation;
  const blobs = await createFileBlobStore(`${scene.job}/blobs`);
  const { rewards } = decodeDocument((await blobs.get(last.location)) as Uint8Array);
  const tree = rewardsTree(rewards);
  await federation.passWindow();
  const lifetime = new AbortController();
  setMaxListeners(0, lifetime.signal);
  for (const [index, party] of PARTICIPANTS.entries()) {
    const account = party.signer.address;
    const { cumulative } = rewards.find((entry) => entry.account === account) as { cumulative: bigint };
    const proof = tree.proof(account) as Parameters<ReturnType<typeof createLedgerWriter>['claim']>[0]['proof'];
    // Each outbox has forgotten what the one before it sent.
    for (const isSecond of [false, true]) {
      const writer = createLedgerWriter(await openOutbox(rpc, party, lifetime.signal), contracts);
      if (index === 0) await writer.activate(last).catch((error: unknown) => refused(error, isSecond));
      await writer.claim({ account, cumulative, proof }).catch((error: unknown) => refused(error, isSecond));
    }
  }
  lifetime.abort();
  const paid = await Promise.all(PARTICIPANTS.map(({ signer }) => ledger.balanceOf(signer.address)));
  expect(paid.reduce((sum, amount) => sum + amount, 0n)).toBe(last.rewardsTotal);
  return paid;
}

/** What has been done once may be refused the second time, and nothing else. */
function refused(error: unknown, isSecond: boolean): void {
  if (!isSecond) throw error;
}
