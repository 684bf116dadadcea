import pc from 'picocolors';

/** Where a program writes, as far as it decides on colors. */
export interface Output {
  /** Whether a person looks at it. */
  readonly isTTY?: boolean;
}

/**
 * Whether to color what is written: for a person at a terminal, and nowhere else, so that a build server's log and a pipe
 * get plain text. `NO_COLOR` and `FORCE_COLOR` overrule it (no-color.org, force-color.org).
 */
export function wantsColors(env: Readonly<Record<string, string | undefined>>, output: Output): boolean {
  if (env['NO_COLOR']) return false;
  if (env['FORCE_COLOR']) return env['FORCE_COLOR'] !== '0';
  return output.isTTY === true && env['TERM'] !== 'dumb';
}

/** Colors for standard output. */
export const colors = pc.createColors(wantsColors(process.env, process.stdout));
