import type { Hex } from '../bytes.ts';

/** Path of a job's content-addressed blob: GET (with Range) and HEAD. */
export function blobPath(job: Hex, root: Hex): string {
  return `/jobs/${job}/blobs/${root}`;
}

/** Path of one part of an offered update: PUT (idempotent, verified on arrival) and HEAD (is it there?). */
export function partPath(job: Hex, updateRoot: Hex, part: number): string {
  return `/jobs/${job}/uploads/${updateRoot}/parts/${part}`;
}
