import { homedir } from 'node:os';
import { join } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { connectLedger } from '../../contracts/ledger/ledger.ts';
import { connectRpc } from '../../contracts/rpc.ts';
import type { Hex } from '../../shared/bytes.ts';
import { FedanchorError } from '../../shared/errors.ts';
import { usePlatformHashing } from '../../shared/runtime/platform-hashing.ts';
import { createHttpBlobSource } from '../auditor/http-blob-source.ts';
import { parseAddress } from '../cli/parse.ts';
import { loadSigner } from '../cli/signer.ts';
import { createCliLog } from '../cli-log.ts';
import { LOG_LEVELS } from '../config/client-config.ts';
import { openCoordinatorSession } from '../transports/coordinator-session.ts';
import { coordinatorEndpoint } from '../transports/endpoint.ts';
import { type RecheckVerdict, recheck } from './recheck.ts';

interface RecheckCommandOptions {
  readonly coordinator: string;
  readonly rpc: readonly string[];
  readonly job: Hex;
  readonly round: number;
  readonly participant?: Hex;
  readonly data: readonly string[];
  readonly cache: string;
  readonly keyFile?: string;
  readonly insecurePlaintext: boolean;
  readonly json: boolean;
  readonly logLevel: string;
}

/** Exit codes of `fedanchor client recheck`, those of `fedanchor verify`. */
const EXIT = { matches: 0, doesNotMatch: 1, cannotTell: 2 } as const;

/** Adds `recheck` to `fedanchor client`. */
export function registerRecheckCommand(client: Command): void {
  client
    .command('recheck')
    .description(
      'repeat the training of a round of a job with published data, and compare it bit for bit with what was signed',
    )
    .requiredOption('--coordinator <url>', "address of the coordinator, or of any server with the job's blobs")
    .requiredOption('--rpc <url...>', 'nodes of the chain, the preferred one first')
    .requiredOption('--job <address>', "address of the job's RoundAnchor", parseAddress)
    .requiredOption('--round <number>', 'the round', parseRound)
    .option('--participant <address>', 'whose training (default: that of everyone in the round)', parseAddress)
    .option('--data <folder...>', 'folders that may hold the published files already', [])
    .option('--cache <folder>', 'where published files are kept', join(homedir(), '.cache', 'fedanchor'))
    .option('--key-file <file>', 'your key, where the job tells its data to participants only (or FEDANCHOR_KEY_FILE)')
    .option('--insecure-plaintext', 'reach servers beyond this machine without TLS', false)
    .option('--json', 'print JSON', false)
    .addOption(new Option('--log-level <level>', 'how much to tell').choices(LOG_LEVELS).default('warn'))
    .action(async (options: RecheckCommandOptions) => {
      process.exitCode = await run(options);
    });
}

async function run(options: RecheckCommandOptions): Promise<number> {
  const { json } = options;
  usePlatformHashing();
  try {
    const verdicts = await recheckJob(options, (verdict) => {
      if (!json) process.stdout.write(`${sentence(verdict)}\n`);
    });
    const matches = verdicts.every((each) => each.matches);
    if (json) process.stdout.write(`${JSON.stringify({ round: options.round, matches, verdicts }, null, 2)}\n`);
    return matches ? EXIT.matches : EXIT.doesNotMatch;
  } catch (error) {
    if (!(error instanceof FedanchorError)) throw error;
    const { code, message } = error;
    process.stderr.write(`fedanchor client recheck: ${message} [${code}]\n`);
    if (json) process.stdout.write(`${JSON.stringify({ error: { code, message } }, null, 2)}\n`);
    return EXIT.cannotTell;
  }
}

async function recheckJob(options: RecheckCommandOptions, onVerdict: (verdict: RecheckVerdict) => void) {
  const { job: anchor, round, participant, insecurePlaintext: allowPlaintext, data: folders, cache } = options;
  const lifetime = new AbortController();
  const { signal } = lifetime;
  const rpc = connectRpc({ urls: options.rpc, signal });
  const ledger = await connectLedger({ rpc, anchor });
  const facts = await ledger.facts();
  const url = coordinatorEndpoint(options.coordinator, allowPlaintext);
  const session = hasKey(options)
    ? await openCoordinatorSession(url, allowPlaintext, await loadSigner(options.keyFile), facts)
    : undefined;
  try {
    const blobs = createHttpBlobSource({ url, job: facts.job, ...(session && { token: session.token }), signal });
    const places = { cache, folders, allowPlaintext, fromCoordinator: (id: Hex, most: number) => blobs.get(id, most) };
    return await recheck({
      ...{ ledger, blobs, places, round, onVerdict, signal },
      ...(participant === undefined ? {} : { participant }),
      log: createCliLog(options.logLevel, options.json),
    });
  } finally {
    session?.close();
    lifetime.abort();
  }
}

/** A key is needed only where data are not for everyone; whoever has one uses it. */
function hasKey({ keyFile }: RecheckCommandOptions): boolean {
  return [keyFile, process.env['FEDANCHOR_KEY_FILE'], process.env['FEDANCHOR_KEY']].some((said) => said !== undefined);
}

function sentence({ participant, matches, differences }: RecheckVerdict): string {
  if (matches) return `✓ ${participant}: what it signed is what its training gives, bit for bit`;
  const told = differences.map(({ field, expected, signed }) => `${field} ${signed} was signed, ${expected} is right`);
  return `✗ ${participant}: ${told.join('; ')}`;
}

function parseRound(text: string): number {
  if (/^[1-9][0-9]{0,7}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('expected the number of a round, from 1');
}
