import { io } from 'socket.io-client';
import type { Signer } from '../../contracts/wallet.ts';
import type { Hex } from '../../shared/bytes.ts';
import { NO_ANCHOR, SESSION_TYPE, typedDataDigest } from '../../shared/commitments/typed-data.ts';
import { FedanchorError } from '../../shared/errors.ts';
import {
  type AnswerOf,
  type JobStateMessage,
  NOTICES,
  type OperationName,
  parseJobState,
  parseReply,
  type RequestOf,
} from '../../shared/protocol/messages.ts';
import { Decoder, Encoder } from '../../shared/protocol/parser.ts';
import { blobPath } from '../../shared/protocol/routes.ts';
import { PROTOCOL_VERSION } from '../../shared/protocol/version.ts';
import type { JobEvent } from '../round/events.ts';

/** Thrown when the coordinator cannot be spoken to, or is not the one that was meant. */
export class OperatorClientError extends FedanchorError<
  'operator/unreachable' | 'operator/wrong-coordinator' | 'operator/bad-answer' | 'operator/no-blob'
> {}

/** Thrown when the coordinator refuses what it is asked; the code is the coordinator's. */
export class OperatorRefusal extends FedanchorError {}

/** Which coordinator is meant. */
export interface OperatorTarget {
  /** Where it listens. */
  readonly url: string;
  /** Its address, lower case; what is signed is of use to no other. */
  readonly coordinator: Hex;
  /** The chain it must be on; left out, the one it names. */
  readonly chainId?: bigint;
}

/** An operator's session with a running coordinator. */
export interface OperatorClient {
  /**
   * Asks the coordinator.
   *
   * @throws OperatorRefusal with the coordinator's code; OperatorClientError
   */
  request<Name extends OperationName>(name: Name, payload: RequestOf<Name>): Promise<AnswerOf<Name>>;
  /** Watches a job: every event from its beginning, and every state; resolves when the connection has ended. */
  watch(
    job: Hex,
    listener: { onEvent: (event: JobEvent) => void; onState: (state: JobStateMessage) => void },
  ): Promise<void>;
  /**
   * Downloads a blob of a job.
   *
   * @throws OperatorClientError `operator/no-blob`
   */
  blob(job: Hex, id: Hex): Promise<Uint8Array>;
  /** Ends the session. */
  close(): void;
}

/** Longest wait for a connection or for one answer. */
const ANSWER_LIMIT_MS = 15_000;

/**
 * Opens an operator's session.
 *
 * @throws OperatorClientError `operator/unreachable`, `operator/wrong-coordinator`; OperatorRefusal `session/not-allowed`
 */
export async function openOperatorClient(target: OperatorTarget, signer: Signer): Promise<OperatorClient> {
  const { origin, pathname } = new URL(target.url);
  const socket = io(origin, {
    ...{ path: `${pathname.replace(/\/+$/, '')}/socket.io`, parser: { Encoder, Decoder }, transports: ['websocket'] },
    ...{ reconnection: false, forceNew: true, timeout: ANSWER_LIMIT_MS },
  });
  const request = async <Name extends OperationName>(name: Name, payload: RequestOf<Name>): Promise<AnswerOf<Name>> => {
    const value: unknown = await socket
      .timeout(ANSWER_LIMIT_MS)
      .emitWithAck(name, payload)
      .catch((cause: Error) => {
        throw unreachable(target.url, cause);
      });
    const reply = parseReply(name, value);
    if (!reply) {
      const message = `the coordinator's answer to "${name}" has not the form of this version: compare the versions`;
      throw new OperatorClientError('operator/bad-answer', message, { name });
    }
    if (!reply.ok) throw new OperatorRefusal(reply.code, reply.message, { name });
    return reply.answer;
  };
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('connect_error', (cause) => reject(unreachable(target.url, cause)));
    });
    const token = await openSession(request, target, signer);
    return {
      request,
      watch: async (job, { onEvent, onState }) => {
        const ended = new Promise<void>((resolve) => {
          socket.once('disconnect', () => resolve());
        });
        socket.on(NOTICES.jobEvent, (notice: { readonly job: Hex; readonly event: JobEvent }) => {
          if (notice.job === job) onEvent(notice.event);
        });
        socket.on(NOTICES.jobState, (value: unknown) => {
          const state = parseJobState(value);
          if (state?.job === job) onState(state);
        });
        onState((await request('job.watch', { job })).state);
        await ended;
      },
      blob: async (job, id) => {
        const response = await fetch(new URL(`${pathname.replace(/\/+$/, '')}${blobPath(job, id)}`, origin), {
          headers: { authorization: `Bearer ${token}` },
        }).catch((cause: Error) => {
          throw unreachable(target.url, cause);
        });
        if (response.ok) return new Uint8Array(await response.arrayBuffer());
        const message = `the coordinator does not serve blob ${id} (HTTP ${response.status}): is it that old?`;
        throw new OperatorClientError('operator/no-blob', message, { id });
      },
      close: () => {
        socket.disconnect();
      },
    };
  } catch (error) {
    socket.disconnect();
    throw error;
  }
}

async function openSession(
  request: OperatorClient['request'],
  { coordinator, chainId }: OperatorTarget,
  signer: Signer,
): Promise<string> {
  const { address } = signer;
  const role = 'operator';
  const asked = { protocol: PROTOCOL_VERSION, address, role, job: null } as const;
  const answer = await request('session.challenge', asked);
  const isMeant = answer.coordinator === coordinator && (chainId === undefined || answer.chainId === String(chainId));
  if (!isMeant) {
    throw new OperatorClientError(
      'operator/wrong-coordinator',
      `the coordinator there is ${answer.coordinator} on chain ${answer.chainId}, not ${coordinator}${chainId === undefined ? '' : ` on chain ${chainId}`}: check the address`,
      { found: answer.coordinator, expected: coordinator },
    );
  }
  const domain = { chainId: BigInt(answer.chainId), anchor: NO_ANCHOR };
  const digest = typedDataDigest(domain, SESSION_TYPE, { coordinator, role, challenge: answer.challenge });
  const { token } = await request('session.open', { signature: signer.signDigest(digest) });
  return token;
}

function unreachable(url: string, cause: Error): OperatorClientError {
  return new OperatorClientError(
    'operator/unreachable',
    `the coordinator at ${url} does not answer (${cause.message}): is it running? "fedanchor doctor" looks for causes`,
    { url },
    cause,
  );
}
