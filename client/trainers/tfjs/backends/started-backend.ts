/** A TensorFlow.js backend that has been started and works. */
export interface StartedBackend {
  /** The name under which tfjs-core knows it. */
  readonly registeredAs: string;
  /** What it computes on, for people: an adapter's name and driver. */
  readonly device?: string;
  /**
   * Throws if the device failed since it was started. A GPU reports what went wrong later and elsewhere, and goes on with
   * buffers full of zeros.
   *
   * @throws TrainerError `trainer/backend-failed`
   */
  assertSound?(): void;
}

/** Says in one line why something failed. */
export function firstLine(cause: unknown): string {
  const message = cause instanceof Error ? cause.message : String(cause);
  return message.split('\n')[0] ?? message;
}
