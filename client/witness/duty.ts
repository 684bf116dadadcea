import { setTimeout as delay } from 'node:timers/promises';
import type { Ledger } from '../../contracts/ledger/ledger.ts';
import type { Stakes } from '../../contracts/ledger/stakes.ts';
import { recoverAddress, type Signer } from '../../contracts/wallet.ts';
import type { AggregationEngine } from '../../shared/aggregation/engine.ts';
import { FedanchorError } from '../../shared/errors.ts';
import { createFileAuditMemory } from '../auditor/audit-memory.ts';
import { createEligibilityView } from '../auditor/eligibility.ts';
import type { Log } from '../log.ts';
import type { BulkTransport } from '../transports/bulk-transport.ts';
import type { ControlTransport } from '../transports/control-transport.ts';
import { createBulkBlobSource } from './bulk-blob-source.ts';
import { runWitness } from './witness.ts';

/** What a participant's duties beside training need. */
export interface DutyOptions {
  /** The chain, stakes, and what recomputes; no engine, no attestations. */
  readonly court: {
    /** The chain. */
    readonly ledger: Ledger;
    /** The job's StakeManager. */
    readonly stakes: Pick<Stakes, 'isEligible'>;
    /** Recomputes; null where nothing is attested. */
    readonly engine: AggregationEngine | null;
    /** Pause between two looks at the chain, in milliseconds. */
    readonly pollMs?: number;
  };
  /** The control plane, with a session. */
  readonly control: Pick<ControlTransport, 'request'>;
  /** The bulk plane, with its token. */
  readonly bulk: Pick<BulkTransport, 'getBlob'>;
  /** The coordinator's address, for messages. */
  readonly url: string;
  /** Where it is remembered what was recomputed. */
  readonly stateDir: string;
  /** The participant's key. */
  readonly signer: Signer;
  /** Where it tells what it does. */
  readonly log: Log;
}

/** A participant's duties beside training. */
export interface Duty {
  /** Begins to recompute and attest; called again, it changes nothing. */
  begin(): void;
  /** The session has ended: what reopens the job from here on counts. */
  rearm(): void;
  /** The job is open again, or the way to the coordinator is new: whoever waits after the last round stops waiting. */
  reopen(): void;
  /** Waits after the last round until it is final, the job is open again, or the client is stopped. */
  afterClosing(): Promise<'final' | 'reopened'>;
  /** Resolves when nothing is being recomputed any more. */
  ended(): Promise<void>;
}

const POLL_MS = 4000;

/** Creates a participant's duties in a job with a court. */
export function createDuty(options: DutyOptions, signal: AbortSignal): Duty {
  const { court, control, bulk, url, stateDir, signer, log } = options;
  const { ledger, stakes, engine, pollMs = POLL_MS } = court;
  let witness: Promise<void> | undefined;
  let waiting = new AbortController();

  const attest = async (recompute: AggregationEngine): Promise<void> => {
    const facts = await ledger.facts();
    if (facts.attestationQuorum === 0) return;
    await runWitness({
      facts,
      ledger,
      blobs: createBulkBlobSource(bulk, url, facts.job, signal),
      recover: recoverAddress,
      eligibility: createEligibilityView(ledger, stakes),
      engine: recompute,
      memory: createFileAuditMemory(stateDir, facts.anchor),
      signer,
      send: async (attestation) => void (await control.request('round.attest', attestation)),
      pollMs,
      log,
      signal,
    });
  };

  /** Whether the job's latest round is final; an unreachable chain says nothing. */
  const isFinal = async (): Promise<boolean> => {
    try {
      const last = (await ledger.records()).at(-1);
      return last !== undefined && (await ledger.isFinal(last.record));
    } catch (error) {
      if (!(error instanceof FedanchorError)) throw error;
      return false;
    }
  };

  return {
    begin: () => {
      if (engine === null) return;
      witness ??= attest(engine).catch((error: Error) => {
        if (!signal.aborted) log.error({ stack: error.stack }, `no rounds are attested any more: ${error.message}`);
      });
    },
    rearm: () => {
      waiting = new AbortController();
    },
    reopen: () => waiting.abort(),
    afterClosing: async () => {
      const either = AbortSignal.any([signal, waiting.signal]);
      log.info({}, 'the last round is anchored: waiting until it is final');
      while (!either.aborted) {
        if (await isFinal()) return 'final';
        await delay(pollMs, undefined, { signal: either }).catch(() => undefined);
      }
      return signal.aborted ? 'final' : 'reopened';
    },
    ended: async () => {
      await witness;
    },
  };
}
