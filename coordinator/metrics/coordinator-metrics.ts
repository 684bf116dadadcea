import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { OutboxNotice } from '../../contracts/outbox/notices.ts';
import type { Outbox } from '../../contracts/outbox/outbox.ts';
import type { Hex } from '../../shared/bytes.ts';
import type { HostedJob, JobRegister } from '../job-register.ts';
import type { OperatorDesk } from '../operator/operator-desk.ts';
import type { JobEvent } from '../round/events.ts';
import type { JobState } from '../round/state.ts';

/** What is measured. */
export interface MetricsOptions {
  /** The coordinator's jobs. */
  readonly jobs: JobRegister;
  /** Where answer times come from. */
  readonly desk: Pick<OperatorDesk, 'chronicleOf'>;
  /** The wallet's way to the chain. */
  readonly outbox: Pick<Outbox, 'status'>;
}

/** A coordinator's numbers for Prometheus. */
export interface CoordinatorMetrics {
  /** Media type of the text. */
  readonly contentType: string;
  /** All of them, in Prometheus' text format. */
  text(): Promise<string>;
  /** An HTTP request has begun; call the result with the bytes of its body and of the answer when it is over. */
  requestBegan(kind: 'upload' | 'other'): (bytesIn: number, bytesOut: number) => void;
}

const PHASES: readonly JobState['phase'][] = ['open', 'collecting', 'aggregating', 'anchoring', 'closed', 'failed'];

/** Buckets for work of the coordinator, in seconds. */
const WORK_S = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

/** Buckets for participants' answers, in seconds. */
const ANSWER_S = [1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 14_400, 86_400];

/** Buckets for the age of updates, in rounds. */
const STALENESS = [0, 1, 2, 3, 5, 10, 20, 50, 100, 200, 500, 1000];

const WEI_PER_COIN = 1e18;

/** A count of what the sender of transactions tells, which begins before there are jobs. */
export interface ChainCounts {
  /** Takes one notice. */
  take(notice: OutboxNotice): void;
  /** Counts so far by type. */
  readonly byType: ReadonlyMap<string, number>;
}

/** Creates a count of nothing yet. */
export function createChainCounts(): ChainCounts {
  const byType = new Map<string, number>();
  return {
    byType,
    take: ({ type }) => {
      byType.set(type, (byType.get(type) ?? 0) + 1);
    },
  };
}

/** Measures a coordinator: counters begin at 0 with the process, as Prometheus expects; gauges tell how it is now. */
export function createCoordinatorMetrics(
  { jobs, desk, outbox }: MetricsOptions,
  chain: ChainCounts,
): CoordinatorMetrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry, prefix: 'fedanchor_' });

  const gauge = <Label extends string>(
    name: string,
    help: string,
    labelNames: readonly Label[],
    collect: (gauge: Gauge<Label>) => void,
  ): void => {
    new Gauge({
      ...{ name: `fedanchor_${name}`, help, labelNames, registers },
      collect() {
        this.reset();
        collect(this);
      },
    });
  };
  const counter = <Label extends string>(name: string, help: string, labelNames: readonly Label[]): Counter<Label> =>
    new Counter({ name: `fedanchor_${name}`, help, labelNames, registers });
  const histogram = <Label extends string>(
    name: string,
    help: string,
    labelNames: readonly Label[],
    buckets: number[],
  ): Histogram<Label> => new Histogram({ name: `fedanchor_${name}`, help, labelNames, buckets, registers });
  const each = (read: (job: HostedJob, labels: { readonly job: Hex }) => void): void => {
    for (const job of jobs.all) read(job, { job: job.terms.job });
  };

  gauge('job_info', 'Jobs that are open, by name.', ['job', 'name', 'anchor'], (info) =>
    each(({ terms, anchor }, labels) => info.set({ ...labels, name: terms.manifest.name, anchor }, 1)),
  );
  gauge('job_rounds', 'Rounds anchored.', ['job'], (rounds) =>
    each(({ runner }, labels) => rounds.set(labels, runner.state.progress.rounds)),
  );
  gauge('job_rounds_planned', 'Rounds that the job has in all.', ['job'], (rounds) =>
    each(({ terms }, labels) => rounds.set(labels, terms.manifest.rounds)),
  );
  gauge('job_attempts', 'Times that rounds were started over.', ['job'], (attempts) =>
    each(({ runner }, labels) => attempts.set(labels, runner.state.progress.attempt)),
  );
  gauge('job_phase', '1 for the phase that the job is in.', ['job', 'phase'], (phases) =>
    each(({ runner }, labels) => {
      for (const phase of PHASES) phases.set({ ...labels, phase }, runner.state.phase === phase ? 1 : 0);
    }),
  );
  gauge(
    'job_storage_available',
    '0 while the job takes no updates since its storage cannot be written.',
    ['job'],
    (available) =>
      each(({ storage }, labels) => available.set(labels, storage?.status.state === 'unavailable' ? 0 : 1)),
  );
  gauge('job_paused', '1 while an operator has paused the job.', ['job'], (paused) =>
    each(({ runner }, labels) => paused.set(labels, runner.state.progress.paused ? 1 : 0)),
  );
  gauge('disputes_open', 'Disputes in flight over rounds of a job.', ['job'], (open) =>
    each(({ disputes }, labels) => {
      if (disputes) open.set(labels, disputes.open.length);
    }),
  );
  gauge('disputes_unanswerable', 'Those of them that cannot be answered as things are.', ['job'], (unanswerable) =>
    each(({ disputes }, labels) => {
      if (disputes) unanswerable.set(labels, disputes.open.filter(({ trouble }) => trouble !== undefined).length);
    }),
  );
  gauge('disputes_ended', 'Disputes that ended since the start, by how.', ['job', 'outcome'], (ended) =>
    each(({ disputes }, labels) => {
      for (const [outcome, count] of Object.entries(disputes?.ended ?? {})) ended.set({ ...labels, outcome }, count);
    }),
  );
  gauge('bond_short', '1 while the bond is too small for rounds to open.', ['job'], (short) =>
    each(({ disputes, runner }, labels) => {
      if (disputes) short.set(labels, runner.state.progress.unbonded ? 1 : 0);
    }),
  );
  gauge('participants_present', 'Participants that can be asked.', ['job'], (present) =>
    each(({ runner }, labels) => present.set(labels, runner.state.progress.present.length)),
  );
  gauge('participants_awaited', 'Participants that the open round still waits for.', ['job'], (awaited) =>
    each(({ runner: { state } }, labels) => {
      const open = state.phase === 'collecting' ? state : undefined;
      awaited.set(labels, open?.expected.filter((each) => open.answers[each] === undefined).length ?? 0);
    }),
  );
  gauge('wallet_balance', "What the coordinator's wallet held at the last look, in coins.", ['address'], (balance) => {
    const { address, balanceWei } = outbox.status();
    balance.set({ address }, Number(balanceWei) / WEI_PER_COIN);
  });
  gauge('transactions_pending', 'Transactions on their way.', [], (pending) =>
    pending.set(outbox.status().pending.length),
  );
  gauge('transaction_oldest_seconds', 'Age of the oldest transaction on its way.', [], (oldest) => {
    oldest.set(Math.max(0, ...outbox.status().pending.map(({ ageMs }) => ageMs)) / 1000);
  });
  gauge('chain_trouble', '1 while something keeps transactions from being sent.', ['code'], (trouble) => {
    const { lastError } = outbox.status();
    if (lastError) trouble.set({ code: lastError.code }, 1);
  });
  gauge('chain_notices', 'What the sender of transactions told, by type, since the start.', ['type'], (notices) => {
    for (const [type, count] of chain.byType) notices.set({ type }, count);
  });
  gauge('chain_reorgs', 'Blocks with own transactions that the chain has lost since the start.', [], (reorgs) =>
    reorgs.set(chain.byType.get('reorged') ?? 0),
  );

  const verdicts = counter('verdicts_total', 'Answers to rounds, by verdict and code.', ['job', 'verdict', 'code']);
  const gas = counter('gas_used_total', 'Gas that anchoring used.', ['job']);
  const aggregation = histogram('aggregation_seconds', 'Time of the round function.', ['job'], WORK_S);
  const close = histogram('close_seconds', 'From the end of collection to the next model.', ['job'], WORK_S);
  const anchoring = histogram('anchoring_seconds', 'From the next model to its record on chain.', ['job'], WORK_S);
  const answers = histogram('answer_seconds', 'From the opening of a round to an accepted update.', ['job'], ANSWER_S);
  const latest = new Gauge({
    name: 'fedanchor_participant_answer_seconds',
    help: 'How long the latest accepted update of a participant took.',
    labelNames: ['job', 'participant'],
    registers,
  });
  const staleness = histogram(
    'update_staleness_rounds',
    'Rounds between the newest model and the one that an accepted update was trained from, in buffered jobs.',
    ['job'],
    STALENESS,
  );
  const rewinds = counter('rewinds_total', 'Times that the chain took back rounds.', ['job']);
  const received = counter('received_bytes_total', 'Bytes of request bodies.', []);
  const sent = counter('sent_bytes_total', 'Bytes of answers.', []);
  const energy = counter('reported_energy_joules_total', 'What participants say that their work used.', [
    'job',
    'kind',
  ]);
  const requests = counter('requests_total', 'HTTP requests that are over.', ['kind']);
  const uploads = new Gauge({ name: 'fedanchor_uploads_in_flight', help: 'Parts on their way in.', registers });

  jobs.onJob((hosted) => {
    const { job } = hosted.terms;
    let aggregatedAt: number | undefined;
    const take = (event: JobEvent, { progress }: JobState): void => {
      switch (event.type) {
        case 'updateAccepted':
        case 'updateRefused':
          if (event.type === 'updateAccepted' && progress.parents) {
            staleness.observe({ job }, progress.parents.indexOf(event.statement.parentRoot));
          }
          verdicts.inc({ job, verdict: event.receipt.verdict, code: event.receipt.code });
          return;
        case 'roundDeclined':
          // The code is the participant's own words: as a label it could be anything.
          verdicts.inc({ job, verdict: 'declined', code: '' });
          return;
        case 'roundAggregated':
          aggregation.observe({ job }, event.aggregationMs / 1000);
          close.observe({ job }, event.closeMs / 1000);
          aggregatedAt = event.at;
          return;
        case 'roundAnchored':
          gas.inc({ job }, Number(event.gasUsed));
          if (aggregatedAt !== undefined) anchoring.observe({ job }, Math.max(0, event.at - aggregatedAt) / 1000);
          aggregatedAt = undefined;
          return;
        case 'metricsReported':
          if (event.energy) {
            const { millijoules, estimated } = event.energy;
            energy.inc({ job, kind: estimated ? 'estimated' : 'measured' }, millijoules / 1000);
          }
          return;
        case 'roundsRewound':
          rewinds.inc({ job });
          aggregatedAt = undefined;
          return;
        default:
          return;
      }
    };
    hosted.runner.subscribe(take);
    desk.chronicleOf(hosted).onAnswerTime((participant, answerMs) => {
      answers.observe({ job }, answerMs / 1000);
      latest.set({ job, participant }, answerMs / 1000);
    });
  });

  return {
    contentType: registry.contentType,
    text: () => registry.metrics(),
    requestBegan: (kind) => {
      if (kind === 'upload') uploads.inc();
      return (bytesIn, bytesOut) => {
        if (kind === 'upload') uploads.dec();
        received.inc(bytesIn);
        sent.inc(bytesOut);
        requests.inc({ kind });
      };
    },
  };
}
