#!/usr/bin/env node
// Sets the product up where needed (install, build), then runs a script of it: node setup.mjs [<script> [arguments]]
// Any Node can read this file, so that one which is too old gets a sentence and not a syntax error.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`fedanchor needs Node 20.19 or newer, and this is Node ${process.versions.node}.`);
  process.exitCode = 1;
} else {
  import('./.setup/main.mjs').then(({ main }) => main(process.argv.slice(2)));
}
