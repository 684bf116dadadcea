// Compiles the Solidity sources into contracts/build/<Name>.json. Plain JavaScript, because the build runs it before
// TypeScript is compiled. Does nothing when the inputs are those of the last run.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { contractsFolder, readSources, settings } from './solc-input.mjs';

const buildFolder = join(contractsFolder, 'build');
const stampFile = join(buildFolder, '.inputs');
// What block explorers are given to verify a deployed contract; a package without the sources can export it, too.
const inputFile = join(buildFolder, 'standard-input.json');
const require = createRequire(import.meta.url);

const sources = readSources();
const solcVersion = require('solc/package.json').version;
const stamp = createHash('sha256')
  .update(JSON.stringify([solcVersion, settings, sources]))
  .digest('hex');

if (!existsSync(stampFile) || readFileSync(stampFile, 'utf8') !== stamp) {
  const names = compile();
  writeStandardInput();
  writeWhole(stampFile, stamp);
  console.log(`compiled ${names.join(', ')} with solc ${solcVersion}`);
}

if (!existsSync(inputFile)) writeStandardInput();

function writeStandardInput() {
  const input = { language: 'Solidity', sources, settings };
  writeWhole(inputFile, `${JSON.stringify({ solcVersion, input })}\n`);
}

function compile() {
  // Loading the compiler takes a second, so it is left until something has changed.
  const solc = require('solc');
  const input = {
    language: 'Solidity',
    sources,
    settings: {
      ...settings,
      outputSelection: { '*': { '*': ['abi', 'evm.bytecode.object', 'evm.deployedBytecode.object'] } },
    },
  };
  const output = JSON.parse(solc.compile(JSON.stringify(input)));
  const messages = (output.errors ?? []).filter((each) => !each.sourceLocation?.file.startsWith('@'));
  for (const each of messages) console.error(each.formattedMessage);
  if (messages.some((each) => each.severity === 'error') || output.contracts === undefined) {
    process.exit(1);
  }

  mkdirSync(buildFolder, { recursive: true });
  const names = [];
  for (const unit of Object.keys(output.contracts).sort()) {
    if (unit.includes('/')) continue;
    for (const [name, contract] of Object.entries(output.contracts[unit])) {
      const artifact = {
        name,
        abi: contract.abi,
        bytecode: `0x${contract.evm.bytecode.object}`,
        deployedBytes: contract.evm.deployedBytecode.object.length / 2,
      };
      writeWhole(join(buildFolder, `${name}.json`), `${JSON.stringify(artifact, null, 1)}\n`);
      names.push(name);
    }
  }
  return names;
}

// A reader that runs at the same time sees the old file or the new one, never half of it.
function writeWhole(file, text) {
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, text);
  renameSync(draft, file);
}
