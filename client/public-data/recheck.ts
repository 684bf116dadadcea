import type { Ledger } from '../../contracts/ledger/ledger.ts';
import type { Hex } from '../../shared/bytes.ts';
import { FedanchorError } from '../../shared/errors.ts';
import { jobTerms } from '../../shared/round/job-terms.ts';
import { decodeManifest } from '../../shared/round/manifest.ts';
import type { BlobSource } from '../auditor/blob-source.ts';
import { mustEqual } from '../auditor/divergence.ts';
import { fetchModel } from '../auditor/fetch-blob.ts';
import { fetchDocument } from '../auditor/fetch-document.ts';
import { createMemoryCarry } from '../encoding/memory-carry.ts';
import type { Log } from '../log.ts';
import { trainUpdate } from '../runner/train-update.ts';
import { checkTerms } from '../session/check-terms.ts';
import type { PublishedPlaces } from './fetch-published.ts';
import { splitPublished } from './published-source.ts';
import { createPublishedTrainer } from './published-trainer.ts';

/** Thrown when a participant's training cannot be repeated, so that nothing can be said of it. */
export class RecheckError extends FedanchorError<
  'recheck/no-such-round' | 'recheck/no-such-participant' | 'recheck/not-exact' | 'recheck/buffered'
> {}

/** What repeating one participant's training came to. */
export interface RecheckVerdict {
  /** The participant. */
  readonly participant: Hex;
  /** Whether all that it signed is what its training gives. */
  readonly matches: boolean;
  /** Each field that is not what the training gives; empty where it matches. */
  readonly differences: readonly RecheckDifference[];
}

/** A field of what a participant signed that its training does not give. */
export interface RecheckDifference {
  /** The field. */
  readonly field: 'updateRoot' | 'samples' | 'largestMagnitude' | 'datasetCommitment';
  /** What the training gives. */
  readonly expected: string;
  /** What was signed. */
  readonly signed: string;
}

/** What a round's training is repeated with. */
export interface RecheckOptions {
  /** The job's chain. */
  readonly ledger: Ledger;
  /** Where manifest, models and documents are; every one is hashed here. */
  readonly blobs: BlobSource;
  /** Where the published data may be had. */
  readonly places: PublishedPlaces;
  /** The round. */
  readonly round: number;
  /** Whose training is repeated; left out, everyone's that the round admitted. */
  readonly participant?: Hex;
  /** Told of each verdict as it is reached. */
  readonly onVerdict: (verdict: RecheckVerdict) => void;
  /** Where to tell what happens beside. */
  readonly log: Log;
  /** Ends the work. */
  readonly signal: AbortSignal;
}

const MOST_MANIFEST_BYTES = 16 * 2 ** 20;

/**
 * Repeats the training of a round's participants, from the model that the chain names, on the data and with the seeds that
 * everyone knows, and compares what it gives with what they signed, bit for bit.
 *
 * @throws RecheckError; PublicDataError where the data cannot be had; DivergenceFound where what was published is not what
 *   the chain says; AuditError, LedgerError, TrainerError
 */
export async function recheck(options: RecheckOptions): Promise<readonly RecheckVerdict[]> {
  const { ledger, blobs, places, round, log, signal } = options;
  const facts = await ledger.facts();
  const record = (await ledger.records())[round - 1]?.record;
  if (record === undefined) {
    throw new RecheckError('recheck/no-such-round', `round ${round} is not anchored: name one that is`, { round });
  }
  const bytes = await blobs.get(facts.manifestHash, MOST_MANIFEST_BYTES);
  // Whoever rechecks need not be a participant: the manifest alone is held to the chain.
  const terms = jobTerms(decodeManifest(bytes));
  const [anyone] = terms.manifest.participation.admission;
  checkTerms(bytes, facts, (anyone?.length === 42 ? anyone : facts.coordinator) as Hex);
  const { manifest } = terms;
  if (!splitPublished(manifest).source.exact) {
    const message =
      'manifest field "task.data.source.exact" is false: everyone trained on what they had, and nothing can be repeated';
    throw new RecheckError('recheck/not-exact', message, { round });
  }
  if (manifest.participation.buffer) {
    const message =
      'manifest field "participation.buffer": an update may have been begun in an earlier round, and in which attempt nobody has written down, so its training cannot be repeated';
    throw new RecheckError('recheck/buffered', message, { round });
  }
  const { contributions, plan } = await fetchDocument(blobs, record.location);
  mustEqual('parentRoot', plan.parentRoot, record.parentModelRoot);
  const asked = contributions.filter(({ participant }) => [undefined, participant].includes(options.participant));
  if (asked.length === 0) {
    const message = `${options.participant} has no update in round ${round}: it has those of ${contributions.map(({ participant }) => participant).join(', ')}`;
    throw new RecheckError('recheck/no-such-participant', message, { round, participant: options.participant });
  }
  const model = await fetchModel(blobs, 'parent model', record.parentModelRoot, terms.layout.dimension);
  const verdicts: RecheckVerdict[] = [];
  for (const signed of asked) {
    const { participant } = signed;
    const local = await createPublishedTrainer(manifest, { participant, places }, signal);
    try {
      const carry = createMemoryCarry();
      // What is not named here, the local seed decides.
      const again = { seed: local.seed, carry, log, signal };
      const { statement } = await trainUpdate(terms, local, plan, model, again);
      const differences = (['updateRoot', 'samples', 'largestMagnitude', 'datasetCommitment'] as const).flatMap(
        (field) =>
          statement[field] === signed[field]
            ? []
            : [{ field, expected: String(statement[field]), signed: String(signed[field]) }],
      );
      const verdict = { participant, matches: differences.length === 0, differences };
      options.onVerdict(verdict);
      verdicts.push(verdict);
    } finally {
      local.trainer.dispose();
    }
  }
  return verdicts;
}
