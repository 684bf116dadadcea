import { spawn } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';

// Compiles the AssemblyScript kernels into build/kernels.wasm, where the sources find it, and copies it into the folder of
// compiled modules named by the argument, where those find it.

const here = import.meta.dirname;
const root = join(here, '..', '..', '..');
const compiler = join(root, 'node_modules', 'assemblyscript', 'bin', 'asc.js');
const sources = readdirSync(join(here, 'assembly'))
  .filter((name) => name.endsWith('.ts'))
  .sort()
  .map((name) => join('shared', 'aggregation', 'kernels', 'assembly', name));

const built = join(here, 'build');
const draft = join(built, `kernels.${process.pid}.wasm`);
mkdirSync(built, { recursive: true });

const flags = [
  ...['-O3', '--noAssert', '--runtime', 'stub', '--enable', 'simd,threads,bulk-memory'],
  ...['--importMemory', '--sharedMemory', '--initialMemory', '1', '--maximumMemory', '65536'],
];
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
  const [into] = process.argv.slice(2);
  if (into === undefined) return;
  const folder = join(into, 'shared', 'aggregation', 'kernels', 'build');
  mkdirSync(folder, { recursive: true });
  copyFileSync(join(built, 'kernels.wasm'), join(folder, 'kernels.wasm'));
});
