import type { Signer } from '../../contracts/wallet.ts';
import type { Hex } from '../../shared/bytes.ts';
import { SESSION_TYPE, type SigningDomain, typedDataDigest } from '../../shared/commitments/typed-data.ts';
import type { Role } from '../../shared/protocol/messages.ts';
import { PROTOCOL_VERSION } from '../../shared/protocol/version.ts';
import { SessionError } from '../session/session-error.ts';
import type { ControlTransport } from './control-transport.ts';

/** Whom a party means to speak to, as the chain knows it. */
export interface Counterpart extends SigningDomain {
  /** The job; null where an operator speaks to the coordinator as a whole, the anchor then being the zero address. */
  readonly job: Hex | null;
  /** The coordinator's address, lower case. */
  readonly coordinator: Hex;
}

/**
 * Opens a session by signing the coordinator's challenge. What is signed names the coordinator, chain and contract that
 * the caller knows, so a coordinator cannot pass the signature on to another.
 *
 * @param control - a connected control plane
 * @param signer - who opens the session
 * @param role - as what
 * @param counterpart - what the chain says
 * @returns the token that opens the bulk plane
 * @throws SessionError `session/chain-mismatch`; ProtocolError, TransportError
 */
export async function openSession(
  control: Pick<ControlTransport, 'request'>,
  signer: Signer,
  role: Role,
  counterpart: Counterpart,
): Promise<string> {
  const { address } = signer;
  const answer = await control.request('session.challenge', {
    protocol: PROTOCOL_VERSION,
    address,
    role,
    job: counterpart.job,
  });
  const { coordinator, chainId, anchor, job } = counterpart;
  const expected = { coordinator, chainId: String(chainId), anchor, job };
  for (const field of ['coordinator', 'chainId', 'anchor', 'job'] as const) {
    if (answer[field] === expected[field]) continue;
    throw new SessionError(
      'session/chain-mismatch',
      `the coordinator names ${field} ${answer[field]} but the chain says ${expected[field]}: check its address, or the job's`,
      { field, expected: expected[field], found: answer[field] },
    );
  }
  const digest = typedDataDigest({ chainId, anchor }, SESSION_TYPE, {
    coordinator,
    role,
    challenge: answer.challenge,
  });
  const { token } = await control.request('session.open', { signature: signer.signDigest(digest) });
  return token;
}
