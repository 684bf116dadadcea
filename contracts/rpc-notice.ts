/** Something worth a line in a log. It is plain data: amounts are decimal strings. */
export interface Notice<Type extends string> {
  /** What happened. */
  readonly type: Type;
  /** Whether somebody should look at it. */
  readonly level: 'info' | 'warn';
  /** One sentence for people. */
  readonly message: string;
  /** Code of the error behind it, where there is one. */
  readonly code?: string;
  /** The values involved, safe to log. */
  readonly data: Readonly<Record<string, string | number>>;
}

/** What several endpoints have to tell. */
export type RpcNotice = Notice<
  'failedOver' | 'endpointFailed' | 'endpointLagged' | 'endpointRefused' | 'endpointReturned'
>;
