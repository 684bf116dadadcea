import { FedanchorError } from '../../shared/errors.ts';

/** What a client refuses to go along with. */
export type SessionErrorCode =
  | 'session/chain-mismatch'
  | 'session/draw-mismatch'
  | 'session/manifest-mismatch'
  | 'session/model-mismatch'
  | 'session/not-listed'
  | 'session/plan-mismatch'
  | 'session/round-backwards'
  | 'session/unexpected-event';

/** Thrown when what the coordinator says does not agree with the chain, the manifest or a root. */
export class SessionError extends FedanchorError<SessionErrorCode> {}
