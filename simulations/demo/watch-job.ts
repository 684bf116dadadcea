import { type Counterpart, openSession } from '../../client/transports/handshake.ts';
import { createSocketControl } from '../../client/transports/socket-control.ts';
import type { Signer } from '../../contracts/wallet.ts';
import type { JobEvent } from '../../coordinator/round/events.ts';
import type { Hex } from '../../shared/bytes.ts';
import { NO_ANCHOR } from '../../shared/commitments/typed-data.ts';
import type { JobStateMessage } from '../../shared/protocol/messages.ts';

/** A watch over a job. */
export interface JobWatch {
  /** Ends the watch. */
  close(): void;
}

/**
 * Watches a job as its operator: every event from the beginning, in order, once, however often the connection or the
 * coordinator goes down in between.
 *
 * @param url - the coordinator
 * @param operator - the operator's wallet
 * @param counterpart - whom to expect there, and the job to watch
 * @param onEvent - called with each event
 * @param onFailed - called when the job cannot go on
 */
export function watchJob(
  url: string,
  operator: Signer,
  counterpart: Counterpart & { readonly job: Hex },
  onEvent: (event: JobEvent) => void,
  onFailed: (reason: string) => void,
): JobWatch {
  const control = createSocketControl({ url, reconnectDelayMs: 100, mostReconnectDelayMs: 1000 });
  let seen = 0;
  let position = 0;
  control.onEvent((notice) => {
    const { job, event } = notice as { readonly job: Hex; readonly event: JobEvent };
    if (job !== counterpart.job) return;
    // A new subscription begins with the whole history; what was seen before is skipped.
    position++;
    if (position <= seen) return;
    seen = position;
    onEvent(event);
  });
  const look = (state: JobStateMessage): void => {
    if (state.phase === 'failed') onFailed(state.reason ?? 'no reason was given');
  };
  control.onState(look);
  control.onConnection((isConnected) => {
    if (!isConnected) return;
    position = 0;
    void openSession(control, operator, 'operator', { ...counterpart, job: null, anchor: NO_ANCHOR })
      .then(() => control.request('job.watch', { job: counterpart.job }))
      .then(({ state }) => look(state))
      // Whatever went wrong, a new connection begins it anew.
      .catch(() => control.reconnect(500));
  });
  control.connect();
  return { close: () => control.close() };
}
