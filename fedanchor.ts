#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, CommanderError } from 'commander';
import { registerVerifyCommand } from './client/auditor/cli.ts';
import { taskWorkbench } from './client/author/cli.ts';
import { registerClientCommands } from './client/cli.ts';
import { registerRegistryCommands } from './client/registry/cli.ts';
import { registerStakeCommands } from './client/stake/cli.ts';
import { registerWatchCommands } from './client/watcher/cli.ts';
import { packageRoot } from './contracts/package-root.ts';
import { registerAuthorCommands } from './coordinator/author/cli.ts';
import { registerCoordinatorCommands } from './coordinator/cli.ts';
import { FedanchorError } from './shared/errors.ts';
import { registerSimulationCommands } from './simulations/cli.ts';

/** Exit code when nothing was done because it was asked for wrongly or could not begin. */
const USAGE_ERROR = 2;

const { version } = JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')) as {
  readonly version: string;
};

const program = new Command('fedanchor')
  .version(version)
  .description('A federated-learning coordinator whose every claim can be checked.')
  .exitOverride()
  .showHelpAfterError('(--help lists what there is)')
  .configureHelp({ sortSubcommands: false, showGlobalOptions: true });

registerSimulationCommands(program);
registerVerifyCommand(program);
registerWatchCommands(program);
registerCoordinatorCommands(program);
registerAuthorCommands(program, taskWorkbench);
registerClientCommands(program);
registerStakeCommands(program);
registerRegistryCommands(program);

// A party started by another process ends with it, however that one ends.
if (process.connected) {
  process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
  process.channel?.unref();
}

try {
  await program.parseAsync();
} catch (error) {
  // Commander has said what is wrong already; only the exit code is left to set.
  if (error instanceof CommanderError) process.exit(error.exitCode === 0 ? 0 : USAGE_ERROR);
  const coded = error instanceof FedanchorError;
  process.stderr.write(
    coded ? `fedanchor: ${error.message} [${error.code}]\n` : `fedanchor: ${(error as Error).stack}\n`,
  );
  process.exitCode = USAGE_ERROR;
}
