// Runs forge with this folder's settings: node contracts/forge.mjs [--deep] test [...]
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { contractsFolder } from './solc-input.mjs';

const require = createRequire(import.meta.url);
const architecture = { x64: 'amd64' }[process.arch] ?? process.arch;
const name = `@foundry-rs/forge-${process.platform}-${architecture}`;
const given = process.argv.slice(2);
const deep = given.includes('--deep');

let folder;
try {
  folder = dirname(require.resolve(`${name}/package.json`));
} catch {
  console.error(
    `the Solidity tests need the npm package ${name}, which does not exist for this platform or is missing`,
  );
  process.exit(1);
}
const binary = join(folder, 'bin', process.platform === 'win32' ? 'forge.exe' : 'forge');
const { status } = spawnSync(
  binary,
  given.filter((each) => each !== '--deep'),
  {
    // Another root is how a changed copy of the sources is tested.
    cwd: process.env.FEDANCHOR_FORGE_ROOT ?? dirname(contractsFolder),
    stdio: 'inherit',
    env: {
      ...process.env,
      FOUNDRY_PROFILE: deep ? 'deep' : 'default',
      FOUNDRY_CONFIG: join(contractsFolder, 'foundry.toml'),
      FOUNDRY_SOLC: join(contractsFolder, 'solc-shim.mjs'),
      FOUNDRY_DISABLE_NIGHTLY_WARNING: '1',
    },
  },
);
process.exit(status ?? 1);
