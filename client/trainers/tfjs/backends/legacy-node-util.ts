import { createRequire } from 'node:module';

/** What `node:util` offered until Node 23, as far as `@tensorflow/tfjs-node` 4.22 calls it. */
const DROPPED: Readonly<Record<string, (value: unknown) => boolean>> = {
  isArray: (value) => Array.isArray(value),
  isNullOrUndefined: (value) => value === null || value === undefined,
};

/**
 * Gives `node:util` back the functions that Node 23 dropped and the native TensorFlow packages still call. They are
 * CommonJS and look them up at each call, so that adding them to the module's object is enough. What is there stays.
 *
 * @param util - the object to mend; default: the one that CommonJS packages get
 */
export function restoreLegacyNodeUtil(
  util: Record<string, unknown> = createRequire(import.meta.url)('node:util') as Record<string, unknown>,
): void {
  for (const [name, restored] of Object.entries(DROPPED)) {
    if (typeof util[name] !== 'function') util[name] = restored;
  }
}
