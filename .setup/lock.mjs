import { closeSync, openSync, readFileSync, rmSync, statSync, utimesSync, writeSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

const beatMs = 1_000;
/** A holder that has not shown itself for this long is taken for dead, whatever its process id says. */
const silenceMs = 20_000;

/**
 * Waits for the one lock file, so that two set-ups in one folder do not run at a time.
 *
 * The holder touches the file every second; a lock whose process is gone, or that has not been touched for a while, is
 * taken over. (Node has no lock that the operating system gives back by itself.)
 *
 * @param {string} file
 * @param {() => void} onWait called once when another holds it
 * @returns {Promise<() => void>} gives the lock back
 */
export async function takeLock(file, onWait) {
  let waiting = false;
  while (!create(file)) {
    if (isDead(file)) {
      breakLock(file);
      continue;
    }
    if (!waiting) onWait();
    waiting = true;
    await pause(100);
  }
  const beat = setInterval(() => touch(file), beatMs);
  const release = () => {
    clearInterval(beat);
    process.off('exit', release);
    rmSync(file, { force: true });
  };
  process.on('exit', release);
  return release;
}

/** @param {string} file */
function create(file) {
  try {
    const handle = openSync(file, 'wx');
    writeSync(handle, String(process.pid));
    closeSync(handle);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/** @param {string} file */
function isDead(file) {
  try {
    if (Date.now() - statSync(file).mtimeMs > silenceMs) return true;
    const holder = Number(readFileSync(file, 'utf8'));
    // Just created and not written yet.
    if (holder === 0) return false;
    process.kill(holder, 0);
    return false;
  } catch (error) {
    return codeOf(error) === 'ESRCH';
  }
}

/**
 * Removes a dead holder's file. Of several that see it dead one gets to remove it, and looks again first: otherwise the
 * slower one would remove the lock that the faster one has just taken.
 *
 * @param {string} file
 */
function breakLock(file) {
  const right = `${file}.break`;
  if (!create(right)) {
    if (isDead(right)) rmSync(right, { force: true });
    return;
  }
  if (isDead(file)) rmSync(file, { force: true });
  rmSync(right, { force: true });
}

/** @param {string} file */
function touch(file) {
  const now = new Date();
  try {
    utimesSync(file, now, now);
  } catch {
    // The file is gone when the folder was emptied underneath; there is nothing left to hold.
  }
}

/** @param {unknown} error */
function codeOf(error) {
  return /** @type {NodeJS.ErrnoException} */ (error).code;
}
