import { describe, expect, it } from 'vitest';
import type { CaseFile } from '../../../contracts/court/case-file.ts';
import { createCourtWriter } from '../../../contracts/court/court-writer.ts';
import type { Outbox, SendRequest } from '../../../contracts/outbox/outbox.ts';
import type { Hex } from '../../../shared/bytes.ts';
import { factsOf, openingOf } from '../../../shared/openings/facts.ts';
import { roundsOf } from '../../shared/openings/opened-round.ts';

const ADDRESSES = {
  disputes: `0x${'d1'.repeat(20)}`,
  stakes: `0x${'57'.repeat(20)}`,
  token: `0x${'70'.repeat(20)}`,
} as const;

/** A writer whose requests are kept in place of being sent. */
function recorded() {
  const sent: SendRequest[] = [];
  const receipt = { transactionHash: '0x', blockNumber: 1, blockHash: '0x', gasUsed: 1, gasPriceWei: '1' } as const;
  const outbox = {
    send: async (request: SendRequest) => {
      sent.push(request);
      return receipt;
    },
  } as Pick<Outbox, 'send'> as Outbox;
  return { sent, writer: createCourtWriter(outbox, ADDRESSES) };
}

describe('ids of moves', () => {
  it('tell the same sums at one level from the same at the next', async () => {
    const { sent, writer } = recorded();
    const sums = [0n, 7n, 0n];
    for (const at of [
      { first: 0, span: 3000 },
      { first: 1024, span: 1024 },
      { first: 1024, span: 1024 },
    ]) {
      await writer.pickSum(4n, at, 1, sums);
    }
    expect(new Set(sent.map(({ data }) => data)).size).toBe(1);
    expect(sent[0]?.id).not.toBe(sent[1]?.id);
    expect(sent[1]?.id).toBe(sent[2]?.id);
  });

  it('tell a dispute from one that got its number after a reorganization', async () => {
    const rounds = roundsOf({ rule: { rule: 'Median', f: 1 } });
    const { view } = await rounds.play(null, 0);
    const caseOf = (caseHash: Hex): CaseFile => ({
      ...{ id: 1n, facts: factsOf(openingOf(view, false)), subjectData: '0x', caseHash },
      subject: { kind: 'gram', row: 0, column: 0 },
    });
    const { sent, writer } = recorded();
    await writer.postSums(caseOf(`0x${'01'.repeat(32)}`), { first: 0, span: 40 }, [1n]);
    await writer.postSums(caseOf(`0x${'02'.repeat(32)}`), { first: 0, span: 40 }, [1n]);
    expect(sent[0]?.id).not.toBe(sent[1]?.id);
  });

  it('are one for one lie, and others for another attempt, kind or place', async () => {
    const rounds = roundsOf({ rule: { rule: 'Median', f: 1 } });
    const [first, again] = [await rounds.play(null, 0), await rounds.play(null, 1)];
    const { sent, writer } = recorded();
    await writer.challenge(first.view, { kind: 'scores' });
    await writer.challenge(first.view, { kind: 'scores' });
    await writer.challenge(again.view, { kind: 'scores' });
    await writer.challenge(first.view, { kind: 'coordinate', coordinate: 1 });
    await writer.challenge(first.view, { kind: 'coordinate', coordinate: 2 });
    expect(new Set(sent.map(({ id }) => id)).size).toBe(4);
    expect(sent.every(({ to }) => to === ADDRESSES.disputes)).toBe(true);
    await writer.approveBonds(5n, 'first');
    expect(sent.at(-1)).toMatchObject({ to: ADDRESSES.token, id: expect.stringContaining('first') });
  });
});
