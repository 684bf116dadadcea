/** Where a component tells what it does: the part of pino's interface that is used. */
export interface Log {
  /** Something worth knowing. */
  info(fields: Readonly<Record<string, unknown>>, message: string): void;
  /** Something that may need attention. */
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
  /** Something that went wrong. */
  error(fields: Readonly<Record<string, unknown>>, message: string): void;
}

/** A log whose every line carries these fields besides its own. */
export function withFields(log: Log, fields: Readonly<Record<string, unknown>>): Log {
  return {
    info: (more, message) => log.info({ ...fields, ...more }, message),
    warn: (more, message) => log.warn({ ...fields, ...more }, message),
    error: (more, message) => log.error({ ...fields, ...more }, message),
  };
}
