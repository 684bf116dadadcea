/**
 * Base of every error this product throws on purpose.
 *
 * `code` is stable and meant for programs, `message` is one sentence for people that names the field at fault and the
 * remedy, `data` carries the values involved. Nobody matches on messages. Subclasses live beside what throws them.
 *
 * @example
 * ```ts
 * class LayoutError extends FedanchorError<'layout/empty'> {}
 * throw new LayoutError('layout/empty', 'the manifest lists no tensors: add at least one');
 * ```
 */
export class FedanchorError<Code extends string = string> extends Error {
  /** Stable identifier, `room/what-happened`. */
  readonly code: Code;
  /** The values involved, safe to log: never a key or a secret. */
  readonly data: Readonly<Record<string, unknown>>;

  /**
   * @param code - stable identifier
   * @param message - one sentence: what is wrong, with which field, and what to do
   * @param data - values involved, safe to log
   * @param cause - the error underneath, when there is one
   */
  constructor(code: Code, message: string, data: Readonly<Record<string, unknown>> = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = new.target.name;
    this.code = code;
    this.data = data;
  }
}
