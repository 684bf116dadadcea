import type { Signer } from '../../contracts/wallet.ts';
import { coordinatorEndpoint } from './endpoint.ts';
import { type Counterpart, openSession } from './handshake.ts';
import { createSocketControl } from './socket-control.ts';
import { TransportError } from './transport-error.ts';

/** A session with a coordinator, for what is read from it. */
export interface CoordinatorSession {
  /** The coordinator's address, without a trailing slash. */
  readonly url: string;
  /** Opens the bulk plane. */
  readonly token: string;
  /** Ends it. */
  close(): void;
}

/**
 * Opens a session as a participant: whoever may take part in a job may read what it discloses to participants.
 *
 * @throws TransportError `transport/bad-url`, `transport/plaintext-refused`, `transport/unreachable`; ProtocolError with the
 *   coordinator's code, `session/not-allowed` for whom it does not admit; SessionError `session/chain-mismatch`
 */
export async function openCoordinatorSession(
  address: string,
  allowPlaintext: boolean,
  signer: Signer,
  counterpart: Counterpart,
): Promise<CoordinatorSession> {
  const url = coordinatorEndpoint(address, allowPlaintext);
  const control = createSocketControl({ url });
  try {
    await new Promise<void>((resolve, reject) => {
      control.onConnection((isConnected, reason) => {
        if (isConnected) return resolve();
        const message = `the coordinator at ${url} does not answer (${reason}): check its address`;
        reject(new TransportError('transport/unreachable', message, { url }));
      });
      control.connect();
    });
    const { chainId, anchor, job, coordinator } = counterpart;
    const token = await openSession(control, signer, 'participant', { chainId, anchor, job, coordinator });
    return { url, token, close: () => control.close() };
  } catch (error) {
    control.close();
    throw error;
  }
}
