import { spawn } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './place.mjs';

// Compiles the AssemblyScript kernels of each folder below into its build/kernels.wasm, where the sources find them, and
// copies them into the folder of compiled modules named by the argument, where those find them.

/** Folders with an assembly/ of kernels. */
const kernelFolders = [
  join('shared', 'aggregation', 'kernels'),
  join('simulations', 'engine', 'kernels'),
  join('simulations', 'models', 'kernels'),
];

const compiler = join(root, 'node_modules', 'assemblyscript', 'bin', 'asc.js');
const flags = [
  ...['-O3', '--noAssert', '--runtime', 'stub', '--enable', 'simd,threads,bulk-memory'],
  ...['--importMemory', '--sharedMemory', '--initialMemory', '1', '--maximumMemory', '65536'],
];

/**
 * @param {string} folder one of `kernelFolders`
 * @param {string | undefined} into folder of compiled modules
 */
function compile(folder, into) {
  const sources = readdirSync(join(root, folder, 'assembly'))
    .filter((name) => name.endsWith('.ts'))
    .sort()
    .map((name) => join(folder, 'assembly', name));
  const built = join(root, folder, 'build');
  const draft = join(built, `kernels.${process.pid}.wasm`);
  mkdirSync(built, { recursive: true });
  const child = spawn(process.execPath, [compiler, ...sources, ...flags, '--outFile', draft], {
    cwd: root,
    stdio: 'inherit',
  });
  child.on('exit', (code) => {
    if (code !== 0) {
      process.exitCode = 1;
      return;
    }
    renameSync(draft, join(built, 'kernels.wasm'));
    if (into === undefined) return;
    const target = join(into, folder, 'build');
    mkdirSync(target, { recursive: true });
    copyFileSync(join(built, 'kernels.wasm'), join(target, 'kernels.wasm'));
  });
}

const [into] = process.argv.slice(2);
for (const folder of kernelFolders) compile(folder, into);
