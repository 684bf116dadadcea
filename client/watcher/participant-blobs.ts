import type { Signer } from '../../contracts/wallet.ts';
import type { BlobSource } from '../auditor/blob-source.ts';
import { createHttpBlobSource } from '../auditor/http-blob-source.ts';
import { type Counterpart, openSession } from '../transports/handshake.ts';
import { createHttpBulk } from '../transports/http-bulk.ts';
import { createSocketControl } from '../transports/socket-control.ts';
import { createBulkBlobSource } from '../witness/bulk-blob-source.ts';

/** Where to read blobs, and as whom. */
export interface ParticipantBlobsOptions {
  /** The coordinator's address, without a trailing slash. */
  readonly url: string;
  /** What the chain says of the coordinator and the job. */
  readonly counterpart: Counterpart & { readonly job: NonNullable<Counterpart['job']> };
  /** Who asks; null reads what is public. */
  readonly signer: Signer | null;
  /** Ends every request in progress. */
  readonly signal: AbortSignal;
}

/** Blobs over a session of one's own. */
export interface ParticipantBlobs {
  /** Where they are read. */
  readonly blobs: BlobSource;
  /** Ends the session. */
  close(): void;
}

/** Tries of one download. */
const RETRY = { tries: 3, firstDelayMs: 250, mostDelayMs: 2000 };

/**
 * Reads a coordinator's blobs as one of the job's participants: a session is opened when the coordinator first asks for
 * one, and again whenever it has run out.
 */
export function openParticipantBlobs({ url, counterpart, signer, signal }: ParticipantBlobsOptions): ParticipantBlobs {
  const { job } = counterpart;
  if (signer === null) return { blobs: createHttpBlobSource({ url, job, signal }), close: () => undefined };
  const control = createSocketControl({ url });
  let token = '';
  let isUp = false;
  let isStarted = false;
  let waiting: (() => void)[] = [];
  control.onConnection((isConnected) => {
    isUp = isConnected;
    // Whoever waits learns of a refusal too: its request then fails, and is tried again later.
    for (const go of waiting.splice(0)) go();
  });
  const connected = async (): Promise<void> => {
    if (isUp) return;
    const settled = new Promise<void>((resolve) => {
      waiting = [...waiting, resolve];
    });
    if (!isStarted) control.connect();
    isStarted = true;
    await settled;
  };
  let renewal: Promise<void> | undefined;
  const renewToken = async (): Promise<void> => {
    await connected();
    token = await openSession(control, signer, 'participant', counterpart);
  };
  const bulk = createHttpBulk({
    url,
    token: () => token,
    renewToken: () => {
      renewal ??= renewToken().finally(() => {
        renewal = undefined;
      });
      return renewal;
    },
    retry: RETRY,
  });
  return { blobs: createBulkBlobSource(bulk, url, job, signal), close: () => control.close() };
}
