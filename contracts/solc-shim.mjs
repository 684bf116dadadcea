#!/usr/bin/env node
// The compiler as forge calls it, `solc --version` and `solc --standard-json`, served by solc-js.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

if (process.argv.includes('--version')) {
  const { version } = require('solc/package.json');
  // Loading the compiler takes a second; forge asks for the version often, and wants a commit and a platform with it.
  console.log(
    `solc, the solidity compiler commandline interface\nVersion: ${version}+commit.00000000.Emscripten.clang`,
  );
} else if (process.argv.includes('--standard-json')) {
  process.stdout.write(require('solc').compile(readFileSync(0, 'utf8')));
} else {
  console.error('this compiler understands --version and --standard-json only');
  process.exit(1);
}
