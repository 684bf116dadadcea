import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { recoverAddress } from '../../contracts/wallet.ts';
import { applyRound } from '../../coordinator/apply-round.ts';
import { createFileBlobStore } from '../../coordinator/blobs/file-blob-store.ts';
import type { Aggregating, JobState } from '../../coordinator/round/state.ts';
import type { Hex } from '../../shared/bytes.ts';
import { updateDigest } from '../../shared/commitments/contribution.ts';
import { receiptDigest } from '../../shared/commitments/receipt.ts';
import { type JobTerms, jobTerms } from '../../shared/round/job-terms.ts';
import { parseManifest } from '../../shared/round/manifest.ts';
import { isSeedOf } from '../../shared/round/plan.ts';
import { createFileEngine } from './file-engine.ts';
import { COORDINATOR, DOMAIN, temporaryFolder } from './fixture.ts';
import { type History, historyText, recordHistory, stateDigest, stateJson, statesOf } from './history-recorder.ts';

const FILE = fileURLToPath(new URL('../histories/eventful-job.json', import.meta.url));

interface Recorded {
  readonly text: string;
  readonly history: History;
  readonly terms: JobTerms;
}

function read(): Recorded {
  const text = readFileSync(FILE, 'utf8');
  const history = JSON.parse(text) as History;
  return { text, history, terms: jobTerms(parseManifest(history.manifest)) };
}

describe('the recorded history of an eventful job', () => {
  it.runIf(process.env['FEDANCHOR_RECORD_HISTORIES'] === '1')('is recorded anew', async () => {
    writeFileSync(FILE, historyText(await recordHistory()));
  });

  it('holds what it is there for', () => {
    const { history } = read();
    const types = new Set<string>(history.events.map(({ type }) => type));
    expect([...types].sort()).toEqual([
      ...['coordinatorRestarted', 'deadlinePassed', 'metricsReported', 'participantJoined', 'participantLeft'],
      ...['roundAggregated', 'roundAnchored', 'roundDeclined', 'updateAccepted', 'updateRefused'],
    ]);
    const codes = history.events.flatMap((event) => (event.type === 'updateRefused' ? [event.receipt.code] : []));
    expect(codes).toEqual(['gate/no-samples', 'gate/late', 'gate/duplicate']);
  });

  it('folds to the same state after every event', () => {
    const { history, terms } = read();
    const states = statesOf(terms, history.events);
    expect(states.map(stateDigest)).toEqual(history.states);
    expect(stateJson(states.at(-1) as JobState)).toEqual(history.end);
    expect(states.at(-1)).toMatchObject({ phase: 'closed', progress: { rounds: 3, attempt: 1 } });
  });

  it('gives the same records from the same updates, bit for bit', async () => {
    const { history, terms } = read();
    const blobs = await createFileBlobStore(await temporaryFolder());
    for (const [root, base64] of Object.entries(history.blobs))
      await blobs.put(root as Hex, Buffer.from(base64, 'base64'));
    const states = statesOf(terms, history.events);
    const context = { terms, blobs, seeds: history.seeds, engine: createFileEngine(), now: () => 0 };
    let rounds = 0;
    for (const [index, event] of history.events.entries()) {
      if (event.type !== 'roundAggregated') continue;
      const { progress, plan, admitted } = states[index - 1] as Aggregating;
      const again = await applyRound(context, progress, plan, admitted);
      expect({ ...again, at: 0, aggregationMs: 0, closeMs: 0 }).toEqual({ ...event, at: 0 });
      expect(isSeedOf(terms.manifest.seedCommitment, plan.seedIndex, event.record.seed)).toBe(true);
      rounds++;
    }
    expect(rounds).toBe(3);
  });

  it('has signatures that still verify', () => {
    const { history } = read();
    for (const event of history.events) {
      if (event.type === 'updateAccepted') {
        const { participant, statement, signature } = event;
        expect(recoverAddress(updateDigest(DOMAIN, statement), signature)).toBe(participant);
      }
      if (event.type !== 'updateAccepted' && event.type !== 'updateRefused') continue;
      const { signature, ...receipt } = event.receipt;
      expect(recoverAddress(receiptDigest(DOMAIN, receipt), signature)).toBe(COORDINATOR.address);
    }
  });

  it('happens again, to the byte, when the same things are done', async () => {
    expect(historyText(await recordHistory())).toBe(read().text);
  });
});
