import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createFileJournal } from '../../../client/journal/file-journal.ts';
import { lockJob } from '../../../client/lock/job-lock.ts';
import { initialSession } from '../../../client/session/state.ts';
import { type ClientStatus, statusOfSession } from '../../../client/status/client-status.ts';
import { describeStatus } from '../../../client/status/describe-status.ts';
import { readViews } from '../../../client/status/read-views.ts';
import { stateFiles } from '../../../client/status/state-files.ts';
import { openStatusFile, readStatusFile } from '../../../client/status/status-file.ts';
import type { Hex } from '../../../shared/bytes.ts';
import { toHex } from '../../../shared/bytes.ts';
import { updateTree } from '../../../shared/commitments/vector-trees.ts';
import { temporaryFolder } from '../../coordinator/fixture.ts';

const participant: Hex = `0x${'3e'.repeat(20)}`;
const anchor: Hex = `0x${'a1'.repeat(20)}`;
const job: Hex = `0x${'0b'.repeat(32)}`;
const first: Omit<ClientStatus, 'writtenAt'> = {
  ...{ anchor, job, participant, coordinator: 'https://federation.example', link: 'connecting', activity: 'idle' },
};
const fails = (error: Error) => {
  throw error;
};

describe('a status file', () => {
  it('says the last of many changes when it is closed, and all of it', async () => {
    const file = join(await temporaryFolder(), 'new', 'status.json');
    const status = openStatusFile(file, first, fails);
    for (let done = 0; done <= 1; done += 0.001) status.update({ activity: 'training', progress: done });
    status.update({ progress: 1, name: 'toy' });
    await status.close();
    expect(await readStatusFile(file)).toMatchObject({ ...first, activity: 'training', progress: 1, name: 'toy' });
    expect(await readdir(dirname(file))).toEqual(['status.json']);
  });

  it('stops nothing where it cannot be written', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'file'), '');
    const failures: Error[] = [];
    const status = openStatusFile(join(folder, 'file', 'status.json'), first, (error) => failures.push(error));
    status.update({ activity: 'training' });
    await status.close();
    expect(failures.length).toBeGreaterThan(0);
  });

  it('is none where there is something else', async () => {
    const file = join(await temporaryFolder(), 'status.json');
    expect(await readStatusFile(file)).toBeUndefined();
    await writeFile(file, '{"anchor":"elsewhere"}');
    expect(await readStatusFile(file)).toBeUndefined();
  });
});

describe('client status', () => {
  it('follows from a session', () => {
    const state = initialSession(participant);
    expect(statusOfSession(state)).toEqual({ link: 'connecting', activity: 'idle' });
    const answered = { ...state, settled: { round: 3, attempt: 1 } } as typeof state;
    expect(statusOfSession(answered)).toMatchObject({ round: 3, attempt: 1 });
    expect(statusOfSession({ at: 'stopped', outcome: { kind: 'aborted' } })).toMatchObject({ link: 'stopped' });
  });

  it('tells those that run from those that did, with their receipts', async () => {
    const folder = await temporaryFolder();
    const files = stateFiles(folder, participant, anchor);
    const status = openStatusFile(files.status, { ...first, round: 2, attempt: 0, rounds: 9, name: 'toy' }, fails);
    await status.close();
    const journal = createFileJournal({ folder, participant, sign: () => `0x${'00'.repeat(65)}` });
    const bytes = Uint8Array.of(1, 0);
    const updateRoot = toHex(updateTree(bytes).root);
    const key = { job, round: 2, attempt: 0 };
    const rest = { parentRoot: job, updateRoot, samples: 1, largestMagnitude: 1, datasetCommitment: job };
    await journal.sign({ ...key, ...rest }, bytes);
    const signature: Hex = `0x${'00'.repeat(65)}`;
    await journal.keepReceipt({ ...key, participant, updateRoot, verdict: 'late', code: 'gate/late', signature });

    const [stopped] = await readViews(folder);
    expect(stopped).toMatchObject({ pid: undefined, status: { name: 'toy' }, receipts: [{ verdict: 'late' }] });
    expect(describeStatus(stopped as never).join('\n')).toMatch(/not running.*round {4}2 of 9.*0 accepted, 1 late/s);

    const unlock = await lockJob(files.lock);
    expect(await readViews(folder)).toMatchObject([{ pid: process.pid }]);
    await unlock();
  });

  it('shows what training has used, and whether that is an estimate', () => {
    const shown = (energy: ClientStatus['energy']) =>
      describeStatus({ pid: 7, status: { ...first, energy, writtenAt: '' }, receipts: [] }).join('\n');
    expect(shown({ joules: 12.34, estimated: true })).toContain('energy   12.3 J, estimated, since it was started');
    expect(shown({ joules: 12.34, estimated: false })).toContain('energy   12.3 J, since it was started');
    expect(shown(undefined)).not.toContain('energy');
  });

  it('shows what was earned and what privacy was spent, where that is known', () => {
    const lines = describeStatus({
      ...{ pid: 7, status: { ...first, writtenAt: '' }, receipts: [] },
      ...{ rewards: { earned: 30n, claimable: 20n, paid: 5n }, privacy: { epsilon: 1.25, delta: 1e-5, budget: 8 } },
    });
    expect(lines).toContain('rewards  30 earned, 20 of it final, 5 paid: 15 to claim');
    expect(lines).toContain('privacy  epsilon 1.250 of 8 spent, at delta 0.00001');
  });

  it('knows nothing of a folder where nobody was', async () => {
    expect(await readViews(join(await temporaryFolder(), 'none'))).toEqual([]);
    const folder = await temporaryFolder();
    await mkdir(join(folder, '..names'), { recursive: true });
    expect(await readViews(folder)).toEqual([]);
  });
});
