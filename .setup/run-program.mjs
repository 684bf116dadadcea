import { spawn } from 'node:child_process';
import { root, SetupError } from './place.mjs';

/**
 * Runs a program in the package's folder, its output on stderr.
 *
 * @param {string} command
 * @param {readonly string[]} parameters
 * @param {string} failure what to say last when it fails
 * @param {{ shell?: boolean }} [options]
 * @returns {Promise<void>}
 * @throws SetupError when it cannot be started or ends with another code than 0
 */
export function runProgram(command, parameters, failure, { shell = false } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, parameters, { cwd: root, shell, stdio: ['ignore', 2, 2] });
    child.on('error', (error) => reject(new SetupError(`${failure} (${error.message})`)));
    child.on('exit', (code, signal) => {
      if (code === 0) resolve();
      else reject(new SetupError(`${failure} (${signal === null ? `exit code ${code}` : `ended by ${signal}`})`));
    });
  });
}
