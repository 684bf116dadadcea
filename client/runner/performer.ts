import { setTimeout as delay } from 'node:timers/promises';
import type { Signer } from '../../contracts/wallet.ts';
import { decodeModel } from '../../shared/fixed-point/model.ts';
import type { JobTerms } from '../../shared/round/job-terms.ts';
import type { RoundPlan } from '../../shared/round/plan.ts';
import { wireFormat } from '../../shared/wire/wire-format.ts';
import type { Carry } from '../encoding/carry.ts';
import type { EnergyMeter } from '../energy/energy-meter.ts';
import type { SubmissionJournal } from '../journal/submission-journal.ts';
import type { Log } from '../log.ts';
import type { PrivacyGuard } from '../privacy/privacy-guard.ts';
import { type ChainFacts, checkDraw, checkModel, checkOrder, checkPlan, checkTerms } from '../session/check-terms.ts';
import type { WorkEffect } from '../session/effects.ts';
import type { WorkEvent } from '../session/events.ts';
import type { LocalTrainer, TrainerFactory } from '../tasks/local-trainer.ts';
import type { BulkTransport } from '../transports/bulk-transport.ts';
import type { ControlTransport } from '../transports/control-transport.ts';
import { openSession } from '../transports/handshake.ts';
import { backoffMs, type RetryOptions } from '../transports/retry.ts';
import { declineMessage } from './decline-message.ts';
import { offerUpdate, submitUpdate, uploadParts } from './deliver.ts';
import { encodeLearnt, learn } from './train-update.ts';

/** What the effects of a session work on. */
export interface PerformerOptions {
  /** The control plane. */
  readonly control: ControlTransport;
  /** The bulk plane. */
  readonly bulk: BulkTransport;
  /** Signs updates and keeps receipts. */
  readonly journal: SubmissionJournal;
  /** What the chain says about the job. */
  readonly facts: ChainFacts;
  /** The participant's key, for the handshake. */
  readonly signer: Signer;
  /** Makes the trainer once the manifest is verified. */
  readonly createTrainer: TrainerFactory;
  /** Decides every random choice, with job, round and attempt. */
  readonly seed: Uint8Array;
  /** What is carried from round to round. */
  readonly carry: Carry;
  /** Makes updates private; held-out metrics, which no noise covers, then stay with the client. */
  readonly privacy?: PrivacyGuard | undefined;
  /** Counts what training and evaluating use, which is reported with the metrics. */
  readonly energy?: EnergyMeter | undefined;
  /** Pauses after refusals. */
  readonly pauses: Omit<RetryOptions, 'tries'>;
  /** Where to tell what happens. */
  readonly log: Log;
}

/** Carries out the effects of a session. */
export interface Performer {
  /**
   * Carries out one effect and returns the event that answers it.
   *
   * @throws whatever the work throws
   */
  perform(effect: WorkEffect, signal: AbortSignal): Promise<WorkEvent>;
  /** Opens a session again, for a fresh token. */
  renewToken(): Promise<void>;
  /** The token of the session, empty before the first. */
  token(): string;
  /** Frees the trainer. */
  dispose(): void;
}

/** A manifest is small: JSON about tensors, not tensors. */
const MOST_MANIFEST_BYTES = 16 * 2 ** 20;

/** The largest float32, in place of a loss that is no number or beyond all numbers. */
const MOST_LOSS = 3.4028234663852886e38;

interface Prepared extends LocalTrainer {
  readonly terms: JobTerms;
}

/** Creates the effects' executor: a thin shell that holds the session's token, the job's terms and the trainer. */
export function createPerformer(options: PerformerOptions): Performer {
  const { control, journal, facts, signer, createTrainer, seed, carry, privacy, pauses, log } = options;
  const { job } = facts;
  let token = '';
  let latest: RoundPlan | null = null;
  let prepared: Prepared | undefined;
  let making: Promise<LocalTrainer> | undefined;
  const lifetime = new AbortController();

  const counted = <T>(work: () => Promise<T>): Promise<T> => options.energy?.during(work) ?? work();

  const renewToken = async (): Promise<void> => {
    token = await openSession(control, signer, 'participant', facts);
  };

  /** Nothing is trained before the manifest is held to the chain; once is enough. */
  const prepare = async (signal: AbortSignal): Promise<Prepared> => {
    if (prepared) return prepared;
    const bytes = await options.bulk.getBlob(facts.job, facts.manifestHash, MOST_MANIFEST_BYTES, signal);
    const terms = checkTerms(bytes, facts, signer.address);
    // A trainer takes its time, and a connection may be lost and found in between: one is made all the same.
    making ??= createTrainer(terms.manifest, lifetime.signal).catch((error) => {
      making = undefined;
      throw error;
    });
    const local = await making;
    if (prepared) return prepared;
    if (lifetime.signal.aborted) local.trainer.dispose();
    prepared = { terms, ...local };
    log.info({ job, name: terms.manifest.name, parameters: terms.layout.parameters }, 'the manifest is as anchored');
    return prepared;
  };
  const ready = (): Prepared => {
    // The session asks for work only after it has joined, and it joins only after this is prepared.
    if (!prepared) throw new Error('the job is not prepared');
    return prepared;
  };

  /** Holds a plan to the manifest and to the plans before it. */
  const follow = (terms: JobTerms, plan: RoundPlan): void => {
    checkPlan(terms, plan);
    checkOrder(latest, plan);
    latest = plan;
  };

  /**
   * Submits again what was signed for rounds that are over and has no receipt: a crash, here or there, came in between.
   * What the coordinator had accepted it answers as it did then, all else as late; either way there is its signature.
   */
  const collectReceipts = async (open: RoundPlan | null): Promise<void> => {
    try {
      for (const update of await journal.unanswered(job)) {
        const { round, attempt } = update.statement;
        if (open?.round === round && open.attempt === attempt) continue;
        await submitUpdate(control, signer.address, update, { facts, journal, log });
      }
    } catch (error) {
      // They are asked for again when the job is joined again; no round waits for them.
      log.warn({ error: (error as Error).message }, 'receipts of earlier rounds could not be had yet');
    }
  };

  const perform = async (effect: WorkEffect, signal: AbortSignal): Promise<WorkEvent> => {
    const { ticket } = effect;
    switch (effect.name) {
      case 'openSession': {
        await renewToken();
        await prepare(signal);
        const { state } = await control.request('job.join', { job });
        await collectReceipts(state.plan);
        const { buffer } = ready().terms.manifest.participation;
        return { name: 'joined', ticket, job: state, ...(buffer && { maxStaleness: buffer.maxStaleness }) };
      }
      case 'recall': {
        const { round, attempt } = effect.plan;
        const entry = await journal.find({ job, round, attempt });
        if (entry?.at === 'signed') log.info({ round, attempt }, 'this round was signed before: it is sent as it was');
        return { name: 'recalled', ticket, entry: entry ?? null };
      }
      case 'fetchModel': {
        const { terms } = ready();
        if (effect.plan) follow(terms, effect.plan);
        const bytes = await options.bulk.getBlob(facts.job, effect.modelRoot, terms.layout.dimension * 4, signal);
        return { name: 'modelFetched', ticket, model: checkModel(terms, bytes, effect.modelRoot) };
      }
      case 'evaluate': {
        const { terms, trainer } = ready();
        return {
          name: 'modelEvaluated',
          ticket,
          evaluation: await counted(() => trainer.evaluate(decodeModel(terms.layout, effect.model), signal)),
        };
      }
      case 'reportMetrics': {
        const { round, modelRoot, evaluation } = effect;
        const { correct, total, constantCorrect } = evaluation;
        const lossSum = Number.isFinite(evaluation.lossSum) ? evaluation.lossSum : MOST_LOSS;
        const used = options.energy?.take();
        log.info({ round, correct, total, ...(used && { energy: used }) }, 'model evaluated');
        if (!privacy) {
          const metrics = { job, round, modelRoot, correct, total, lossSum, constantCorrect };
          await control.request('metrics.report', { ...metrics, ...(used && { energy: used }) });
        }
        return { name: 'metricsReported', ticket };
      }
      case 'rejoin':
        await control.request('job.join', { job });
        return { name: 'rejoined', ticket };
      case 'checkDraw':
        checkDraw(ready().terms, effect.plan, effect.draw);
        return { name: 'drawChecked', ticket };
      case 'train': {
        const { terms, ...local } = ready();
        const own = { seed, carry, privacy, log, signal };
        const result = await counted(() => learn(terms, local, effect.plan, effect.model, own));
        return { name: 'updateLearnt', ticket, result };
      }
      case 'encode': {
        const { terms, ...local } = ready();
        const { learnt, plan } = effect;
        // In a buffered job it may be another round than the one that was fetched for.
        follow(terms, plan);
        const own = { seed, carry, privacy, log };
        return {
          name: 'updateEncoded',
          ticket,
          ...(await counted(() => encodeLearnt(terms, local, learnt, plan, own))),
        };
      }
      case 'sign':
        return { name: 'updateSigned', ticket, update: await journal.sign(effect.statement, effect.bytes) };
      case 'offer':
        return { name: 'updateOffered', ticket, missing: await offerUpdate(control, effect.update) };
      case 'upload': {
        const wire = wireFormat(ready().terms.manifest.wire);
        await uploadParts(options.bulk, effect.update, effect.missing, signal, wire);
        return { name: 'partsUploaded', ticket };
      }
      case 'submit':
        return {
          name: 'receiptReceived',
          ticket,
          verdict: await submitUpdate(control, signer.address, effect.update, { facts, journal, log }),
        };
      case 'collectReceipts':
        await collectReceipts(effect.open);
        return { name: 'receiptsCollected', ticket };
      case 'decline': {
        const { round, attempt } = effect.plan;
        const code = effect.code.slice(0, 100);
        log.warn({ round, attempt, code }, `round declined: ${effect.message}`);
        const message = declineMessage(code, effect.message);
        await control.request('round.decline', { job, round, attempt, code, message });
        return { name: 'roundDeclined', ticket };
      }
      case 'pause':
        await delay(backoffMs(pauses, effect.refusals + 1), undefined, { signal });
        return { name: 'pauseEnded', ticket };
    }
  };

  return {
    perform,
    renewToken,
    token: () => token,
    dispose: () => {
      lifetime.abort();
      prepared?.trainer.dispose();
    },
  };
}
