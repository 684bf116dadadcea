import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { build, hashInputs, isBuilt } from './build.mjs';
import { install, whatToInstall } from './install.mjs';
import { launch } from './launch.mjs';
import { takeLock } from './lock.mjs';
import { root, SetupError, say } from './place.mjs';

/**
 * Installs and builds what is missing, then runs the script named by the first argument with the rest.
 *
 * @param {readonly string[]} parameters a script's path from the package's folder and its arguments, or nothing
 */
export async function main(parameters) {
  try {
    const start = performance.now();
    if (!isReady()) await setUp();
    const setupMs = Math.round(performance.now() - start);
    const [script, ...rest] = parameters;
    if (script !== undefined) launch([join(root, script), ...rest], setupMs);
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    say(error.message);
    process.exitCode = 1;
  }
}

/** A look without the lock. What it meets half written is being set up, so it counts as not ready. */
function isReady() {
  try {
    return whatToInstall() === undefined && isBuilt(hashInputs());
  } catch {
    return false;
  }
}

async function setUp() {
  const release = await takeLock(join(root, '.setup.lock'), () => say('waiting for the set-up that is under way …'));
  try {
    const missing = whatToInstall();
    if (missing !== undefined) await timed(`installing (${missing})`, install);
    const inputsHash = hashInputs();
    if (!isBuilt(inputsHash)) await timed('building', () => build(inputsHash));
  } finally {
    release();
  }
}

/**
 * @param {string} what
 * @param {() => Promise<void>} work
 */
async function timed(what, work) {
  const start = performance.now();
  say(`${what} …`);
  await work();
  say(`done in ${((performance.now() - start) / 1_000).toFixed(1)} s`);
}
