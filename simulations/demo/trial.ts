import { setTimeout as delay } from 'node:timers/promises';
import { type WatchEvent, watchLine } from '../../client/watcher/watch-event.ts';
import type { EmbeddedChain } from '../../contracts/embedded-chain.ts';
import { connectLedger } from '../../contracts/ledger/ledger.ts';
import { cheatNamed } from '../cheats/cheats.ts';
import { type CourtBooks, readBooks } from './court.ts';
import { DemoError, interrupted } from './demo-error.ts';
import type { Federation } from './federation.ts';
import type { Cast, Participant } from './participants.ts';
import { tokens } from './screen.ts';

/** What a trial came to, amounts in the token's smallest unit. */
export interface Trial {
  /** The round that the coordinator lied about. */
  readonly round: number;
  /** Kind of the dispute that showed it; `withheld` where there was nothing to dispute. */
  readonly kind: string;
  /** The court's books before the lie was punished. */
  readonly before: CourtBooks;
  /** And after. */
  readonly after: CourtBooks;
}

type Told<Name extends WatchEvent['event']> = Extract<WatchEvent, { event: Name }>;

/** Seconds of a tick, in which the contracts count windows. */
const TICK_S = 16;

/** Pause between two looks at the chain. */
const POLL_MS = 250;

/** Longest wait for attestations: each is a matter of seconds. */
const ATTESTATION_LIMIT_MS = 120_000;

/**
 * Waits until enough participants have attested that they have recomputed every round.
 *
 * @throws DemoError `demo/not-attested`, `demo/interrupted`
 */
export async function awaitAttestations(
  { contracts, screen, rpcUrl, options }: Federation,
  signal: AbortSignal,
): Promise<void> {
  const ledger = await connectLedger({ rpcUrl, anchor: contracts.anchor });
  const until = performance.now() + ATTESTATION_LIMIT_MS;
  while ((await ledger.progress()).attested < options.rounds) {
    if (performance.now() > until) {
      const sentence = 'too few participants have attested the last round: the logs of clients and coordinator say why';
      throw new DemoError('demo/not-attested', sentence);
    }
    await delay(POLL_MS, undefined, { signal }).catch(() => {
      throw interrupted();
    });
  }
  const { attestationQuorum } = await ledger.facts();
  screen.say(`every round is attested by ${attestationQuorum} participants or more, each of which has recomputed it`);
}

/**
 * Lets a watcher, in a process of its own, recompute each round until it has caught the coordinator lying, taken it to
 * court and won.
 *
 * @throws DemoError `demo/interrupted`, `demo/watcher-ended`
 */
export async function showTrial(
  federation: Federation,
  chain: EmbeddedChain,
  url: string,
  signal: AbortSignal,
): Promise<Trial> {
  const { options, folder, cast, contracts, processes, screen, rpcUrl, terms } = federation;
  const lie = cheatNamed(options.cheat ?? '');
  screen.title('A watcher that trusts nobody recomputes each round as it is anchored');
  const events: WatchEvent[] = [];
  let look = (): void => undefined;
  const watcher = processes.supervise({
    name: 'the watcher',
    args: () => [
      ...['watch', '--rpc', rpcUrl, '--job', contracts.anchor, '--coordinator', url, '--json', '--poll', '1'],
      ...['--key-file', cast.watcher.keyFile, '--state', folder.at('watcher')],
      ...(lie.shownBy === 'omission' ? ['--receipts', folder.at('clients', firstOf(cast).name)] : []),
    ],
    logFile: folder.at('logs', 'watcher.log'),
    onLine: (line) => {
      const event = JSON.parse(line) as WatchEvent;
      events.push(event);
      screen.say(`watcher: ${watchLine(event, (units) => `${tokens(BigInt(units))} FED`).trimStart()}`);
      look();
    },
    restarts: 3,
  });
  const told = <Name extends WatchEvent['event']>(name: Name): Promise<Told<Name>> =>
    new Promise((resolve, reject) => {
      look = () => {
        const found = events.find((event): event is Told<Name> => event.event === name);
        if (found) resolve(found);
      };
      const end = (): void =>
        reject(new DemoError('demo/watcher-ended', `the watcher ended before anything was ${name}: see its log`));
      watcher.finished.then(end, reject);
      signal.addEventListener('abort', () => reject(interrupted()), { once: true });
      look();
    });
  const books = () => readBooks(rpcUrl, contracts, cast.operator.signer.address);

  const pass = async (seconds: number): Promise<void> => {
    await chain.increaseTime(seconds);
    screen.say(`  the chain's clock is moved on by ${seconds} s`);
  };
  const { chain: times, court } = terms.manifest;

  if (lie.shownBy === 'withheld') {
    const { round } = await told('finding');
    const before = await books();
    screen.say(`  no participant attests round ${round}: nobody can recompute what nobody is shown`);
    await pass((times.windowTicks + (court?.attestationTicks ?? 0) + 1) * TICK_S);
    await told('unattested');
    await told('rewound');
    screen.say(`  round ${round} is taken back, nothing is paid for it; bonds stay: an absence proves no guilt`);
    return { round, kind: lie.shownBy, before, after: await books() };
  }

  const { round, kind } = await told('challenged');
  const before = await books();
  const answerS = court?.answerS ?? 0;
  screen.say(
    `  the coordinator has ${answerS} s to show the chain that round ${round} is right, and has nothing to show`,
  );
  await pass(answerS + 1);
  await told('ended');
  await told('withdrawn');
  const after = await books();
  screen.say(`  bond of the coordinator: ${tokens(before.bond)} FED before, ${tokens(after.bond)} FED after`);
  const burned = after.totals.burned - before.totals.burned;
  screen.say(
    `  ${tokens(burned)} FED destroyed, ${tokens(after.totals.pots)} FED set aside for the participants of rewound rounds`,
  );
  return { round, kind, before, after };
}

/** The participant that rounds put first: the one whose update is dropped where one is. */
function firstOf({ participants }: Cast): Participant {
  return participants.reduce((first, one) => (one.signer.address < first.signer.address ? one : first));
}
