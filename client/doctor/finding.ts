/** One thing that was looked at. */
export interface Finding {
  /** What it is about. */
  readonly name: string;
  /** `warning` keeps nothing from working today. */
  readonly verdict: 'good' | 'warning' | 'bad';
  /** What was found. */
  readonly message: string;
  /** Stable code of the error behind it, where there is one. */
  readonly code?: string;
  /** What to do about it, where it is not good. */
  readonly remedy?: string;
}

/** A finding before it has its name. */
export type Outcome = Omit<Finding, 'name'>;

/** Nothing to do. */
export function good(message: string): Outcome {
  return { verdict: 'good', message };
}

/** Something to know, which keeps nothing from working. */
export function warning(message: string, remedy?: string): Outcome {
  return { verdict: 'warning', message, ...(remedy === undefined ? {} : { remedy }) };
}

/** Something that keeps the client from taking part. */
export function bad(message: string, remedy?: string): Outcome {
  return { verdict: 'bad', message, ...(remedy === undefined ? {} : { remedy }) };
}
