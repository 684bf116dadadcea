import { FedanchorError } from '../../shared/errors.ts';

/** What can go wrong on the way to the coordinator. */
export type TransportErrorCode =
  | 'transport/bad-reply'
  | 'transport/bad-url'
  | 'transport/disconnected'
  | 'transport/encoded'
  | 'transport/plaintext-refused'
  | 'transport/redirected'
  | 'transport/timeout'
  | 'transport/too-large'
  | 'transport/too-slow'
  | 'transport/unreachable';

/** Thrown when a request did not get an answer that can be used; it may get one later. */
export class TransportError extends FedanchorError<TransportErrorCode> {}

/** Thrown when the coordinator refused a request; `code` is the coordinator's, such as `gate/late`. */
export class ProtocolError extends FedanchorError {}
