import { randomBytes } from 'node:crypto';
import type { Ledger } from '../contracts/ledger/ledger.ts';
import type { Stakes } from '../contracts/ledger/stakes.ts';
import type { Signer } from '../contracts/wallet.ts';
import type { AggregationEngine } from '../shared/aggregation/engine.ts';
import { word } from '../shared/bytes.ts';
import { type UpdateStatement, updateDigest } from '../shared/commitments/contribution.ts';
import { createFileCarry } from './encoding/file-carry.ts';
import type { EnergyMeter } from './energy/energy-meter.ts';
import { createFileJournal } from './journal/file-journal.ts';
import type { SubmissionJournal } from './journal/submission-journal.ts';
import type { Log } from './log.ts';
import type { PrivacyGuard } from './privacy/privacy-guard.ts';
import { type Drive, drive } from './runner/drive.ts';
import { createPerformer } from './runner/performer.ts';
import type { ChainFacts } from './session/check-terms.ts';
import type { ClientOutcome, SessionState } from './session/state.ts';
import type { TrainerFactory } from './tasks/local-trainer.ts';
import type { BulkTransport } from './transports/bulk-transport.ts';
import { coordinatorEndpoint } from './transports/endpoint.ts';
import { createHttpBulk } from './transports/http-bulk.ts';
import { backoffMs, type RetryOptions } from './transports/retry.ts';
import { createSocketControl } from './transports/socket-control.ts';
import { ProtocolError } from './transports/transport-error.ts';
import { createDuty } from './witness/duty.ts';

/** What a client is made of. */
export interface ClientOptions {
  /** Where the coordinator is, such as `https://federation.example`. */
  readonly coordinatorUrl: string;
  /** Whether `http:` may leave this machine; default false. */
  readonly allowPlaintext?: boolean;
  /** What the chain says about the job. */
  readonly facts: ChainFacts;
  /** The participant's key. */
  readonly signer: Signer;
  /** Makes the trainer from the verified manifest. */
  readonly createTrainer: TrainerFactory;
  /** Folder for what was signed and for receipts; each is synced to disk before anything is sent. */
  readonly stateDir: string;
  /** Makes the journal in place of one of files in `stateDir`. */
  readonly createJournal?: (sign: (statement: UpdateStatement) => `0x${string}`) => SubmissionJournal;
  /** Decides every random choice together with job, round and attempt, 0 or more; default a random one. */
  readonly seed?: number;
  /** Longest wait for one answer, in milliseconds; default 30 seconds. */
  readonly requestTimeoutMs?: number;
  /** Makes updates private before they are committed to; left out, they are sent as they were learnt. */
  readonly privacy?: PrivacyGuard | undefined;
  /** Pauses between tries; default 250 ms doubled up to 10 seconds. */
  readonly pauses?: Omit<RetryOptions, 'tries'>;
  /** What a job with a court asks of its participants; left out, the client leaves when the last round is anchored. */
  readonly court?: CourtDuty;
  /** Counts the energy that training uses, which is then reported with the metrics. */
  readonly energy?: EnergyMeter;
  /** Told of every state that the session has come to. */
  readonly onSession?: (state: SessionState) => void;
  /** Where to tell what happens. */
  readonly log: Log;
  /**
   * Ends the client in good order: what is signed is still sent and its receipt waited for, a round in work is declined,
   * nothing new is begun; `run` then resolves as aborted.
   */
  readonly drain?: AbortSignal;
  /** Ends the client at once; `run` then resolves as aborted. */
  readonly signal?: AbortSignal;
}

/**
 * A participant's part in a job with a court: rounds may be taken back as long as they are not final, so it stays until
 * the last one is, and it attests what it has recomputed.
 */
export interface CourtDuty {
  /** The chain. */
  readonly ledger: Ledger;
  /** The job's StakeManager. */
  readonly stakes: Pick<Stakes, 'isEligible'>;
  /** Recomputes; null where the client attests nothing. */
  readonly engine: AggregationEngine | null;
  /** Pause between two looks at the chain, in milliseconds; default 4 seconds. */
  readonly pollMs?: number;
}

/** One participant in one job. */
export interface Client {
  /**
   * Takes part until the job ends.
   *
   * @returns how it ended: closed, failed, or aborted by the signal
   * @throws what keeps the client from taking part: SessionError, ProtocolError, TrainerError, TaskError, DataError,
   *   ManifestError. A coordinator that cannot be reached is waited for instead.
   */
  run(): Promise<ClientOutcome>;
}

const DEFAULT_PAUSES = { firstDelayMs: 250, mostDelayMs: 10_000 };
const DOWNLOAD_TRIES = 6;

/**
 * Creates a client: the one place that puts transports, journal, trainer and session together.
 *
 * @throws TransportError `transport/bad-url`, `transport/plaintext-refused`
 */
export function createClient(options: ClientOptions): Client {
  const { facts, signer, log, signal, stateDir, requestTimeoutMs = 30_000, pauses = DEFAULT_PAUSES } = options;
  const url = coordinatorEndpoint(options.coordinatorUrl, options.allowPlaintext ?? false);
  const sign = (statement: UpdateStatement) => signer.signDigest(updateDigest(facts, statement));
  const journal =
    options.createJournal?.(sign) ?? createFileJournal({ folder: stateDir, participant: signer.address, sign });

  return {
    run: async () => {
      const control = createSocketControl({
        url,
        requestTimeoutMs,
        reconnectDelayMs: pauses.firstDelayMs,
        mostReconnectDelayMs: pauses.mostDelayMs,
      });
      let renewal: Promise<void> | undefined;
      let isTold = false;
      const bulk: BulkTransport = createHttpBulk({
        url,
        token: () => performer.token(),
        renewToken: () => {
          renewal ??= performer.renewToken().finally(() => {
            renewal = undefined;
          });
          return renewal;
        },
        idleTimeoutMs: requestTimeoutMs,
        retry: { tries: DOWNLOAD_TRIES, ...pauses },
      });
      const performer = createPerformer({
        control,
        bulk,
        journal,
        facts,
        signer,
        createTrainer: options.createTrainer,
        seed: options.seed === undefined ? randomBytes(32) : word(options.seed),
        carry: createFileCarry({ folder: stateDir, participant: signer.address }),
        privacy: options.privacy,
        energy: options.energy,
        pauses,
        log,
      });
      const lifetime = new AbortController();
      const duty =
        options.court && createDuty({ ...options, court: options.court, control, bulk, url }, lifetime.signal);
      const begin = (): Drive =>
        drive({
          participant: signer.address,
          perform: async (effect, aborted) => {
            const event = await performer.perform(effect, aborted);
            if (event.name === 'joined') duty?.begin();
            return event;
          },
          reconnect: (refusals) => control.reconnect(backoffMs(pauses, refusals + 1)),
          ...(options.onSession && { onState: options.onSession }),
          log,
        });
      let session = begin();
      control.onState((job) => {
        if (job.job !== facts.job) {
          log.error({ job: job.job }, 'the coordinator speaks of another job: it is not listened to');
          return;
        }
        if (job.phase !== 'closed') duty?.reopen();
        session.dispatch({ name: 'jobStateReceived', job });
      });
      control.onConnection((isConnected, reason) => {
        if (isConnected) log.info({ url }, 'connected');
        // One warning for each outage; its further tries are details.
        else log[isTold ? 'debug' : 'warn']({ url, reason }, 'no connection to the coordinator: trying again');
        isTold = !isConnected;
        if (isConnected) duty?.reopen();
        session.dispatch({ name: isConnected ? 'connected' : 'disconnected' });
      });
      const stop = (): void => {
        lifetime.abort();
        session.dispatch({ name: 'stopRequested' });
      };
      let isWaiting = false;
      const drain = (): void => {
        // After the last round nothing is on its way any more.
        if (isWaiting) stop();
        else session.dispatch({ name: 'drainRequested' });
      };
      signal?.addEventListener('abort', stop, { once: true });
      options.drain?.addEventListener('abort', drain, { once: true });
      try {
        if (signal?.aborted) stop();
        else if (options.drain?.aborted) drain();
        else control.connect();
        for (;;) {
          const { outcome, error } = await session.ended;
          duty?.rearm();
          // A receipt that is on its way is waited for, unless the client was told to stop at once.
          if (!lifetime.signal.aborted) await session.settled();
          isWaiting = true;
          const isReopened = outcome.kind === 'closed' && duty && (await duty.afterClosing()) === 'reopened';
          isWaiting = false;
          if (isReopened) {
            log.info({ rounds: outcome.rounds }, 'the job goes on: it is joined again');
            session = begin();
            // On a connection that is up, nothing else would say so; on one that is not, it comes when it is.
            session.dispatch({ name: 'connected' });
            continue;
          }
          if (lifetime.signal.aborted && outcome.kind === 'closed') return { kind: 'aborted' };
          if (outcome.kind !== 'refused') return outcome;
          throw error ?? new ProtocolError(outcome.code, outcome.message);
        }
      } finally {
        signal?.removeEventListener('abort', stop);
        options.drain?.removeEventListener('abort', drain);
        lifetime.abort();
        control.close();
        performer.dispose();
        await session.settled();
        await duty?.ended();
      }
    },
  };
}
