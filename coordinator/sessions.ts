import { randomBytes, timingSafeEqual } from 'node:crypto';
import { recoverAddress } from '../contracts/wallet.ts';
import { type Hex, toHex, utf8 } from '../shared/bytes.ts';
import { SESSION_TYPE, type SigningDomain, typedDataDigest } from '../shared/commitments/typed-data.ts';
import { FedanchorError } from '../shared/errors.ts';
import type { Role } from '../shared/protocol/messages.ts';

/** Thrown when a party does not prove who it is or may not be what it asks to be. */
export class SessionError extends FedanchorError<
  'session/no-challenge' | 'session/bad-signature' | 'session/not-allowed' | 'session/not-open' | 'session/wrong-role'
> {}

/** Who is at the other end. */
export interface Session {
  /** Proven address, lower case. */
  readonly address: Hex;
  /** Granted role. */
  readonly role: Role;
  /** Opens the bulk plane for as long as the connection lives. */
  readonly token: string;
}

/** A challenge that waits for its signature. */
export interface Challenge {
  /** Address to be proven. */
  readonly address: Hex;
  /** Role asked for. */
  readonly role: Role;
  /** 32 random bytes. */
  readonly challenge: Hex;
}

/** What the register of sessions needs. */
export interface SessionOptions {
  /** Where signatures are valid. */
  readonly domain: SigningDomain;
  /** The coordinator's own address, part of what is signed. */
  readonly coordinator: Hex;
  /** Who may take a role. */
  readonly mayBe: (address: Hex, role: Role) => boolean;
}

/** Sessions of one coordinator: a fresh challenge each, a token while the connection lives. */
export interface Sessions {
  /**
   * Issues a challenge.
   *
   * @throws SessionError `session/not-allowed`
   */
  challenge(address: Hex, role: Role): Challenge;
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
}

/** Creates an empty register. */
export function createSessions({ domain, coordinator, mayBe }: SessionOptions): Sessions {
  const live = new Map<string, Session>();
  return {
    challenge: (address, role) => {
      if (!mayBe(address, role)) {
        throw new SessionError('session/not-allowed', `${address} is not admitted as ${role}: ask the operator`, {
          address,
          role,
        });
      }
      return { address, role, challenge: toHex(randomBytes(32)) };
    },
    open: ({ address, role, challenge }, signature) => {
      const digest = typedDataDigest(domain, SESSION_TYPE, { coordinator, role, challenge });
      let signer: Hex | undefined;
      try {
        signer = recoverAddress(digest, signature);
      } catch {
        signer = undefined;
      }
      if (signer !== address) {
        throw new SessionError('session/bad-signature', `the challenge was not signed by ${address}`, { address });
      }
      const session: Session = { address, role, token: randomBytes(32).toString('base64url') };
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
  };
}
