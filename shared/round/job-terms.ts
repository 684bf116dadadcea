import type { Hex } from '../bytes.ts';
import { type Layout, layoutOf, tensorTableRoot } from '../fixed-point/layout.ts';
import { encodeManifest, type Manifest, manifestHash } from './manifest.ts';
import { fixedPlanHash } from './plan.ts';

/** A manifest with all that follows from it: what every party holds a job to. */
export interface JobTerms {
  /** The job's identifier: the hash of its manifest's canonical bytes. */
  readonly job: Hex;
  /** The manifest. */
  readonly manifest: Manifest;
  /** Canonical bytes of the manifest. */
  readonly manifestBytes: Uint8Array;
  /** How tensors lie in vectors. */
  readonly layout: Layout;
  /** Hash of what the manifest fixes in every plan. */
  readonly fixedPlanHash: Hex;
  /** Root over the table of tensors. */
  readonly tensorTableRoot: Hex;
}

/**
 * Derives a job's terms from its manifest. The seed commitment inside makes the manifest, and so the job, unique.
 *
 * @throws LayoutError if the tensors cannot be laid out
 */
export function jobTerms(manifest: Manifest): JobTerms {
  const manifestBytes = encodeManifest(manifest);
  const layout = layoutOf(manifest.tensors);
  return {
    job: manifestHash(manifestBytes),
    manifest,
    manifestBytes,
    layout,
    fixedPlanHash: fixedPlanHash(manifest),
    tensorTableRoot: tensorTableRoot(layout),
  };
}
