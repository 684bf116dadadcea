import { type Command, Option } from 'commander';
import { usePlatformHashing } from '../../shared/runtime/platform-hashing.ts';
import { loadSigner } from '../cli/signer.ts';
import { createCliLog } from '../cli-log.ts';
import { LOG_LEVELS } from '../config/client-config.ts';
import { readPolicy } from './policy.ts';
import { runAgent } from './run-agent.ts';

interface AgentCommandOptions {
  readonly policy: string;
  readonly dryRun: boolean;
  readonly json: boolean;
  readonly logLevel: string;
}

/** Adds `agent` to `fedanchor client`. */
export function registerAgentCommand(client: Command): void {
  client
    .command('agent')
    .description('find jobs, join, stake, train and claim by itself, under a policy')
    .requiredOption('--policy <file>', 'what it may do, in TOML (docs/agent.md)')
    .option('--dry-run', 'say what it would do, do nothing, and end', false)
    .option('--json', 'log in JSON', false)
    .addOption(new Option('--log-level <level>', 'how much to tell').choices(LOG_LEVELS).default('info'))
    .action(run);
}

const STOP_SIGNALS: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM'];

async function run({ policy: file, dryRun, json, logLevel }: AgentCommandOptions): Promise<void> {
  usePlatformHashing();
  const policy = await readPolicy(file);
  const log = createCliLog(logLevel, json);
  const lifetime = new AbortController();
  const stop = (name: NodeJS.Signals): void => {
    // Nobody listens any more, so a second one ends the process at once.
    for (const each of STOP_SIGNALS) process.removeListener(each, stop);
    log.info({ signal: name }, 'stopping: jobs in work are left in good order');
    lifetime.abort();
  };
  for (const each of STOP_SIGNALS) process.once(each, stop);
  try {
    await runAgent(policy, { signer: await loadSigner(policy.keyFile), dryRun, log, signal: lifetime.signal });
  } finally {
    for (const each of STOP_SIGNALS) process.removeListener(each, stop);
  }
}
