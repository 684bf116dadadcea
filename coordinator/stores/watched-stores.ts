import type { BlobStore } from '../blobs/blob-store.ts';
import type { UploadStore } from '../blobs/upload-store.ts';
import type { EventStore } from './event-store.ts';
import type { StorageHealth } from './storage-health.ts';

/** What a job stores things in. */
export interface JobStores {
  /** The event log. */
  readonly events: EventStore;
  /** Stored blobs. */
  readonly blobs: BlobStore;
  /** Updates on their way in. */
  readonly uploads: UploadStore;
}

/** Puts a watch over the writes of a job's stores: while storage fails they answer with its coded error. */
export function watchStores({ events, blobs, uploads }: JobStores, health: StorageHealth): JobStores {
  return {
    events: { ...events, append: (appended) => health.keep(() => events.append(appended)) },
    blobs: { ...blobs, put: (id, bytes) => health.take(bytes.length, () => blobs.put(id, bytes)) },
    uploads: {
      ...uploads,
      // Whoever could not send its parts anyway is told before it tries.
      offer: (participant, offer) => health.take(0, () => uploads.offer(participant, offer)),
      putPart: (participant, updateRoot, part, bytes) =>
        health.take(bytes.length, () => uploads.putPart(participant, updateRoot, part, bytes)),
    },
  };
}
