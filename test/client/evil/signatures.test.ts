import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openSession } from '../../../client/transports/handshake.ts';
import { recoverAddress } from '../../../contracts/wallet.ts';
import { fromHex, type Hex, toHex } from '../../../shared/bytes.ts';
import { attestationDigest } from '../../../shared/commitments/attestation.ts';
import { type UpdateStatement, updateDigest } from '../../../shared/commitments/contribution.ts';
import { receiptDigest } from '../../../shared/commitments/receipt.ts';
import { SESSION_TYPE, typedDataDigest } from '../../../shared/commitments/typed-data.ts';
import { victimWallet } from './victim.ts';

const facts = {
  chainId: 31337n,
  anchor: `0x${'a1'.repeat(20)}` as Hex,
  job: `0x${'0b'.repeat(32)}` as Hex,
  coordinator: `0x${'c0'.repeat(20)}` as Hex,
};
const statement: UpdateStatement = {
  job: facts.job,
  round: 1,
  attempt: 0,
  parentRoot: `0x${'01'.repeat(32)}`,
  updateRoot: `0x${'02'.repeat(32)}`,
  samples: 1,
  largestMagnitude: 1,
  datasetCommitment: `0x${'03'.repeat(32)}`,
};

/** What the client signs for this challenge. */
async function signatureFor(challenge: Hex, named: object = {}): Promise<Hex | undefined> {
  let signature: Hex | undefined;
  const { chainId, anchor, job, coordinator } = facts;
  const control = {
    request: async (name: string, payload: { signature: Hex }) => {
      if (name === 'session.challenge')
        return { challenge, coordinator, chainId: String(chainId), anchor, job, ...named };
      signature = payload.signature;
      return { token: 'token' };
    },
  };
  await openSession(control as never, victimWallet, 'participant', facts);
  return signature;
}

/** Digests that a coordinator would like to have the participant's signature under. */
const wanted: Readonly<Record<string, Uint8Array>> = {
  'an update': updateDigest(facts, statement),
  'a receipt': receiptDigest(facts, {
    ...{ job: facts.job, round: 1, attempt: 0, participant: victimWallet.address },
    ...{ updateRoot: statement.updateRoot, verdict: 'accepted', code: '' },
  }),
  'an attestation': attestationDigest(facts, { job: facts.job, round: 1, head: `0x${'04'.repeat(26)}` } as never),
  'a session of an operator': typedDataDigest(facts, SESSION_TYPE, {
    ...{ coordinator: facts.coordinator, role: 'operator', challenge: `0x${'05'.repeat(32)}` },
  }),
  'a session with another coordinator': typedDataDigest(facts, SESSION_TYPE, {
    ...{ coordinator: `0x${'d0'.repeat(20)}`, role: 'participant', challenge: `0x${'05'.repeat(32)}` },
  }),
};

describe('a coordinator that chooses its challenge', () => {
  it.each(Object.keys(wanted))('gets no signature for %s by it', async (what) => {
    const digest = wanted[what] as Uint8Array;
    // The digest itself as a challenge, and the challenge of the session that is wanted.
    for (const challenge of [toHex(digest), `0x${'05'.repeat(32)}` as Hex]) {
      const signature = (await signatureFor(challenge)) as Hex;
      expect(recoverAddress(digest, signature)).not.toBe(victimWallet.address);
    }
  });

  it('gets a signature that binds the challenge, its own address, the chain, the contract and the role', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 32, maxLength: 32 }), async (bytes) => {
        const challenge = toHex(bytes);
        const signature = (await signatureFor(challenge)) as Hex;
        const digest = (changes: object, domain: object = {}) =>
          typedDataDigest({ ...facts, ...domain }, SESSION_TYPE, {
            ...{ coordinator: facts.coordinator, role: 'participant', challenge, ...changes },
          } as never);
        expect(recoverAddress(digest({}), signature)).toBe(victimWallet.address);
        const flipped = fromHex(challenge);
        flipped[0] = (flipped[0] as number) ^ 1;
        for (const other of [
          digest({ challenge: toHex(flipped) }),
          digest({ coordinator: `0x${'d0'.repeat(20)}` }),
          digest({ role: 'operator' }),
          digest({}, { chainId: 1n }),
          digest({}, { anchor: `0x${'a2'.repeat(20)}` }),
        ]) {
          expect(recoverAddress(other, signature)).not.toBe(victimWallet.address);
        }
      }),
      { numRuns: 20 },
    );
  });

  it.each([
    ['coordinator', `0x${'d0'.repeat(20)}`],
    ['anchor', `0x${'a2'.repeat(20)}`],
    ['chainId', '1'],
    ['job', `0x${'0c'.repeat(32)}`],
  ])('gets none when it passes on the challenge of another %s', async (field, value) => {
    const asked = signatureFor(`0x${'05'.repeat(32)}`, { [field]: value });
    await expect(asked).rejects.toMatchObject({ code: 'session/chain-mismatch', data: { field } });
  });
});
