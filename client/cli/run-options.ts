import { type Command, Option } from 'commander';
import { BACKENDS, type ClientFlags, LOG_LEVELS, SANDBOXES } from '../config/client-config.ts';
import { parseAddress, parseCount, parseNumber, parseSeed, parseTimeouts } from './parse.ts';

/** What the command line says of a client that is to run, or to be looked at. */
export interface RunFlags extends ClientFlags {
  /** Log and answer in JSON. */
  readonly json: boolean;
}

const KEY = 'your key: an encrypted keystore, or hexadecimal';

/**
 * Gives a command the options that name a client's configuration. Each but the seed may come from the environment, and all
 * from the file of `--config`; flags go before the environment, and that before the file.
 */
export function addRunOptions(command: Command): Command {
  const fromEnvironment = (flags: string, description: string, name: string): Option =>
    new Option(flags, description).env(name);
  return (
    command
      .addOption(
        fromEnvironment('--config <file>', 'a client.toml, as "client init" writes it', 'FEDANCHOR_CLIENT_CONFIG'),
      )
      .addOption(fromEnvironment('--coordinator <url>', 'address of the coordinator', 'FEDANCHOR_COORDINATOR'))
      .addOption(
        fromEnvironment('--rpc <url...>', 'nodes of the chain, the preferred one first', 'FEDANCHOR_RPC').argParser(
          listed,
        ),
      )
      .addOption(
        fromEnvironment('--job <address>', "address of the job's RoundAnchor", 'FEDANCHOR_JOB').argParser(parseAddress),
      )
      .option('--data <folder...>', 'where your data is: it never leaves this machine')
      .addOption(
        fromEnvironment('--state <folder>', 'what was signed, and receipts: keep it between runs', 'FEDANCHOR_STATE'),
      )
      // The wallet reads FEDANCHOR_KEY_FILE and FEDANCHOR_KEY itself.
      .option('--key-file <file>', `${KEY} (or FEDANCHOR_KEY_FILE, FEDANCHOR_KEY)`)
      .addOption(new Option('--text <kind>', 'which text files count').choices(['any', 'documentation']))
      .addOption(
        new Option('--backend <name>', 'what to train on (default: the first that works)')
          .choices(BACKENDS)
          .env('FEDANCHOR_BACKEND'),
      )
      .addOption(fromEnvironment('--device <name>', 'which of several GPUs', 'FEDANCHOR_DEVICE'))
      .addOption(
        fromEnvironment('--memory-limit <bytes>', 'refuse jobs that need more, such as 4GiB', 'FEDANCHOR_MEMORY_LIMIT'),
      )
      .option('--max-steps <number>', 'refuse jobs with more batches in a round (default: 100000)', parseCount)
      .option('--max-epochs <number>', 'refuse jobs with more passes over the data (default: 1000)', parseCount)
      .option('--max-batch-size <number>', 'refuse jobs with larger batches (default: 65536)', parseCount)
      .option('--trainer <command>', 'a program of yours that trains, such as "python3 train.py" (docs/trainers.md)')
      .option('--trainer-env <name...>', 'variables that it is given besides the few it always is')
      .addOption(
        new Option('--trainer-sandbox <kind>', 'what keeps it from the rest of the machine').choices(SANDBOXES),
      )
      .option('--trainer-cwd <folder>', 'folder that it runs in (default: the current one)')
      .option('--trainer-read <path...>', 'what it may read in its sandbox besides its folder and your data')
      .option(
        '--trainer-timeouts <limits>',
        'in seconds, such as hello=120,train=3600,evaluate=600,cancel=10',
        parseTimeouts,
      )
      .option(
        '--dp-clip <number>',
        'clip updates to this norm, for differential privacy (docs/privacy.md)',
        parseNumber,
      )
      .option('--dp-noise <number>', 'add noise of this multiple of the clip', parseNumber)
      .option('--dp-epsilon <number>', 'take part in no round beyond this budget', parseNumber)
      .option('--dp-delta <number>', 'the chance that the guarantee leaves out', parseNumber)
      .option('--seed <number>', 'repeat the random choices of an earlier run; different for each client', parseSeed)
      .option('--insecure-plaintext', 'reach a coordinator beyond this machine without TLS')
      .option('--no-attest', 'recompute no rounds of others: for machines that cannot, in a job with a court')
      .option('--json', 'log and answer in JSON', false)
      .addOption(
        new Option('--log-level <level>', 'how much to tell (default: info)')
          .choices(LOG_LEVELS)
          .env('FEDANCHOR_LOG_LEVEL'),
      )
  );
}

/** Addresses, from arguments one after the other, or from the environment with spaces between. */
function listed(text: string, before: readonly string[] | undefined): string[] {
  return [...(before ?? []), ...text.split(/[\s,]+/).filter((each) => each !== '')];
}
