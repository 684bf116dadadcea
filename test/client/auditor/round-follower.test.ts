import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type AuditMemory,
  createFileAuditMemory,
  createMemoryAuditMemory,
} from '../../../client/auditor/audit-memory.ts';
import { createRoundAuditor } from '../../../client/auditor/round-auditor.ts';
import { createRoundFollower } from '../../../client/auditor/round-follower.ts';
import { recoverAddress } from '../../../contracts/wallet.ts';
import type { Hex } from '../../../shared/bytes.ts';
import { blobsOf, createScriptedChain } from './chain-script.ts';
import { createHistory, type History, memoryBlobs } from './history.ts';

let straight: History;
let again: History;
let folder: string;
beforeEach(async () => {
  // The second is the first, rewound to round 1.
  straight = await createHistory({ rounds: 4 });
  again = await createHistory({ rounds: 4, attempts: [0, 3, 3, 3] });
  folder = await mkdtemp(join(tmpdir(), 'fedanchor-follower-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

function follow(blobs: Map<Hex, Uint8Array>, memory: AuditMemory = createMemoryAuditMemory()) {
  const chain = createScriptedChain();
  const told: string[] = [];
  const source = memoryBlobs(blobs);
  const auditor = createRoundAuditor({ facts: straight.facts, blobs: source, recover: recoverAddress });
  let failure: Error | undefined;
  const follower = createRoundFollower({
    ...{ ledger: chain.ledger, auditor, blobs: source, memory },
    onAudited: async ({ verdict: { round, attempt, holds } }) => {
      if (failure) throw failure;
      told.push(`${round}/${attempt} ${holds ? 'holds' : 'does not'}`);
    },
    onRewound: async (first, last) => void told.push(`rewound ${first}-${last}`),
  });
  return { chain, follower, told, fail: (error: Error | undefined) => (failure = error) };
}

describe('a follower', () => {
  it('audits each round once, and reads the records only when the chain has moved', async () => {
    const { chain, follower, told } = follow(blobsOf(straight));
    await follower.catchUp();
    expect(follower.trusted()).toBeUndefined();
    chain.show(straight.records.slice(0, 2));
    await follower.catchUp();
    await follower.catchUp();
    expect(chain.reads()).toBe(1);
    chain.show(straight.records);
    await follower.catchUp();
    expect(told).toEqual(['1/0 holds', '2/0 holds', '3/0 holds', '4/0 holds']);
    expect(follower.trusted()).toEqual({ round: 4, head: straight.records[3]?.head });
  });

  it('goes back with a rewind, also one that other rounds have replaced already', async () => {
    const { chain, follower, told } = follow(blobsOf(straight, again));
    chain.show(straight.records);
    await follower.catchUp();
    chain.show(again.records.slice(0, 3));
    await follower.catchUp();
    expect(told.slice(4)).toEqual(['rewound 2-4', '2/3 holds', '3/3 holds']);
    expect(follower.trusted()).toEqual({ round: 3, head: again.records[2]?.head });
    chain.show([]);
    await follower.catchUp();
    expect(told.at(-1)).toBe('rewound 1-3');
    expect(follower.trusted()).toBeUndefined();
  });

  it('trusts nothing behind a round that does not hold, and audits a withheld one again once it is there', async () => {
    const blobs = blobsOf(straight);
    const id = straight.contributions.find(({ round }) => round === 2)?.contribution.updateRoot as Hex;
    const bytes = blobs.get(id) as Uint8Array;
    blobs.delete(id);
    const { chain, follower, told } = follow(blobs);
    chain.show(straight.records);
    await follower.catchUp();
    await follower.catchUp();
    expect(told).toEqual(['1/0 holds', '2/0 does not', '3/0 does not', '4/0 does not']);
    expect(follower.trusted()?.round).toBe(1);
    blobs.set(id, bytes);
    await follower.catchUp();
    expect(told.slice(4)).toEqual(['2/0 holds', '3/0 holds', '4/0 holds']);
    expect(follower.trusted()?.round).toBe(4);
  });

  it('audits a round again when whoever was told failed', async () => {
    const { chain, follower, told, fail } = follow(blobsOf(straight));
    chain.show(straight.records.slice(0, 2));
    fail(new Error('away'));
    await expect(follower.catchUp()).rejects.toThrow('away');
    fail(undefined);
    await follower.catchUp();
    expect(told).toEqual(['1/0 holds', '2/0 holds']);
  });

  it('does not recompute what an earlier process found to hold, unless the chain has other rounds now', async () => {
    const memory = createFileAuditMemory(folder, straight.facts.anchor);
    const first = follow(blobsOf(straight), memory);
    first.chain.show(straight.records.slice(0, 3));
    await first.follower.catchUp();

    const second = follow(blobsOf(straight), createFileAuditMemory(folder, straight.facts.anchor));
    second.chain.show(straight.records);
    await second.follower.catchUp();
    expect(second.told).toEqual(['4/0 holds']);

    const third = follow(blobsOf(straight, again), createFileAuditMemory(folder, straight.facts.anchor));
    third.chain.show(again.records);
    await third.follower.catchUp();
    expect(third.told).toEqual(['2/3 holds', '3/3 holds', '4/3 holds']);
  });

  it('takes a damaged memory for none', async () => {
    const path = join(folder, `audited-${straight.facts.anchor.slice(2)}.json`);
    for (const damage of ['[{"round":1', '[{"round":1,"head":"0x12"}]', '{}']) {
      await writeFile(path, damage);
      const { chain, follower, told } = follow(blobsOf(straight), createFileAuditMemory(folder, straight.facts.anchor));
      chain.show(straight.records.slice(0, 1));
      await follower.catchUp();
      expect(told).toEqual(['1/0 holds']);
    }
  });
});
