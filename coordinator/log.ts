/** Where a component tells what it does: the part of pino's interface that is used. */
export interface Log {
  /** Something worth knowing. */
  info(fields: Readonly<Record<string, unknown>>, message: string): void;
  /** Something that may need attention. */
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
  /** Something that went wrong. */
  error(fields: Readonly<Record<string, unknown>>, message: string): void;
}
