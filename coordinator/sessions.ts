import { randomBytes, timingSafeEqual } from 'node:crypto';
import { recoverAddress } from '../contracts/wallet.ts';
import { type Hex, toHex, utf8 } from '../shared/bytes.ts';
import { NO_ANCHOR, SESSION_TYPE, typedDataDigest } from '../shared/commitments/typed-data.ts';
import { FedanchorError } from '../shared/errors.ts';
import type { Role } from '../shared/protocol/messages.ts';

/** Thrown when a party does not prove who it is or may not be what it asks to be. */
export class SessionError extends FedanchorError<
  'session/no-challenge' | 'session/bad-signature' | 'session/not-allowed' | 'session/not-open' | 'session/wrong-role'
> {}

/** What a session is for: taking part in one job, or operating the coordinator. */
export interface SessionPurpose {
  /** Address to be proven, lower case. */
  readonly address: Hex;
  /** Role asked for. */
  readonly role: Role;
  /** The job to take part in; null for an operator. */
  readonly job: Hex | null;
  /** The job's RoundAnchor, where signatures are valid; undefined for an operator. */
  readonly anchor: Hex | undefined;
}

/** Who is at the other end. */
export interface Session extends SessionPurpose {
  /** Opens the bulk plane for as long as the connection lives. */
  readonly token: string;
}

/** A challenge that waits for its signature. */
export interface Challenge extends SessionPurpose {
  /** 32 random bytes. */
  readonly challenge: Hex;
}

/** Sessions of one coordinator: a fresh challenge each, a token while the connection lives. */
export interface Sessions {
  /** Issues a challenge to a party that may be what it asks to be. */
  challenge(purpose: SessionPurpose): Challenge;
  /**
   * Opens a session on a signed challenge.
   *
   * @throws SessionError `session/bad-signature`
   */
  open(challenge: Challenge, signature: Hex): Session;
  /** The session a token belongs to, if it is alive. */
  find(token: string): Session | undefined;
  /** Ends a session; its token opens nothing any more. */
  end(session: Session): void;
  /** Ends every session of an address for a job. */
  endAllOf(address: Hex, job: Hex): void;
}

/**
 * Creates an empty register.
 *
 * @param chainId - EIP-155 chain id, part of what is signed
 * @param coordinator - the coordinator's own address, part of what is signed
 */
export function createSessions(chainId: bigint, coordinator: Hex): Sessions {
  const live = new Map<string, Session>();
  return {
    challenge: (purpose) => ({ ...purpose, challenge: toHex(randomBytes(32)) }),
    open: ({ challenge, ...purpose }, signature) => {
      const { address, role, anchor = NO_ANCHOR } = purpose;
      const digest = typedDataDigest({ chainId, anchor }, SESSION_TYPE, { coordinator, role, challenge });
      let signer: Hex | undefined;
      try {
        signer = recoverAddress(digest, signature);
      } catch {
        signer = undefined;
      }
      if (signer !== address) {
        throw new SessionError('session/bad-signature', `the challenge was not signed by ${address}`, { address });
      }
      const session: Session = { ...purpose, token: randomBytes(32).toString('base64url') };
      live.set(session.token, session);
      return session;
    },
    find: (token) => {
      const session = live.get(token);
      return session && timingSafeEqual(utf8(session.token), utf8(token)) ? session : undefined;
    },
    end: (session) => {
      live.delete(session.token);
    },
    endAllOf: (address, job) => {
      for (const session of [...live.values()]) {
        if (session.address === address && session.job === job) live.delete(session.token);
      }
    },
  };
}
