import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createMemoryAuditMemory } from '../../../client/auditor/audit-memory.ts';
import type { Log } from '../../../client/log.ts';
import { ProtocolError, TransportError } from '../../../client/transports/transport-error.ts';
import { runWitness, type SignedHead, type WitnessOptions } from '../../../client/witness/witness.ts';
import { recoverAddress } from '../../../contracts/wallet.ts';
import type { Hex } from '../../../shared/bytes.ts';
import { attestationDigest } from '../../../shared/commitments/attestation.ts';
import { blobsOf, createScriptedChain, type ScriptedChain } from '../auditor/chain-script.ts';
import { createHistory, type History, memoryBlobs, signers } from '../auditor/history.ts';
import { type Deferred, deferred } from '../deferred.ts';

const signer = signers[0] as (typeof signers)[number];

let straight: History;
let again: History;
let chain: ScriptedChain;
let lifetime: AbortController;
let sent: SignedHead[];
let errors: string[];
let running: Promise<void>[];
/** Resolves with whatever satisfies it next. */
let awaited: { readonly until: () => boolean; readonly met: Deferred<void> }[];

beforeEach(async () => {
  straight = await createHistory({ rounds: 3 });
  again = await createHistory({ rounds: 3, attempts: [0, 1, 1] });
  chain = createScriptedChain();
  lifetime = new AbortController();
  [sent, errors, running, awaited] = [[], [], [], []];
});
afterEach(async () => {
  lifetime.abort();
  await Promise.all(running);
});

const check = (): void => {
  for (const { until, met } of awaited) if (until()) met.resolve();
};

function when(until: () => boolean): Promise<void> {
  const met = deferred<void>();
  awaited.push({ until, met });
  check();
  return met.promise;
}

const log = Object.fromEntries(
  (['debug', 'info', 'warn', 'error'] as const).map((level) => [
    level,
    (_: unknown, message: string) => {
      if (level === 'error') errors.push(message);
      check();
    },
  ]),
) as unknown as Log;

function start(blobs: Map<Hex, Uint8Array>, more: Partial<WitnessOptions> = {}): Promise<void> {
  const witness = runWitness({
    facts: straight.facts,
    ledger: { ...chain.ledger, finality: never, chainTimeS: never, facts: never },
    ...{ blobs: memoryBlobs(blobs), recover: recoverAddress, memory: createMemoryAuditMemory(), signer, log },
    send: async (attestation) => {
      sent.push(attestation);
      check();
    },
    pollMs: 1,
    signal: lifetime.signal,
    ...more,
  });
  running.push(witness);
  return witness;
}

/** Retention is asked about only where data is missing: then nothing is old enough. */
async function never(): Promise<never> {
  throw new TransportError('transport/unreachable', 'the chain is not asked this');
}

describe('a witness', () => {
  it('signs each head after it has recomputed everything before, by EIP-712', async () => {
    start(blobsOf(straight));
    chain.show(straight.records.slice(0, 1));
    await when(() => sent.length === 1);
    chain.show(straight.records);
    await when(() => sent.length === 2);
    expect(sent.map(({ round, head }) => [round, head])).toEqual([
      [1, straight.records[0]?.head],
      [3, straight.records[2]?.head],
    ]);
    for (const { signature, ...attestation } of sent) {
      expect(recoverAddress(attestationDigest(straight.facts, attestation), signature)).toBe(signer.address);
    }
  });

  it('signs the heads that replace those of a rewind', async () => {
    start(blobsOf(straight, again));
    chain.show(straight.records);
    await when(() => sent.length === 1);
    chain.show(again.records);
    await when(() => sent.length === 2);
    expect(sent[1]).toMatchObject({ round: 3, head: again.records[2]?.head });
  });

  it('signs nothing from a round on that does not recompute, and says so as an error', async () => {
    const lie = await createHistory({
      rounds: 3,
      meddling: {
        2: { outcome: (outcome) => ({ ...outcome, record: { ...outcome.record, gramRoot: `0x${'77'.repeat(32)}` } }) },
      },
    });
    start(blobsOf(lie));
    chain.show(lie.records);
    await when(() => errors.length === 2 && sent.length === 1);
    expect(sent[0]).toMatchObject({ round: 1, head: lie.records[0]?.head });
    expect(errors[0]).toContain('DOES NOT RECOMPUTE');
  });

  it('hands its attestation over again after the coordinator was away, and not once it was taken', async () => {
    let tries = 0;
    start(blobsOf(straight), {
      send: async (attestation) => {
        tries++;
        if (tries === 1) throw new TransportError('transport/disconnected', 'away');
        if (tries === 2) throw new ProtocolError('attest/unknown-head', 'not yet');
        sent.push(attestation);
        check();
      },
    });
    chain.show(straight.records.slice(0, 1));
    await when(() => sent.length === 1);
    chain.show(straight.records);
    await when(() => sent.length === 2);
    expect(tries).toBe(4);
  });

  it('ends where no attestations are needed', async () => {
    chain.show(straight.records);
    await start(blobsOf(straight), {
      send: async () => {
        throw new ProtocolError('attest/not-needed', 'the window suffices');
      },
    });
    expect(lifetime.signal.aborted).toBe(false);
  });
});
