import type { Command } from 'commander';
import { registerAgentCommand } from './agent/cli.ts';
import { registerDoctorCommand } from './cli/doctor-command.ts';
import { registerInitCommand } from './cli/init-command.ts';
import { registerInitModelCommand } from './cli/init-model-command.ts';
import { parseAddress } from './cli/parse.ts';
import { configureRun } from './cli/run-command.ts';
import { registerStatusCommand } from './cli/status-command.ts';
import { registerDataCommands } from './data/cli.ts';
import { registerPrivacyCommand } from './privacy/cli.ts';
import { registerRecheckCommand } from './public-data/cli.ts';
import { registerClaimCommand } from './rewards/claim-command.ts';

/** Adds `fedanchor client …` to the command line: one line for each verb, whose options lie in a file of its own. */
export function registerClientCommands(program: Command): void {
  const client = program.command('client').description('take part in a job with your own data');
  registerInitCommand(client);
  registerDoctorCommand(client);
  configureRun(client.command('run').description('train in every round of a job until it ends'));
  registerStatusCommand(client);
  registerClaimCommand(client, parseAddress);
  registerInitModelCommand(client);
  registerDataCommands(client);
  registerPrivacyCommand(client);
  registerAgentCommand(client);
  registerRecheckCommand(client);
}
