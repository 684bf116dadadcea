import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { audit } from '../../../client/auditor/audit.ts';
import { AuditError } from '../../../client/auditor/audit-error.ts';
import type { AuditReport } from '../../../client/auditor/report.ts';
import { recoverAddress } from '../../../contracts/wallet.ts';
import type { Hex } from '../../../shared/bytes.ts';
import { decodeDocument } from '../../../shared/round/document.ts';
import { createHistory, type History, memoryBlobs } from './history.ts';

const history = await createHistory();
const second = history.records[1]?.record as NonNullable<History['records'][number]>['record'];
const document = decodeDocument(history.blobs.get(second.location) as Uint8Array);

/** Every kind of blob: its id, the round it is of (0: the origin) and what the report calls it. */
const kinds: [kind: string, id: Hex, round: number, what: RegExp][] = [
  ['manifest', history.terms.job, 0, /^manifest$/],
  ['genesis model', history.facts.genesisModelRoot, 0, /^genesis model$/],
  ['update', document.contributions[3]?.updateRoot as Hex, 2, /^update of 0x[0-9a-f]{40}$/],
  ['document', second.location, 2, /^document$/],
  ['aggregate', second.aggregateRoot, 2, /^published aggregate$/],
  ['model', second.modelRoot, 2, /^published model$/],
];

function auditWith(id: Hex, bytes: Uint8Array | undefined): Promise<AuditReport> {
  const blobs = new Map(history.blobs);
  if (bytes === undefined) blobs.delete(id);
  else blobs.set(id, bytes);
  return audit({ ...history, blobs: memoryBlobs(blobs), recover: recoverAddress });
}

describe.each(kinds)('a stored %s', (_, id, round, what) => {
  const intact = history.blobs.get(id) as Uint8Array;

  function expectFound(report: AuditReport): void {
    expect(report.holds).toBe(false);
    const verdict = round === 0 ? report.origin : report.rounds[round - 1];
    expect(verdict?.divergence).toMatchObject({ blob: id });
    expect(verdict?.divergence?.what).toMatch(what);
    expect(report.rounds.slice(0, Math.max(0, round - 1)).every(({ holds }) => holds)).toBe(true);
  }

  it('with any bit flipped is found and named', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: intact.length - 1 }), fc.integer({ min: 0, max: 7 }), async (at, bit) => {
        const bytes = intact.slice();
        bytes[at] = (bytes[at] as number) ^ (1 << bit);
        expectFound(await auditWith(id, bytes));
      }),
      {
        numRuns: 12,
        examples: [
          [0, 0],
          [intact.length - 1, 7],
        ],
      },
    );
  });

  it.each([
    ['missing', undefined],
    ['empty', new Uint8Array()],
    ['cut short', intact.subarray(0, -1)],
    ['one byte longer', Uint8Array.from([...intact, 0])],
    ['swapped for another blob', history.blobs.get(history.records[0]?.record.location as Hex)],
  ])('that is %s is found and named', async (_, bytes) => {
    expectFound(await auditWith(id, bytes));
  });
});

describe('the rounds after a damaged blob', () => {
  const verdicts = async (id: Hex) => (await auditWith(id, undefined)).rounds.map(({ divergence }) => divergence?.what);

  it('hold when only what was published is damaged: the state is recomputed', async () => {
    expect(await verdicts(second.modelRoot)).toEqual([undefined, 'published model', undefined]);
    expect(await verdicts(second.aggregateRoot)).toEqual([undefined, 'published aggregate', undefined]);
  });

  it('do not hold when the round cannot be recomputed, though by themselves they do', async () => {
    const report = await auditWith(document.contributions[0]?.updateRoot as Hex, undefined);
    expect(report.rounds[2]?.divergence).toEqual({
      what: 'parent',
      expected: 'ancestors that hold',
      found: 'round 2 does not hold',
    });
  });

  it('cannot be audited when the state before them cannot be recovered either', async () => {
    const report = await auditWith(second.location, undefined);
    expect(report.rounds[2]?.divergence?.found).toBe('round 2, whose state cannot be recovered, does not hold');
  });

  it('go on from the first published model when the genesis model is lost', async () => {
    const report = await auditWith(history.facts.genesisModelRoot, undefined);
    expect(report.rounds.map(({ divergence }) => divergence?.found)).toEqual([
      'the genesis model, whose state cannot be recovered, does not hold',
      'round 1 does not hold',
      'round 1 does not hold',
    ]);
  });
});

describe('a source that cannot be asked', () => {
  it.each(['audit/blobs-unreachable', 'audit/blobs-refused'] as const)('ends the audit: %s', async (code) => {
    const blobs = {
      get: async () => {
        throw new AuditError(code, 'no answer');
      },
    };
    await expect(audit({ ...history, blobs, recover: recoverAddress })).rejects.toMatchObject({ code });
  });
});
