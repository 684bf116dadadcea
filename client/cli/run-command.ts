import { type Command, Option } from 'commander';
import type { JobFacts } from '../../contracts/ledger/facts.ts';
import { connectLedger, type Ledger } from '../../contracts/ledger/ledger.ts';
import { connectStakes } from '../../contracts/ledger/stakes.ts';
import { createWallet, loadWallet, type Signer } from '../../contracts/wallet.ts';
import type { Hex } from '../../shared/bytes.ts';
import { createEngine } from '../../shared/runtime/engine/create-engine.ts';
import { usePlatformHashing } from '../../shared/runtime/platform-hashing.ts';
import { createCliLog } from '../cli-log.ts';
import type { TextKind } from '../data/text-folder.ts';
import { type ClientOptions, type CourtDuty, createClient } from '../run.ts';
import type { ClientOutcome } from '../session/state.ts';
import { createNextCharacterFactory } from '../tasks/next-character.ts';
import type { BackendPreference } from '../trainers/tfjs/backend.ts';
import type { Trainer } from '../trainers/trainer.ts';
import { parseAddress, parseSeed } from './parse.ts';

interface RunOptions {
  readonly coordinator: string;
  readonly rpc: string;
  readonly job: Hex;
  readonly keyFile?: string;
  readonly data: readonly string[];
  readonly text: TextKind;
  readonly state: string;
  readonly backend: 'auto' | 'wasm' | 'cpu' | 'node-gpu';
  readonly seed?: number;
  readonly insecurePlaintext: boolean;
  readonly attest: boolean;
  readonly json: boolean;
  readonly logLevel: string;
}

/** Exit code of a program that was interrupted, by the custom of shells: 128 and the number of SIGINT. */
const INTERRUPTED = 130;

/**
 * Gives a command the options of a client and what it does.
 *
 * @param command - the command
 * @param decorate - may wrap the trainer, as simulated attackers do; takes the options that the command has besides
 */
export function configureRun<Extra extends object>(
  command: Command,
  decorate: (trainer: Trainer, options: Extra) => Trainer = (trainer) => trainer,
): void {
  command
    .requiredOption('--coordinator <url>', 'address of the coordinator')
    .requiredOption('--rpc <url>', 'node of the chain that the job is anchored on')
    .requiredOption('--job <address>', "address of the job's RoundAnchor", parseAddress)
    .requiredOption('--data <folder...>', 'folders with your text: it never leaves this machine')
    .requiredOption('--state <folder>', 'folder for what was signed and for receipts: keep it between runs')
    .option(
      '--key-file <file>',
      'your key: hexadecimal or an encrypted keystore (or FEDANCHOR_KEY_FILE, FEDANCHOR_KEY)',
    )
    .addOption(new Option('--text <kind>', 'which files count').choices(['any', 'documentation']).default('any'))
    .addOption(
      new Option('--backend <name>', 'what to train on').choices(['auto', 'wasm', 'cpu', 'node-gpu']).default('auto'),
    )
    .option('--seed <number>', 'repeat the random choices of an earlier run; different for each client', parseSeed)
    .option('--insecure-plaintext', 'reach a coordinator beyond this machine without TLS', false)
    .option('--no-attest', 'recompute no rounds of others: for machines that cannot, in a job with a court')
    .option('--json', 'log and answer in JSON', false)
    .addOption(
      new Option('--log-level <level>', 'how much to tell')
        .choices(['debug', 'info', 'warn', 'error', 'silent'])
        .default('info'),
    )
    .action((options: RunOptions & Extra) => run(options, (trainer) => decorate(trainer, options)));
}

async function run(options: RunOptions, decorate: (trainer: Trainer) => Trainer): Promise<void> {
  usePlatformHashing();
  const log = createCliLog(options.logLevel, options.json);
  const lifetime = new AbortController();
  const { signal } = lifetime;
  const stop = (name: NodeJS.Signals): void => {
    // Nobody listens any more, so a second one ends the process at once.
    for (const each of STOP_SIGNALS) process.removeListener(each, stop);
    log.info({ signal: name }, 'stopping');
    lifetime.abort();
  };
  for (const each of STOP_SIGNALS) process.once(each, stop);
  try {
    const outcome = await takePart(options, decorate, log, signal);
    tell(outcome, options.json);
  } catch (error) {
    if (signal.aborted) return tell({ kind: 'aborted' }, options.json);
    if (error instanceof Error) log.debug({ stack: error.stack }, 'where it came from');
    throw error;
  } finally {
    for (const each of STOP_SIGNALS) process.removeListener(each, stop);
  }
}

const STOP_SIGNALS: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM'];

async function takePart(
  options: RunOptions,
  decorate: (trainer: Trainer) => Trainer,
  log: ClientOptions['log'],
  signal: AbortSignal,
): Promise<ClientOutcome> {
  const signer = await loadSigner(options.keyFile);
  const ledger = await connectLedger({ rpcUrl: options.rpc, anchor: options.job, signal });
  const facts = await ledger.facts();
  const court = await courtDuty(ledger, facts, options.attest);
  const createTrainer = createNextCharacterFactory({
    folders: options.data,
    kind: options.text,
    backend: backendOf(options.backend),
    onReady: (told) => log.info(told, 'ready to train'),
  });
  const client = createClient({
    coordinatorUrl: options.coordinator,
    allowPlaintext: options.insecurePlaintext,
    facts,
    signer,
    createTrainer: async (manifest) => {
      const { trainer, datasetCommitment } = await createTrainer(manifest);
      return { trainer: decorate(trainer), datasetCommitment };
    },
    stateDir: options.state,
    ...(options.seed === undefined ? {} : { seed: options.seed }),
    ...(court && { court }),
    log,
    signal,
  });
  try {
    return await client.run();
  } finally {
    await court?.engine?.close();
  }
}

/** A job has a court if somebody keeps its stakes. */
async function courtDuty(ledger: Ledger, { roster }: JobFacts, attest: boolean): Promise<CourtDuty | undefined> {
  if (/^0x0*$/.test(roster)) return undefined;
  const stakes = await connectStakes({ rpc: ledger.rpc, stakes: roster });
  return { ledger, stakes, engine: attest ? createEngine() : null };
}

async function loadSigner(keyFile: string | undefined): Promise<Signer> {
  const key = process.env['FEDANCHOR_KEY'];
  if (keyFile === undefined && key !== undefined && key !== '') return createWallet(key);
  return loadWallet({ ...(keyFile === undefined ? {} : { keyFile }), environment: process.env });
}

/** Says how it ended on standard output, and by the exit code: 0 closed, 1 failed, 130 interrupted. */
function tell(outcome: ClientOutcome, isJson: boolean): void {
  process.stdout.write(`${isJson ? JSON.stringify(outcome) : sentence(outcome)}\n`);
  if (outcome.kind === 'failed') process.exitCode = 1;
  if (outcome.kind === 'aborted') process.exitCode = INTERRUPTED;
}

function sentence(outcome: ClientOutcome): string {
  switch (outcome.kind) {
    case 'closed':
      return `the job is closed after ${outcome.rounds} rounds; its model is ${outcome.modelRoot}`;
    case 'failed':
      return `the job failed: ${outcome.reason}`;
    case 'aborted':
      return 'stopped before the job ended: start again with the same --state to go on';
  }
}

function backendOf(name: RunOptions['backend']): BackendPreference {
  return name === 'node-gpu' ? 'gpu' : name;
}
