import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Folder that holds package.json, without a trailing separator. */
export const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/** Ends the set-up: its message is the last thing said. */
export class SetupError extends Error {}

/**
 * Says one short line about progress. It goes to stderr, because stdout belongs to the script that is run.
 *
 * @param {string} line
 */
export function say(line) {
  process.stderr.write(`set-up: ${line}\n`);
}
