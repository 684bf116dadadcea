import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { packageRoot } from '../../../contracts/package-root.ts';
import type { AggregationEngine } from '../../../shared/aggregation/engine.ts';
import { buildAnswer } from '../../../shared/openings/answer.ts';
import { gramSums, openGramBlock, openGramEntry } from '../../../shared/openings/gram-moves.ts';
import type { GramSubject, Subject } from '../../../shared/openings/subject.ts';
import { createEngine } from '../../../shared/runtime/engine/create-engine.ts';
import { type CourtLab, type LabRound, openCourtLab } from './court-lab.ts';

// Whole rounds, and a chain that mines a block for each move.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const SNAPSHOT = join(packageRoot(), 'contracts', 'snapshots', 'dispute-gas.json');
const N = 20;
const DIMENSION = 2 ** 20;

/** What one transaction may use at most, whatever a block may (EIP-7825). */
const TRANSACTION_CAP = 2 ** 24;
const RULE = { rule: 'MultiKrum', f: 4, params: { m: 'n-f', neighbours: 'byzfl' } };

let engine: AggregationEngine;
let lab: CourtLab;
let round: LabRound;
const measured: Record<string, number> = {};

beforeAll(async () => {
  engine = createEngine();
  lab = await openCourtLab({ rule: RULE, participants: N, size: DIMENSION - 64, engine });
  round = await lab.play(null, 0);
  await lab.ledger.anchor(round.record);
});
afterAll(async () => {
  await lab.close();
  await engine.close();
});

describe('gas of disputes, n = 20, d = 2^20', () => {
  it('over everything that one transaction answers', async () => {
    const account = round.parts.contributions[7]?.participant ?? '0x';
    const selected = round.parts.weights?.findIndex((weight) => weight > 0) ?? 0;
    const better = round.parts.weights?.indexOf(0) ?? 0;
    const subjects: Exclude<Subject, GramSubject>[] = [
      { kind: 'coordinate', coordinate: 777_777 },
      { kind: 'link', row: 7, block: 9999 },
      { kind: 'contribution', row: 7 },
      { kind: 'omission', receipt: round.receipts[7] as LabRound['receipts'][number] },
      { kind: 'weights', selected, better },
      { kind: 'scores' },
      { kind: 'reward', after: false, account, cumulative: 0n, proof: [] },
    ];
    for (const subject of subjects) {
      const { file, gas } = await lab.dispute(round, subject);
      const answer = await buildAnswer(round.view, subject);
      measured[`${subject.kind}, opened`] = gas;
      measured[`${subject.kind}, answered`] = (await lab.coordinator.answer(file, answer)).gasUsed;
    }
  });

  it('over an entry of the Gram matrix, move by move', async () => {
    const subject: GramSubject = { kind: 'gram', row: 3, column: N };
    const { file, gas } = await lab.dispute(round, subject);
    const { id } = file;
    measured['gram, opened'] = gas;
    measured['gram, entry opened'] = (
      await lab.coordinator.openEntry(file, await openGramEntry(round.view, subject))
    ).gasUsed;
    for (let level = 1; ; level++) {
      const at = await lab.court.bisectionOf(id);
      const sums = (await lab.court.sumsOf(id, 0)) ?? [];
      measured[`gram, part ${level} picked`] = (await lab.challenger.pickSum(id, at, 0, sums)).gasUsed;
      const next = await lab.court.bisectionOf(id);
      if (next.span === 1) break;
      const parts = await gramSums(round.view, subject, next);
      measured[`gram, parts ${level + 1} posted`] = (await lab.coordinator.postSums(file, next, parts)).gasUsed;
    }
    const { first } = await lab.court.bisectionOf(id);
    const opening = await openGramBlock(round.view, subject, first);
    measured['gram, block opened'] = (await lab.coordinator.openBlock(file, opening)).gasUsed;
    expect(await lab.court.disputeOf(id)).toBeUndefined();
  });

  it('stays below what a transaction may use with as many participants as there can be', async () => {
    const large = await openCourtLab({ rule: RULE, participants: 64, size: 1000, engine });
    const played = await large.play(null, 0);
    await large.ledger.anchor(played.record);
    const selected = played.parts.weights?.findIndex((weight) => weight > 0) ?? 0;
    const better = played.parts.weights?.indexOf(0) ?? 0;
    for (const subject of [{ kind: 'weights', selected, better } as const, { kind: 'scores' } as const]) {
      const { file } = await large.dispute(played, subject);
      const { gasUsed } = await large.coordinator.answer(file, await buildAnswer(played.view, subject));
      measured[`${subject.kind}, answered, n = 64`] = gasUsed;
      expect(gasUsed).toBeLessThan(TRANSACTION_CAP);
    }
    await large.close();
  });

  it('matches the committed snapshot', async () => {
    if (process.env['FEDANCHOR_UPDATE_SNAPSHOTS'] === '1') {
      await writeFile(SNAPSHOT, `${JSON.stringify(measured, null, 2)}\n`);
    }
    const kept: Record<string, number> = JSON.parse(await readFile(SNAPSHOT, 'utf8'));
    expect(Object.keys(measured)).toEqual(Object.keys(kept));
    for (const [what, gas] of Object.entries(measured)) {
      // Signatures are over the anchor's address, and a zero among their bytes costs 30 gas less than another.
      expect(Math.abs(gas - (kept[what] as number)), `${what}: ${gas}`).toBeLessThan(1000);
    }
  });
});
