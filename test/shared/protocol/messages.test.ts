import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OPERATIONS, type OperationName, parseJobState, parseReply } from '../../../shared/protocol/messages.ts';
import { blobPath, partPath } from '../../../shared/protocol/routes.ts';
import { PROTOCOL_VERSION } from '../../../shared/protocol/version.ts';

const HASH = `0x${'ab'.repeat(32)}` as const;
const ADDRESS = `0x${'cd'.repeat(20)}` as const;
const SIGNATURE = `0x${'ef'.repeat(65)}` as const;

const plan = { round: 1, attempt: 0, parentRoot: HASH, updateBits: 12, seedIndex: 1 };
const state = { job: HASH, phase: 'collecting', round: 0, modelRoot: HASH, plan, remainingMs: 5, reason: null };
const statement = {
  job: HASH,
  round: 1,
  attempt: 0,
  parentRoot: HASH,
  updateRoot: HASH,
  samples: 5,
  largestMagnitude: 6,
  datasetCommitment: HASH,
};
const receipt = {
  job: HASH,
  round: 1,
  attempt: 0,
  participant: ADDRESS,
  updateRoot: HASH,
  verdict: 'accepted',
  code: '',
  signature: SIGNATURE,
};
const metrics = { job: HASH, round: 1, modelRoot: HASH, correct: 1, total: 2, lossSum: 0.5, constantCorrect: 1 };

const summary = {
  ...{ job: HASH, name: 'a job', anchor: ADDRESS, vault: ADDRESS, phase: 'created', paused: false, round: 1 },
  ...{ rounds: 2, present: 3, expected: 4, reason: null },
};
const detail = { ...summary, modelRoot: HASH, attempt: 0, remainingMs: null, history: [], participants: [] };

type Members = Record<string, unknown>;

/** One valid request and answer of every operation. */
const VALID: Record<OperationName, { request: Members; answer: Members }> = {
  'session.challenge': {
    request: { protocol: PROTOCOL_VERSION, address: ADDRESS, role: 'participant', job: HASH },
    answer: { challenge: HASH, coordinator: ADDRESS, chainId: '31337', anchor: ADDRESS, job: HASH },
  },
  'session.open': { request: { signature: SIGNATURE }, answer: { token: 't' } },
  'job.join': { request: { job: HASH }, answer: { state } },
  'job.state': { request: { job: HASH }, answer: { state } },
  'update.offer': {
    request: { job: HASH, round: 1, attempt: 0, updateRoot: HASH, byteLength: 128, partRoots: [HASH] },
    answer: { missing: [0] },
  },
  'update.submit': { request: { statement, signature: SIGNATURE }, answer: { receipt } },
  'round.decline': { request: { job: HASH, round: 1, attempt: 0, code: 'x', message: 'y' }, answer: {} },
  'metrics.report': { request: metrics, answer: {} },
  'round.attest': {
    request: { job: HASH, round: 1, head: `0x${'4d'.repeat(26)}`, signature: SIGNATURE },
    answer: {},
  },
  'job.watch': { request: { job: HASH }, answer: { state } },
  'operator.jobs': { request: { which: 'all' }, answer: { jobs: [] } },
  'operator.job': { request: { job: HASH }, answer: { job: detail } },
  'operator.act': {
    request: { job: HASH, action: 'pause', reason: '' },
    answer: { job: summary, changed: true },
  },
  'operator.participant': {
    request: { job: HASH, participant: ADDRESS, action: 'ban', reason: 'left the consortium' },
    answer: { job: detail, changed: false },
  },
};

const names = Object.keys(OPERATIONS) as OperationName[];

/** Every way to damage one member of a value: gone, unknown added, or of another type, at any depth. */
function damaged(value: Members): Members[] {
  const results: Members[] = [{ ...value, extra: 1 }];
  for (const [name, member] of Object.entries(value)) {
    const { [name]: _, ...rest } = value;
    results.push(rest, { ...value, [name]: { not: 'this' } }, { ...value, [name]: Symbol.iterator });
    if (typeof member === 'number') {
      for (const wrong of [-1, 2 ** 53, Number.NaN, Infinity, String(member)]) {
        // Sums of losses and remaining times are any finite numbers.
        if (typeof wrong === 'number' && Number.isFinite(wrong) && ['lossSum', 'remainingMs'].includes(name)) continue;
        results.push({ ...value, [name]: wrong });
      }
      if (!['lossSum', 'remainingMs'].includes(name)) results.push({ ...value, [name]: 0.5 });
    } else if (typeof member === 'string' && member.startsWith('0x')) {
      for (const wrong of [
        member.slice(0, -1),
        `${member}0`,
        `0x${member.slice(2).toUpperCase()}`,
        `${member.slice(0, -1)}g`,
        7,
      ]) {
        results.push({ ...value, [name]: wrong });
      }
    } else if (typeof member === 'object' && member !== null && !Array.isArray(member)) {
      results.push(...damaged(member as Members).map((inner) => ({ ...value, [name]: inner })));
    }
  }
  return results;
}

describe.each(names)('%s', (name) => {
  const { request, answer } = VALID[name];

  it('takes a valid request and a valid answer as they are', () => {
    expect(OPERATIONS[name].request.parse(request)).toEqual(request);
    expect(parseReply(name, { ok: true, answer })).toEqual({ ok: true, answer });
  });

  it('refuses a request damaged in any member', () => {
    for (const wrong of damaged(request)) expect(OPERATIONS[name].request.safeParse(wrong).success).toBe(false);
  });

  it('takes no damaged answer for one', () => {
    for (const wrong of damaged(answer)) expect(parseReply(name, { ok: true, answer: wrong })).toBeUndefined();
  });

  it('refuses anything at all', () => {
    fc.assert(
      fc.property(fc.anything(), (junk) => {
        expect(OPERATIONS[name].request.safeParse(junk).success).toBe(false);
        expect(parseReply(name, junk)).toBeUndefined();
      }),
      { numRuns: 200 },
    );
  });
});

describe('a failure', () => {
  it('is a code and a message', () => {
    const failure = { ok: false, code: 'job/unknown', message: 'there is no such job' } as const;
    expect(parseReply('job.state', failure)).toEqual(failure);
    expect(parseReply('job.state', { ok: false, code: 'x' })).toBeUndefined();
    expect(parseReply('job.state', { ok: false, code: 'x', message: 'y', answer: {} })).toBeUndefined();
    expect(parseReply('job.state', { ok: 'yes', answer: { state } })).toBeUndefined();
  });
});

describe('limits', () => {
  const offer = OPERATIONS['update.offer'].request;
  const base = VALID['update.offer'].request;

  it.each([
    ['no parts', { partRoots: [] }],
    ['no bytes', { byteLength: 0 }],
    ['more than 2^40 bytes', { byteLength: 2 ** 40 + 1 }],
    ['an attempt beyond uint32', { attempt: 2 ** 32 }],
    ['a round beyond uint24', { round: 2 ** 24 }],
    ['a part root of 31 bytes', { partRoots: [HASH.slice(0, -2)] }],
  ])('refuse an offer with %s', (_, change) => {
    expect(offer.safeParse({ ...base, ...change }).success).toBe(false);
  });

  it('refuse another version of the protocol and a role that is none', () => {
    const challenge = OPERATIONS['session.challenge'].request;
    const valid = VALID['session.challenge'].request;
    expect(challenge.safeParse({ ...valid, protocol: PROTOCOL_VERSION + 1 }).success).toBe(false);
    expect(challenge.safeParse({ ...valid, role: 'owner' }).success).toBe(false);
  });
});

describe('parseJobState', () => {
  it('takes a state and nothing else', () => {
    expect(parseJobState(state)).toEqual(state);
    expect(parseJobState({ ...state, plan: null, remainingMs: null })).toBeDefined();
    for (const wrong of damaged(state)) expect(parseJobState(wrong)).toBeUndefined();
  });
});

describe('routes', () => {
  it('are made of roots and numbers alone', () => {
    expect(blobPath(HASH, HASH)).toBe(`/jobs/${HASH}/blobs/${HASH}`);
    expect(partPath(HASH, HASH, 3)).toBe(`/jobs/${HASH}/uploads/${HASH}/parts/3`);
  });
});
