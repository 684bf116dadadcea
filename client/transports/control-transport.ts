import type { AnswerOf, JobStateMessage, OperationName, RequestOf } from '../../shared/protocol/messages.ts';

/** The control plane as a client sees it: small requests, each answered, and notices of where the job stands. */
export interface ControlTransport {
  /** Begins to connect, and to connect again whenever the connection is lost, until closed. */
  connect(): void;
  /**
   * Drops the connection and connects again.
   *
   * @param delayMs - pause before connecting
   */
  reconnect(delayMs: number): void;
  /**
   * Sends one request and waits for its answer.
   *
   * @param name - the operation
   * @param payload - what it takes
   * @throws ProtocolError with the coordinator's code; TransportError `transport/disconnected`, `transport/timeout`,
   *   `transport/bad-reply`
   */
  request<Name extends OperationName>(name: Name, payload: RequestOf<Name>): Promise<AnswerOf<Name>>;
  /** Calls a listener on every `job.state` notice that is well formed. */
  onState(listener: (state: JobStateMessage) => void): void;
  /** Calls a listener on every `job.event` notice, which a watching operator receives, as it came. */
  onEvent(listener: (event: unknown) => void): void;
  /** Calls a listener whenever the connection comes up or is lost; `reason` says why it was lost. */
  onConnection(listener: (isConnected: boolean, reason: string) => void): void;
  /** Ends the connection for good. */
  close(): void;
}
