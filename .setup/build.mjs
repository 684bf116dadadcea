import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './place.mjs';
import { runProgram } from './run-program.mjs';

const inputs = [
  'client',
  'contracts',
  'coordinator',
  'fedanchor.ts',
  'package-lock.json',
  'package.json',
  '.setup',
  'shared',
  'simulations',
  'tsconfig.build.json',
  'tsconfig.json',
];
/** Folders that the build writes or does not read. */
const passedOver = new Set([
  'contracts/build',
  'contracts/cache',
  'contracts/snapshots',
  'contracts/test',
  'shared/aggregation/kernels/build',
  'simulations/engine/kernels/build',
  'simulations/models/kernels/build',
]);
const stampName = '.inputs';
const kernels = ['shared/aggregation', 'simulations/engine', 'simulations/models'].map(
  (folder) => `${folder}/kernels/build/kernels.wasm`,
);

/**
 * Hashes everything the build reads: names and contents, no times, so that a fresh check-out of the same sources is not
 * built twice.
 *
 * @returns {string}
 */
export function hashInputs() {
  const hash = createHash('sha256');
  for (const input of inputs) add(input);
  return hash.digest('hex');

  /** @param {string} path */
  function add(path) {
    if (!statSync(join(root, path)).isDirectory()) {
      addFile(path);
      return;
    }
    for (const name of readdirSync(join(root, path)).sort()) {
      const inner = `${path}/${name}`;
      if (!passedOver.has(inner) && name !== '__pycache__') add(inner);
    }
  }

  /** @param {string} path */
  function addFile(path) {
    const content = readFileSync(join(root, path));
    hash.update(`${path}\n${content.length}\n`).update(content);
  }
}

/**
 * Tells whether the build in dist/, contracts/build/ and kernels/build/ is that of these inputs.
 *
 * @param {string} inputsHash
 * @returns {boolean}
 */
export function isBuilt(inputsHash) {
  const stamp = join(root, 'dist', stampName);
  return (
    existsSync(stamp) &&
    readFileSync(stamp, 'utf8') === inputsHash &&
    existsSync(join(root, 'contracts', 'build', stampName)) &&
    kernels.every((file) => existsSync(join(root, file)))
  );
}

/**
 * Compiles the TypeScript, the contracts and the kernels. The result takes dist/'s place at once and only when whole, so a program
 * that runs meanwhile never meets half a build.
 *
 * @param {string} inputsHash
 * @throws SetupError
 */
export async function build(inputsHash) {
  const draft = join(root, '.dist-next');
  const old = join(root, '.dist-old');
  for (const folder of [draft, old]) rmSync(folder, { recursive: true, force: true });

  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const failure = 'the build failed: the messages above say where';
  // All are let finish, so that the errors of all are seen and none goes on after this process has ended.
  const outcomes = await Promise.allSettled([
    runProgram(process.execPath, [compiler, '-p', 'tsconfig.build.json', '--outDir', draft], failure),
    runProgram(process.execPath, [join('contracts', 'compile.mjs')], failure),
    runProgram(process.execPath, [join('.setup', 'compile-kernels.mjs'), draft], failure),
  ]);
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;

  writeFileSync(join(draft, stampName), inputsHash);
  const dist = join(root, 'dist');
  if (existsSync(dist)) renameSync(dist, old);
  renameSync(draft, dist);
  rmSync(old, { recursive: true, force: true });
}
