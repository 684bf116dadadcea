import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { root, SetupError } from './place.mjs';
import { runProgram } from './run-program.mjs';

const installFlags = [
  '--ignore-scripts',
  '--include=dev',
  '--include=optional',
  '--no-audit',
  '--no-fund',
  '--loglevel=error',
];

/** @typedef {{ version?: string, integrity?: string, optional?: boolean, devOptional?: boolean }} LockedPackage */

/**
 * Tells whether node_modules holds what package-lock.json asks for. npm writes what it installed into
 * node_modules/.package-lock.json as its last act, so an install that was cut short counts as none. Optional packages
 * are not looked at: which of them belong here depends on the platform.
 *
 * @returns {string | undefined} what is amiss, undefined when nothing is
 */
export function whatToInstall() {
  const record = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(record)) return 'packages are not installed yet';
  const wanted = readPackages(join(root, 'package-lock.json'));
  const present = readPackages(record);
  for (const [path, { version, integrity, optional, devOptional }] of Object.entries(wanted)) {
    if (path === '' || optional === true || devOptional === true) continue;
    const found = present[path];
    if (found?.version !== version) return `${path.replace(/^.*node_modules\//, '')} ${version} is not installed`;
    if (found?.integrity !== integrity) return `${path.replace(/^.*node_modules\//, '')} is not the one asked for`;
  }
  return undefined;
}

/**
 * Installs the locked packages. No package's install script is run: none is needed.
 *
 * This is "npm install", checked afterwards, and not "npm ci": that one refuses a lock file without the native packages
 * of every platform, and a registry mirror that has not all of them makes such lock files.
 *
 * @throws SetupError
 */
export async function install() {
  // Under "npm start" this is the npm that was called; otherwise the one on the path is.
  const script = process.env['npm_execpath'];
  const own = script !== undefined && basename(script) === 'npm-cli.js';
  await runProgram(
    own ? process.execPath : 'npm',
    [...(own ? [script] : []), 'install', '--no-save', ...installFlags],
    "the packages could not be installed: npm's own words are above; the first set-up needs the npm registry",
    { shell: !own && process.platform === 'win32' },
  );
  const amiss = whatToInstall();
  if (amiss !== undefined) {
    throw new SetupError(
      `npm did not install what package-lock.json names: ${amiss}; remove node_modules and try again`,
    );
  }
}

/**
 * @param {string} file
 * @returns {Record<string, LockedPackage>}
 */
function readPackages(file) {
  return JSON.parse(readFileSync(file, 'utf8')).packages;
}
