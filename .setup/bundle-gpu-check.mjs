import { chmodSync, copyFileSync, cpSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { rolldown } from 'rolldown';
import { root, SetupError, say } from './place.mjs';

const packages = join(root, 'node_modules');
const entry = '\0entry';

/**
 * Writes a folder that runs `check:gpu` on a machine with a driver and no Node: this Node's binary, Dawn for this platform,
 * and everything else as one JavaScript file. It is for machines like this one (operating system and processor).
 *
 * @param {string | undefined} target a folder that is empty or not there
 * @throws SetupError
 */
export async function bundleGpuCheck(target) {
  if (target === undefined || target.startsWith('--')) throw new SetupError('--bundle needs a folder to write to');
  const folder = resolve(target);
  if (existsSync(folder) && readdirSync(folder).length > 0) {
    throw new SetupError(`${folder} is not empty: name another folder`);
  }
  if (Reflect.get(process.config.variables, 'node_shared')) {
    throw new SetupError(
      "this Node is not whole without the system's libnode: use one from nodejs.org to write the folder",
    );
  }
  // Dawn's package looks for its binary beside itself, and the bundle is itself then.
  const platform = `${process.platform}-${process.platform === 'darwin' ? 'universal' : process.arch}`;
  const dawn = join(packages, 'webgpu', 'dist', platform);
  if (!existsSync(dawn)) throw new SetupError(`the package webgpu has no binary for ${platform}`);
  mkdirSync(folder, { recursive: true });
  await bundleScript(join(folder, 'check-gpu.mjs'));
  cpSync(dawn, join(folder, 'dist', platform), { recursive: true });
  const wasm = join(packages, '@tensorflow', 'tfjs-backend-wasm', 'dist');
  mkdirSync(join(folder, 'wasm'));
  for (const name of readdirSync(wasm)) {
    if (name.endsWith('.wasm')) copyFileSync(join(wasm, name), join(folder, 'wasm', name));
  }
  const node = process.platform === 'win32' ? 'node.exe' : 'node';
  copyFileSync(process.execPath, join(folder, node));
  chmodSync(join(folder, node), 0o755);
  copyFileSync(join(root, 'LICENSE'), join(folder, 'LICENSE'));
  if (process.platform === 'win32') {
    writeFileSync(join(folder, 'run.cmd'), '@"%~dp0node.exe" "%~dp0check-gpu.mjs" %*\r\n');
  } else {
    const script =
      '#!/bin/sh\nhere="$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)"\nexec "$here/node" "$here/check-gpu.mjs" "$@"\n';
    writeFileSync(join(folder, 'run.sh'), script, { mode: 0o755 });
  }
  say(
    `${folder} is written: take it to the other machine and start run.${process.platform === 'win32' ? 'cmd' : 'sh'}`,
  );
}

/** @param {string} file */
async function bundleScript(file) {
  const cli = join(root, 'dist', 'client', 'check-gpu', 'cli.js');
  const bundle = await rolldown({
    input: entry,
    cwd: root,
    platform: 'node',
    logLevel: 'silent',
    plugins: [
      {
        name: 'entry',
        resolveId: (id) => (id === entry ? entry : null),
        load: (id) =>
          id === entry
            ? `import { join } from 'node:path';
import { runCheckGpu } from ${JSON.stringify(cli)};
await runCheckGpu(process.argv.slice(2), {
  webgpu: { dawn: () => import('webgpu'), backend: () => import('@tensorflow/tfjs-backend-webgpu') },
  wasmFolder: join(import.meta.dirname, 'wasm'),
});`
            : null,
      },
    ],
  });
  await bundle.write({
    file,
    format: 'esm',
    codeSplitting: false,
    minify: true,
    // TensorFlow.js is CommonJS and asks where it is.
    banner: 'const __dirname = import.meta.dirname, __filename = import.meta.filename;',
  });
  await bundle.close();
}
