/** Where a client tells what it does: the part of pino's interface that is used. */
export interface Log {
  /** Details for whoever looks for a fault. */
  debug(fields: Readonly<Record<string, unknown>>, message: string): void;
  /** Something worth knowing. */
  info(fields: Readonly<Record<string, unknown>>, message: string): void;
  /** Something that may need attention; the client goes on. */
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
  /** Something that went wrong. */
  error(fields: Readonly<Record<string, unknown>>, message: string): void;
}
