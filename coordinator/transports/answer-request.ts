import { FedanchorError } from '../../shared/errors.ts';
import { OPERATIONS, type OperationName, type Reply } from '../../shared/protocol/messages.ts';
import type { Guard } from '../limits/guard.ts';
import type { Log } from '../log.ts';
import type { Connection } from './connection.ts';
import type { ControlHandlers } from './control-handlers.ts';

/** What answering takes. */
export interface AnsweringOptions {
  /** What requests mean. */
  readonly handlers: ControlHandlers;
  /** Holds every party to its share. */
  readonly guard: Guard;
  /** Where to tell what happens. */
  readonly log: Log;
}

/** Who asks, as the transport knows it. */
export interface Asker {
  /** Tells the connection apart from all others. */
  readonly id: string;
  /** Whom limits by address count for; undefined for a peer they do not hold for. */
  readonly peer: string | undefined;
  /** What is known about the connection. */
  readonly connection: Connection;
}

/**
 * Answers one request of the control plane, whatever it is: over its share, unknown, malformed, refused or done. Never
 * throws; what is not coded is logged and answered without its details.
 *
 * @param name - as it arrived
 * @param payload - as it arrived
 */
export async function answerRequest(
  { handlers, guard, log }: AnsweringOptions,
  { id, peer, connection }: Asker,
  name: string,
  payload: unknown,
): Promise<Reply<unknown>> {
  try {
    guard.request(id, connection.session);
    if (!Object.hasOwn(OPERATIONS, name)) {
      return { ok: false, code: 'request/unknown', message: `there is no request named "${name.slice(0, 80)}"` };
    }
    const operation = name as OperationName;
    const request = OPERATIONS[operation].request.safeParse(payload);
    if (!request.success) {
      const issue = request.error.issues[0];
      return {
        ok: false,
        code: 'request/invalid',
        message: `${operation}, field "${issue?.path.join('.') ?? ''}": ${issue?.message ?? 'is not valid'}`,
      };
    }
    // Recovering the signer of a challenge is the dearest thing that a stranger can ask for.
    if (operation === 'session.open') guard.handshake(peer);
    const handle = handlers[operation] as (connection: Connection, request: unknown) => Promise<unknown>;
    return { ok: true, answer: await handle(connection, request.data) };
  } catch (error) {
    if (error instanceof FedanchorError) return { ok: false, code: error.code, message: error.message };
    log.error({ operation: name, error: (error as Error).message }, 'request failed');
    return { ok: false, code: 'request/failed', message: 'the coordinator could not do this now: try again later' };
  }
}
