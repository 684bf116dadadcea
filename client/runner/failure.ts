import { FedanchorError } from '../../shared/errors.ts';
import type { Severity } from '../session/events.ts';
import { ProtocolError, TransportError } from '../transports/transport-error.ts';

/** A failed piece of work as the session sees it. */
export interface Failure {
  /** Stable identifier. */
  readonly code: string;
  /** One sentence. */
  readonly message: string;
  /** Whether it may go better. */
  readonly severity: Severity;
}

/** Describes any error. What is not coded is a fault of this program or its machine, and stays with this client. */
export function failureOf(error: unknown): Failure {
  if (!(error instanceof FedanchorError)) {
    return {
      code: 'client/internal',
      message: error instanceof Error ? error.message : String(error),
      severity: 'final',
    };
  }
  return { code: error.code, message: error.message, severity: severityOf(error) };
}

/** Refusals that say nothing about what was asked: the coordinator cannot do it now, and will be able to again. */
const PASSING: readonly string[] = ['coordinator/storage-unavailable', 'runner/stopped'];

function severityOf(error: FedanchorError): Severity {
  if (error instanceof ProtocolError) return PASSING.includes(error.code) ? 'lost' : 'refused';
  if (!(error instanceof TransportError)) return 'final';
  switch (error.code) {
    case 'transport/disconnected':
    case 'transport/timeout':
    case 'transport/unreachable':
      return 'lost';
    case 'transport/bad-reply':
      return 'refused';
    default:
      return 'final';
  }
}
