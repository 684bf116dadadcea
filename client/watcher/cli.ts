import { type Command, InvalidArgumentError, Option } from 'commander';
import { loadWallet, type Signer } from '../../contracts/wallet.ts';
import type { Hex } from '../../shared/bytes.ts';
import { FedanchorError } from '../../shared/errors.ts';
import type { Subject } from '../../shared/openings/subject.ts';
import { createEngine } from '../../shared/runtime/engine/create-engine.ts';
import { usePlatformHashing } from '../../shared/runtime/platform-hashing.ts';
import { openUpdateBlocks } from '../../shared/runtime/update-blocks.ts';
import { coordinatorEndpoint } from '../transports/endpoint.ts';
import { challengeByHand } from './challenge.ts';
import { openParticipantBlobs, type ParticipantBlobs } from './participant-blobs.ts';
import { readReceipts } from './read-receipts.ts';
import { watch } from './watch.ts';
import { type WatchEvent, watchLine } from './watch-event.ts';

interface CommonOptions {
  readonly rpc: readonly string[];
  readonly job: Hex;
  readonly coordinator: string;
  readonly keyFile?: string;
  readonly state: string;
  readonly insecurePlaintext: boolean;
  readonly json: boolean;
}

interface WatchFlags extends CommonOptions {
  readonly receipts?: string;
  readonly dryRun: boolean;
  readonly poll: number;
  readonly confirmations?: number;
}

interface ChallengeFlags extends CommonOptions {
  readonly round: number;
  readonly coordinate?: number;
  readonly link?: readonly [number, number];
  readonly contribution?: number;
  readonly gram?: readonly [number, number];
  readonly weights?: readonly [number, number];
  readonly scores?: boolean;
}

/** Exit codes of both verbs; an interrupted one ends with 130, by the custom of shells. */
const EXIT = { holds: 0, doesNotHold: 1, cannotTell: 2, interrupted: 130 } as const;

/** Adds `fedanchor watch` and `fedanchor challenge` to the command line. */
export function registerWatchCommands(program: Command): void {
  withCommonOptions(
    program
      .command('watch')
      .description('recompute each new round of a job, and take to court whatever does not hold')
      .option('--receipts <folder>', 'state folder of a fedanchor client: rounds must contain what was accepted')
      .option('--dry-run', 'say what would be challenged, and send nothing', false)
      .option('--poll <seconds>', 'pause between two looks at the chain', wholeNumber(1, 3600), 4)
      .option('--confirmations <n>', 'blocks that must hold a transaction before it counts', wholeNumber(1, 1000)),
  ).action(async (flags: WatchFlags) => {
    process.exitCode = await guarded('watch', flags, () => runWatch(flags));
  });

  withCommonOptions(
    program
      .command('challenge')
      .description('open one dispute by hand; "fedanchor watch" with the same key sees it through')
      .requiredOption('--round <n>', 'the disputed round', wholeNumber(1, 0xff_ffff))
      .option('--coordinate <n>', 'a coordinate of aggregate, model and server state', wholeNumber(0, 2 ** 40))
      .option('--link <row,block>', "one block of a participant's update, in the matrix and as signed", pair)
      .option('--contribution <row>', "a participant's signature and eligibility", wholeNumber(0, 0xffff))
      .option('--gram <row,column>', 'an entry of the Gram matrix', pair)
      .option(
        '--weights <selected,better>',
        'the weights; for a rule that selects, who should not be before whom',
        pair,
      )
      .addOption(new Option('--scores', 'all scores')),
  ).action(async (flags: ChallengeFlags) => {
    process.exitCode = await guarded('challenge', flags, () => runChallenge(flags));
  });
}

function withCommonOptions(command: Command): Command {
  return command
    .requiredOption('--rpc <url...>', 'nodes of the chain, the preferred one first')
    .requiredOption('--job <address>', "address of the job's RoundAnchor: it names the court", parseAddress)
    .requiredOption('--coordinator <url>', 'address of the coordinator, for the data behind the roots')
    .option('--key-file <file>', 'your key: it pays bonds and gas (or FEDANCHOR_KEY_FILE)')
    .option('--state <folder>', 'folder for transactions, evidence and what was recomputed: keep it', 'watcher')
    .option('--insecure-plaintext', 'reach a coordinator beyond this machine without TLS', false)
    .option('--json', 'print one JSON document a line', false)
    .exitOverride((error) => process.exit(error.exitCode === 0 ? EXIT.holds : EXIT.cannotTell));
}

async function guarded(verb: string, { json }: CommonOptions, run: () => Promise<number>): Promise<number> {
  usePlatformHashing();
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof FedanchorError)) throw error;
    process.stderr.write(`fedanchor ${verb}: ${error.message} [${error.code}]\n`);
    if (json)
      process.stdout.write(`${JSON.stringify({ event: 'failed', code: error.code, message: error.message })}\n`);
    return EXIT.cannotTell;
  }
}

async function runWatch(flags: WatchFlags): Promise<number> {
  const { rpc, job: anchor, dryRun, state, receipts, poll, confirmations, json } = flags;
  const url = coordinatorEndpoint(flags.coordinator, flags.insecurePlaintext);
  const signer = await findSigner(flags.keyFile, dryRun);
  const lifetime = new AbortController();
  const stop = (): void => {
    // Nobody listens any more, so a second one ends the process at once.
    for (const name of STOP_SIGNALS) process.removeListener(name, stop);
    lifetime.abort();
  };
  for (const name of STOP_SIGNALS) process.once(name, stop);
  const engine = createEngine();
  let opened: ParticipantBlobs | undefined;
  try {
    const { signal } = lifetime;
    const outcome = await watch({
      ...{ rpcUrls: rpc, anchor, signer, dryRun, stateDir: state, engine, pollMs: poll * 1000, signal },
      openUpdates: openUpdateBlocks,
      openBlobs: (facts) => {
        const { chainId, coordinator, job } = facts;
        opened = openParticipantBlobs({ url, counterpart: { chainId, anchor, coordinator, job }, signer, signal });
        return opened.blobs;
      },
      ...(receipts !== undefined && { receipts: (of: Hex) => readReceipts(receipts, of) }),
      ...(confirmations === undefined ? {} : { confirmations }),
      emit: (event) => tell(event, json),
    });
    if (outcome.stopped) return EXIT.interrupted;
    return outcome.holds ? EXIT.holds : EXIT.doesNotHold;
  } finally {
    opened?.close();
    for (const name of STOP_SIGNALS) process.removeListener(name, stop);
    lifetime.abort();
    await engine.close();
  }
}

async function runChallenge(flags: ChallengeFlags): Promise<number> {
  const { rpc, job: anchor, state, round, json } = flags;
  const subject = subjectOf(flags);
  const url = coordinatorEndpoint(flags.coordinator, flags.insecurePlaintext);
  const signer = await loadWallet(walletOptions(flags.keyFile));
  const lifetime = new AbortController();
  try {
    await challengeByHand({
      ...{ rpcUrls: rpc, anchor, coordinatorUrl: url, signer, stateDir: state, round, subject },
      emit: (event) => tell(event, json),
      signal: lifetime.signal,
    });
    return EXIT.holds;
  } finally {
    lifetime.abort();
  }
}

const STOP_SIGNALS: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM'];

function tell(event: WatchEvent, json: boolean): void {
  process.stdout.write(`${json ? JSON.stringify(event) : watchLine(event)}\n`);
}

/** A watcher without a key sees all that is public; one that is to challenge needs a key. */
async function findSigner(keyFile: string | undefined, dryRun: boolean): Promise<Signer | null> {
  const isNamed = keyFile !== undefined || ['FEDANCHOR_KEY_FILE', 'FEDANCHOR_KEY'].some((name) => process.env[name]);
  return dryRun && !isNamed ? null : loadWallet(walletOptions(keyFile));
}

function walletOptions(keyFile: string | undefined): Parameters<typeof loadWallet>[0] {
  return { ...(keyFile === undefined ? {} : { keyFile }), environment: process.env };
}

function subjectOf({ coordinate, link, contribution, gram, weights, scores }: ChallengeFlags): Subject {
  const subjects: Subject[] = [
    ...(coordinate === undefined ? [] : [{ kind: 'coordinate', coordinate } as const]),
    ...(link === undefined ? [] : [{ kind: 'link', row: link[0], block: link[1] } as const]),
    ...(contribution === undefined ? [] : [{ kind: 'contribution', row: contribution } as const]),
    ...(gram === undefined ? [] : [{ kind: 'gram', row: gram[0], column: gram[1] } as const]),
    ...(weights === undefined ? [] : [{ kind: 'weights', selected: weights[0], better: weights[1] } as const]),
    ...(scores ? [{ kind: 'scores' } as const] : []),
  ];
  const [subject] = subjects;
  if (subject !== undefined && subjects.length === 1) return subject;
  throw new WatchUsageError(
    'usage/one-subject',
    'say in one way what is wrong: --coordinate, --link, --contribution, --gram, --weights or --scores',
  );
}

/** Thrown when a challenge does not say what it is about. */
export class WatchUsageError extends FedanchorError<'usage/one-subject'> {}

function parseAddress(text: string): Hex {
  if (/^0x[0-9a-fA-F]{40}$/.test(text)) return text.toLowerCase() as Hex;
  throw new InvalidArgumentError('expected an address: 0x and 40 hexadecimal digits');
}

function pair(text: string): readonly [number, number] {
  const numbers = text.split(',').map((part) => (/^[0-9]+$/.test(part) ? Number(part) : Number.NaN));
  const [first, second] = numbers;
  if (numbers.length === 2 && Number.isSafeInteger(first) && Number.isSafeInteger(second)) {
    return [first as number, second as number];
  }
  throw new InvalidArgumentError('expected two whole numbers with a comma between them');
}

function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^[0-9]+$/.test(text) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`expected a whole number from ${least} to ${most}`);
  };
}
