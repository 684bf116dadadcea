import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { recoverAddress, type Signer } from '../../../contracts/wallet.ts';
import { createFileBlobStore } from '../../../coordinator/blobs/file-blob-store.ts';
import { createUploadStore, type UploadStore } from '../../../coordinator/blobs/upload-store.ts';
import { type Admission, createAdmission } from '../../../coordinator/gate/admission.ts';
import { checkStatement } from '../../../coordinator/gate/check-statement.ts';
import type { Refusal, RefusalCode } from '../../../coordinator/gate/refusal.ts';
import type { Collecting, JobState } from '../../../coordinator/round/state.ts';
import { type Hex, ZERO_HASH } from '../../../shared/bytes.ts';
import { type UpdateStatement, updateDigest } from '../../../shared/commitments/contribution.ts';
import { receiptDigest } from '../../../shared/commitments/receipt.ts';
import { int16Vector, vectorBytes } from '../../../shared/commitments/vector-trees.ts';
import {
  COORDINATOR,
  DOMAIN,
  hash,
  offerOf,
  STRANGER,
  signStatement,
  statementOf,
  temporaryFolder,
  testJob,
  updateOf,
  WALLETS,
} from '../fixture.ts';

const { terms } = testJob();
const [SENDER, OTHER] = WALLETS as [Signer, Signer];

const collecting: Collecting = {
  phase: 'collecting',
  progress: {
    ...{ rounds: 1, attempt: 1, modelRoot: hash('model'), updateBits: 12, location: hash('document') },
    present: WALLETS.map(({ address }) => address),
  },
  plan: { round: 2, attempt: 1, parentRoot: hash('model'), updateBits: 12, seedIndex: 3 },
  expected: WALLETS.map(({ address }) => address),
  answers: {},
  deadlineAt: 0,
};

interface Gate {
  readonly admission: Admission;
  readonly uploads: UploadStore;
  readonly keptBlobs: () => Promise<string[]>;
}

async function openGate(): Promise<Gate> {
  const folder = await temporaryFolder();
  const blobs = await createFileBlobStore(join(folder, 'blobs'));
  const uploads = createUploadStore(join(folder, 'uploads'));
  const keptBlobs = async (): Promise<string[]> => {
    const entries = await readdir(blobs.folder, { recursive: true, withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).map((entry) => entry.name);
  };
  return {
    admission: createAdmission({ terms, domain: DOMAIN, signer: COORDINATOR, blobs, uploads }),
    uploads,
    keptBlobs,
  };
}

interface Submission {
  readonly participant: Hex;
  readonly bytes: Uint8Array;
  readonly statement: UpdateStatement;
  readonly signature: Hex;
}

function submission(
  change: (update: Int16Array) => Int16Array | undefined = () => undefined,
  restate: Partial<UpdateStatement> = {},
  signer = SENDER,
): Submission {
  const honest = updateOf(terms, SENDER.address, collecting.plan);
  const update = change(honest) ?? honest;
  const statement = { ...statementOf(terms, collecting.plan, update), ...restate };
  return {
    participant: SENDER.address,
    bytes: vectorBytes(update),
    statement,
    signature: signStatement(signer, statement),
  };
}

async function upload(uploads: UploadStore, { participant, bytes }: Submission): Promise<void> {
  const offer = offerOf(bytes);
  await uploads.offer(participant, offer);
  await uploads.putPart(participant, offer.updateRoot, 0, bytes);
}

/** Why the gate refuses a submission; undefined for one that it accepts, and has stored. */
async function inspect(
  { admission }: Pick<Gate, 'admission'>,
  { participant, statement, signature }: Submission,
  state: JobState = collecting,
): Promise<Refusal | undefined> {
  const inspection = await admission.inspect(state, participant, statement, signature);
  const verdict = admission.decide(state, participant, statement, inspection);
  expect(verdict.receipt).toMatchObject({ verdict: verdict.refusal?.verdict ?? 'accepted' });
  if (!verdict.refusal) await verdict.keep();
  return verdict.refusal;
}

/** The same point with s mirrored: what a malleable verifier would accept as a second signature. */
function mirrored(signature: Hex): Hex {
  const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
  const s = order - BigInt(`0x${signature.slice(66, 130)}`);
  const v = signature.endsWith('1b') ? '1c' : '1b';
  return `0x${signature.slice(2, 66)}${s.toString(16).padStart(64, '0')}${v}`;
}

const otherAnchor: Hex = `0x${'bd'.repeat(20)}`;
const elsewhere = (domain: typeof DOMAIN): Submission => {
  const good = submission();
  return { ...good, signature: SENDER.signDigest(updateDigest(domain, good.statement)) };
};
const at = (index: number, value: number) => (update: Int16Array) => {
  update[index] = value;
  return update;
};

const REFUSED: readonly [name: string, verdict: Refusal['verdict'], code: RefusalCode, Submission][] = [
  ['another job', 'rejected', 'gate/wrong-job', submission(undefined, { job: hash('another job') })],
  ['the round before', 'late', 'gate/late', submission(undefined, { round: 1, attempt: 0 })],
  ['the attempt before', 'late', 'gate/late', submission(undefined, { attempt: 0 })],
  ['the next round', 'rejected', 'gate/wrong-round', submission(undefined, { round: 3 })],
  ['the next attempt', 'rejected', 'gate/wrong-round', submission(undefined, { attempt: 2 })],
  [
    'the round before under a later attempt',
    'rejected',
    'gate/wrong-round',
    submission(undefined, { round: 1, attempt: 2 }),
  ],
  ['round 0', 'rejected', 'gate/wrong-round', submission(undefined, { round: 0, attempt: 0 })],
  ['another parent', 'rejected', 'gate/wrong-parent', submission(undefined, { parentRoot: ZERO_HASH })],
  ['no samples', 'rejected', 'gate/no-samples', submission(undefined, { samples: 0 })],
  ["a stranger's signature", 'rejected', 'gate/bad-signature', submission(undefined, {}, STRANGER)],
  ["another participant's signature", 'rejected', 'gate/bad-signature', submission(undefined, {}, OTHER)],
  ['a signature for another chain', 'rejected', 'gate/bad-signature', elsewhere({ ...DOMAIN, chainId: 1n })],
  ['a signature for another contract', 'rejected', 'gate/bad-signature', elsewhere({ ...DOMAIN, anchor: otherAnchor })],
  [
    'a signature over other samples',
    'rejected',
    'gate/bad-signature',
    { ...submission(undefined, { samples: 7 }), signature: submission().signature },
  ],
  ['no signature at all', 'rejected', 'gate/bad-signature', { ...submission(), signature: `0x${'00'.repeat(65)}` }],
  [
    'a malleated signature',
    'rejected',
    'gate/bad-signature',
    { ...submission(), signature: mirrored(submission().signature) },
  ],
  [
    'a signature cut short',
    'rejected',
    'gate/bad-signature',
    { ...submission(), signature: submission().signature.slice(0, -2) as Hex },
  ],
  [
    'an update that was not uploaded',
    'rejected',
    'gate/not-uploaded',
    submission(undefined, { updateRoot: hash('elsewhere') }),
  ],
  ['too few coordinates', 'rejected', 'gate/wrong-length', submission((update) => update.slice(0, 128))],
  ['too many coordinates', 'rejected', 'gate/wrong-length', submission((update) => Int16Array.of(...update, 0))],
  ['a value of 8192', 'rejected', 'gate/out-of-range', submission(at(0, 8192))],
  ['a value of -8192', 'rejected', 'gate/out-of-range', submission(at(69, -8192))],
  ['a value of -32768', 'rejected', 'gate/out-of-range', submission(at(130, -32768))],
  ['padding in use, in the middle', 'rejected', 'gate/dirty-padding', submission(at(70, 1))],
  ['padding in use, at the end', 'rejected', 'gate/dirty-padding', submission(at(191, -1))],
  ['a magnitude understated', 'rejected', 'gate/wrong-magnitude', submission(undefined, { largestMagnitude: 1 })],
  ['a magnitude overstated', 'rejected', 'gate/wrong-magnitude', submission(undefined, { largestMagnitude: 8191 })],
];

describe('the gate refuses, and keeps nothing of', () => {
  it.each(REFUSED)('%s: %s, %s', async (_name, verdict, code, wrong) => {
    const gate = await openGate();
    await upload(gate.uploads, wrong);
    expect(await inspect(gate, wrong)).toEqual({ verdict, code });
    expect(await gate.keptBlobs()).toEqual([]);
  });

  it('a second update of one participant for one round and attempt', async () => {
    const gate = await openGate();
    const { participant, statement, signature } = submission();
    const contribution = { participant, ...statement, signature };
    const second = submission(at(0, 5));
    await upload(gate.uploads, second);
    const state: Collecting = { ...collecting, answers: { [participant]: { verdict: 'accepted', contribution } } };
    expect(await inspect(gate, second, state)).toEqual({ verdict: 'rejected', code: 'gate/duplicate' });
    expect(await gate.keptBlobs()).toEqual([]);
  });

  it('an update of one who was not drawn for the round', async () => {
    const gate = await openGate();
    await upload(gate.uploads, submission());
    const draw = { seedIndex: 1, seed: hash('seed'), cut: ZERO_HASH };
    const refusal = await inspect(gate, submission(), { ...collecting, draw });
    expect(refusal).toEqual({ verdict: 'rejected', code: 'gate/not-asked' });
    expect(await gate.keptBlobs()).toEqual([]);
  });

  it('an update of one who is banned', async () => {
    const gate = await openGate();
    const { participant } = submission();
    await upload(gate.uploads, submission());
    const progress = { ...collecting.progress, banned: { [participant]: 'asked to leave' } };
    expect(await inspect(gate, submission(), { ...collecting, progress })).toMatchObject({ code: 'gate/banned' });
    expect(await gate.keptBlobs()).toEqual([]);
  });

  it('in a buffered job, an update of a model that is none of the last ones', async () => {
    const gate = await openGate();
    const parents = [hash('model'), hash('model before')];
    const state = { ...collecting, progress: { ...collecting.progress, parents } };
    const stale = submission(undefined, { parentRoot: hash('model long ago') });
    await upload(gate.uploads, stale);
    expect(await inspect(gate, stale, state)).toEqual({ verdict: 'rejected', code: 'gate/too-stale' });
    expect(await gate.keptBlobs()).toEqual([]);
    const old = submission(undefined, { parentRoot: hash('model before') });
    await upload(gate.uploads, old);
    expect(await inspect(gate, old, state)).toBeUndefined();
    expect(await gate.keptBlobs()).toEqual([old.statement.updateRoot.slice(2)]);
  });

  it("what another participant has uploaded: copying a neighbour's root is not a submission", async () => {
    const gate = await openGate();
    await upload(gate.uploads, { ...submission(), participant: OTHER.address });
    expect(await inspect(gate, submission())).toEqual({ verdict: 'rejected', code: 'gate/not-uploaded' });
    expect(await gate.keptBlobs()).toEqual([]);
  });

  it('bytes that changed on the disk after they had been verified', async () => {
    const gate = await openGate();
    const good = submission();
    const swapped: UploadStore = {
      ...gate.uploads,
      assemble: async () => Uint8Array.from(good.bytes, (byte) => byte ^ 1),
    };
    const blobs = await createFileBlobStore(await temporaryFolder());
    const admission = createAdmission({ terms, domain: DOMAIN, signer: COORDINATOR, blobs, uploads: swapped });
    expect(await inspect({ admission }, good)).toEqual({ verdict: 'rejected', code: 'gate/root-mismatch' });
    expect(await blobs.get(good.statement.updateRoot)).toBeUndefined();
  });

  it('covers every code there is', () => {
    const others: RefusalCode[] = [
      'gate/duplicate',
      'gate/root-mismatch',
      'gate/not-asked',
      'gate/banned',
      'gate/not-staked',
      'gate/too-stale',
    ];
    const covered = new Set<string>([...REFUSED.map(([, , code]) => code), ...others]);
    const every: Record<RefusalCode, true> = {
      'gate/late': true,
      'gate/wrong-job': true,
      'gate/wrong-round': true,
      'gate/wrong-parent': true,
      'gate/too-stale': true,
      'gate/duplicate': true,
      'gate/not-asked': true,
      'gate/banned': true,
      'gate/not-staked': true,
      'gate/no-samples': true,
      'gate/bad-signature': true,
      'gate/not-uploaded': true,
      'gate/root-mismatch': true,
      'gate/wrong-length': true,
      'gate/out-of-range': true,
      'gate/dirty-padding': true,
      'gate/wrong-magnitude': true,
    };
    expect([...covered].sort()).toEqual(Object.keys(every).sort());
  });
});

describe('the gate accepts', () => {
  it.each([
    ['an honest update', submission()],
    ['the largest values there are', submission((update) => at(1, -8191)(at(0, 8191)(update)))],
    ['an update of zeros, which stands for nothing learnt', submission((update) => update.fill(0))],
  ])('%s, and has it stored when it says so', async (_name, good) => {
    const gate = await openGate();
    await upload(gate.uploads, good);
    expect(await inspect(gate, good)).toBeUndefined();
    expect(await gate.keptBlobs()).toEqual([good.statement.updateRoot.slice(2)]);
    expect(int16Vector(good.bytes)).toHaveLength(terms.layout.dimension);
  });

  it('an update again after a rejected try of the same participant', async () => {
    const gate = await openGate();
    const good = submission();
    await upload(gate.uploads, good);
    const state: Collecting = {
      ...collecting,
      answers: { [good.participant]: { verdict: 'refused', code: 'gate/no-samples' } },
    };
    expect(await inspect(gate, good, state)).toBeUndefined();
  });
});

describe('receipts', () => {
  it('are signed by the coordinator over the verdict, whatever it is', async () => {
    const { admission } = await openGate();
    const { participant, statement } = submission();
    const { bytes } = submission();
    for (const [inspection, refusal] of [
      [{ bytes }, undefined],
      [{ refusal: { verdict: 'late', code: 'gate/late' } }, { verdict: 'late', code: 'gate/late' }],
      [
        { refusal: { verdict: 'rejected', code: 'gate/out-of-range' } },
        { verdict: 'rejected', code: 'gate/out-of-range' },
      ],
    ] as const) {
      const verdict = admission.decide(collecting, participant, statement, inspection);
      const { signature, ...receipt } = verdict.receipt;
      expect(receipt).toEqual({
        ...{ job: terms.job, round: 2, attempt: 1, participant, updateRoot: statement.updateRoot },
        ...{ verdict: refusal?.verdict ?? 'accepted', code: refusal?.code ?? '' },
      });
      expect(recoverAddress(receiptDigest(DOMAIN, receipt), signature)).toBe(COORDINATOR.address);
      expect(recoverAddress(receiptDigest(DOMAIN, { ...receipt, verdict: 'accepted', code: 'x' }), signature)).not.toBe(
        COORDINATOR.address,
      );
    }
  });
});

describe('a submission that was looked at while the job went on', () => {
  it('is late, and nothing of it is kept, though all was well with it when it was looked at', async () => {
    const { admission, uploads, keptBlobs } = await openGate();
    const good = submission();
    const { participant, statement, signature } = good;
    await upload(uploads, good);
    const inspection = await admission.inspect(collecting, participant, statement, signature);
    expect(inspection).toEqual({ bytes: good.bytes });
    const closed: JobState = {
      phase: 'aggregating',
      progress: collecting.progress,
      plan: collecting.plan,
      admitted: [],
    };
    const verdict = admission.decide(closed, participant, statement, inspection);
    expect(verdict).toMatchObject({ refusal: { verdict: 'late' }, receipt: { verdict: 'late', code: 'gate/late' } });
    expect(verdict).not.toHaveProperty('keep');
    expect(await keptBlobs()).toEqual([]);
  });

  it('is a duplicate once another of its sender was accepted', async () => {
    const { admission, uploads } = await openGate();
    const good = submission();
    const { participant, statement, signature } = good;
    await upload(uploads, good);
    const inspection = await admission.inspect(collecting, participant, statement, signature);
    const contribution = { participant, ...statement, signature };
    const state: Collecting = { ...collecting, answers: { [participant]: { verdict: 'accepted', contribution } } };
    const { refusal } = admission.decide(state, participant, statement, inspection);
    expect(refusal).toEqual({ verdict: 'rejected', code: 'gate/duplicate' });
  });

  it('is late rather than not uploaded when the end of its round has dropped its parts', async () => {
    const { admission } = await openGate();
    const { participant, statement, signature } = submission();
    const inspection = await admission.inspect(collecting, participant, statement, signature);
    expect(inspection).toEqual({ refusal: { verdict: 'rejected', code: 'gate/not-uploaded' } });
    const next: Collecting = { ...collecting, plan: { ...collecting.plan, attempt: 2 } };
    const progress = { ...collecting.progress, attempt: 2 };
    const { refusal } = admission.decide({ ...next, progress }, participant, statement, inspection);
    expect(refusal).toEqual({ verdict: 'late', code: 'gate/late' });
  });
});

describe('late or wrong-round, outside of collection', () => {
  const { progress } = collecting;
  const record = {} as Extract<JobState, { phase: 'anchoring' }>['record'];
  const phases: Record<Exclude<JobState['phase'], 'collecting'>, JobState> = {
    open: { phase: 'open', progress, need: 3 },
    aggregating: { phase: 'aggregating', progress, plan: collecting.plan, admitted: [] },
    anchoring: { phase: 'anchoring', progress, record, nextUpdateBits: 12 },
    closed: { phase: 'closed', progress },
    failed: { phase: 'failed', progress, code: 'round/quorum-missed', reason: '' },
  };
  const verdictIn = (phase: keyof typeof phases, round: number, attempt: number): string | undefined =>
    checkStatement(phases[phase], terms.job, SENDER.address, { job: terms.job, round, attempt })?.code;

  it.each(Object.keys(phases) as (keyof typeof phases)[])('%s: past rounds are late, those to come wrong', (phase) => {
    expect(verdictIn(phase, 1, 0)).toBe('gate/late');
    expect(verdictIn(phase, 1, 1)).toBe('gate/late');
    expect(verdictIn(phase, 2, 0)).toBe('gate/late');
    expect(verdictIn(phase, 3, 0)).toBe('gate/wrong-round');
    expect(verdictIn(phase, 2, 2)).toBe('gate/wrong-round');
  });

  it.each(['aggregating', 'anchoring', 'failed'] as const)('%s: the round just closed is late', (phase) => {
    expect(verdictIn(phase, 2, 1)).toBe('gate/late');
  });

  it.each(['open', 'closed'] as const)('%s: a round that was never open is not called late', (phase) => {
    expect(verdictIn(phase, 2, 1)).toBe('gate/wrong-round');
  });
});
