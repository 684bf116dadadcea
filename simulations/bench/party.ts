import { openSession } from '../../client/transports/handshake.ts';
import { createSocketControl } from '../../client/transports/socket-control.ts';
import type { Signer } from '../../contracts/wallet.ts';
import type { JobEvent } from '../../coordinator/round/events.ts';
import type { Hex } from '../../shared/bytes.ts';
import { updateDigest } from '../../shared/commitments/contribution.ts';
import type { SignedReceipt } from '../../shared/commitments/receipt.ts';
import { NO_ANCHOR, type SigningDomain } from '../../shared/commitments/typed-data.ts';
import type { FedanchorError } from '../../shared/errors.ts';
import type { JobStateMessage } from '../../shared/protocol/messages.ts';
import { partPath } from '../../shared/protocol/routes.ts';
import type { RoundPlan } from '../../shared/round/plan.ts';
import { BenchError } from './bench-error.ts';
import type { PutLane } from './http-put.ts';
import type { BenchUpdate } from './updates.ts';

/** Whom the parties of a benchmark speak to. */
export interface Venue {
  /** The coordinator's address. */
  readonly url: string;
  /** The job. */
  readonly job: Hex;
  /** The coordinator's wallet address. */
  readonly coordinator: Hex;
  /** Where signatures are valid. */
  readonly domain: SigningDomain;
}

/** A connected participant that does what it is told: the protocol of a client, without training and without a journal. */
export interface Party {
  /** Joins the job. */
  join(): Promise<JobStateMessage>;
  /** Asks where the job stands. */
  state(): Promise<JobStateMessage>;
  /** Announces an update and uploads the parts that are missing. */
  upload(plan: RoundPlan, update: BenchUpdate, lane: PutLane): Promise<void>;
  /** Submits an uploaded update. */
  submit(plan: RoundPlan, update: BenchUpdate): Promise<SignedReceipt>;
  /** Calls a listener on every notice of where the job stands. */
  onState(listener: (state: JobStateMessage) => void): void;
  /** How often the connection was lost. */
  losses(): number;
  /** Ends the connection. */
  close(): void;
}

const REQUEST_TIMEOUT_MS = 600_000;

/** Pause before a connection whose session could not be opened is opened again. */
const RECONNECT_MS = 250;

/** Connects a participant and opens its session; a connection that is lost is opened again, and requests asked again. */
export async function connectParty({ url, job, coordinator, domain }: Venue, signer: Signer): Promise<Party> {
  const control = createSocketControl({ url, requestTimeoutMs: REQUEST_TIMEOUT_MS });
  let losses = 0;
  let hasJoined = false;
  let opened: (token: string) => void = () => {};
  let session = new Promise<string>((resolve) => {
    opened = resolve;
  });
  const open = async (): Promise<void> => {
    try {
      const token = await openSession(control, signer, 'participant', { ...domain, job, coordinator });
      if (hasJoined) await control.request('job.join', { job });
      opened(token);
    } catch {
      control.reconnect(RECONNECT_MS);
    }
  };
  control.onConnection((isConnected) => {
    if (isConnected) return void open();
    losses++;
    session = new Promise((resolve) => {
      const before = opened;
      opened = (token) => {
        before(token);
        resolve(token);
      };
    });
  });
  control.connect();
  /** Does something in an open session, again in the next one if the connection is lost on the way. */
  const inSession = async <T>(work: (token: string) => Promise<T>): Promise<T> => {
    for (;;) {
      const token = await session;
      try {
        return await work(token);
      } catch (error) {
        if ((error as Partial<FedanchorError>).code !== 'transport/disconnected') throw error;
      }
    }
  };
  await session;
  return {
    join: () =>
      inSession(async () => {
        hasJoined = true;
        return (await control.request('job.join', { job })).state;
      }),
    state: () => inSession(async () => (await control.request('job.state', { job })).state),
    upload: ({ round, attempt }, update, lane) =>
      inSession(async (token) => {
        const { updateRoot, byteLength, partRoots } = update;
        const about = { job, round, attempt, updateRoot, byteLength };
        const { missing } = await control.request('update.offer', { ...about, partRoots: [...partRoots] });
        for (const part of missing) {
          await lane.put(`${url}${partPath(job, updateRoot, part)}`, update.part(part), token);
        }
      }),
    submit: async (plan, { updateRoot, samples, largestMagnitude, datasetCommitment }) => {
      const { round, attempt, parentRoot } = plan;
      const facts = { updateRoot, samples, largestMagnitude, datasetCommitment };
      const statement = { job, round, attempt, parentRoot, ...facts };
      const signature = signer.signDigest(updateDigest(domain, statement));
      const { receipt } = await inSession(() => control.request('update.submit', { statement, signature }));
      if (receipt.verdict === 'accepted') return receipt;
      throw new BenchError('bench/refused', `an update was ${receipt.verdict}: ${receipt.code}`);
    },
    onState: (listener) => control.onState(listener),
    losses: () => losses,
    close: () => control.close(),
  };
}

/** Watches a job as the coordinator's operator. */
export async function watchEvents(
  { url, job, coordinator, domain }: Venue,
  operator: Signer,
  listener: (event: JobEvent) => void,
): Promise<() => void> {
  const control = createSocketControl({ url, requestTimeoutMs: REQUEST_TIMEOUT_MS });
  control.onEvent((notice) => listener((notice as { readonly event: JobEvent }).event));
  await new Promise<void>((resolve) => {
    control.onConnection((isConnected) => isConnected && resolve());
    control.connect();
  });
  const counterpart = { ...domain, coordinator, job: null, anchor: NO_ANCHOR };
  await openSession(control, operator, 'operator', counterpart);
  await control.request('job.watch', { job });
  return () => control.close();
}
