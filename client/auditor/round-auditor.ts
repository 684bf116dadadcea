import type { AggregationEngine } from '../../shared/aggregation/engine.ts';
import { createScalarEngine } from '../../shared/aggregation/scalar-engine.ts';
import type { Hex } from '../../shared/bytes.ts';
import type { JobTerms } from '../../shared/round/job-terms.ts';
import type { ContributionContext, EligibilityView, Recover } from './audit-contributions.ts';
import { type AuditFacts, auditManifest } from './audit-origin.ts';
import { auditRound, type RoundFinding } from './audit-round.ts';
import type { BlobSource } from './blob-source.ts';
import { type AnchoredRound, type ChainPosition, genesisPosition, positionAfter } from './chain-position.ts';
import { type Divergence, divergenceOf } from './divergence.ts';
import type { RoundVerdict, Verdict } from './report.ts';
import type { RetentionView } from './retention.ts';
import { genesisStart, type RoundStart, recoverStart } from './round-start.ts';
import { createUpdateRoom, type UpdateRoom } from './update-room.ts';

/** What recomputes rounds one by one: facts come from the chain and are trusted, blobs are not. */
export interface RoundAuditorOptions {
  /** What the chain says the job is. */
  readonly facts: AuditFacts;
  /** Where the data behind the roots is read. */
  readonly blobs: BlobSource;
  /** Recovers signers. */
  readonly recover: Recover;
  /** Tells whether updates may have gone, their retention being over; without it, none may. */
  readonly retention?: RetentionView;
  /** Recomputes aggregations; the scalar reference unless given. */
  readonly engine?: AggregationEngine;
  /** Tells who has staked enough to contribute to a round; without it, everybody has. */
  readonly eligibility?: EligibilityView;
  /** Most bytes of updates in memory: larger rounds are kept in files, which the engine must read; default 256 MiB. */
  readonly memoryBytes?: number;
}

/** A round that was audited, with all there is to say where it is wrong. */
export interface AuditedRound {
  /** The round as anchored. */
  readonly anchored: AnchoredRound;
  /** The verdict: on this round and everything before it. */
  readonly verdict: RoundVerdict;
  /** What was found of this round alone. */
  readonly finding: RoundFinding;
  /** Where the chain stood before it. */
  readonly before: ChainPosition;
  /** What it started from, if that is known. */
  readonly start?: RoundStart;
}

/**
 * Audits a job's rounds as they come. After a round that does not recompute it goes on from what was published, if that
 * has the roots on the chain, so that it finds every further lie; but rounds built on it do not hold.
 */
export interface RoundAuditor extends AsyncDisposable {
  /** The verdict on the manifest and on the model before round 1; asked for once. Throws AuditError. */
  origin(): Promise<Verdict>;
  /** The job's terms, once the origin was audited and the manifest holds. */
  terms(): JobTerms | undefined;
  /** The round after which the auditor stands, 0 before the first. */
  round(): number;
  /**
   * Audits the round after that.
   *
   * @returns the verdict and what it was made of; updates in it are there until the next call
   * @throws AuditError when the blobs cannot be asked for: the auditor then stands where it stood
   */
  next(anchored: AnchoredRound): Promise<AuditedRound>;
  /**
   * Stands after a round without auditing it: it was audited before, with all before it, and held.
   *
   * @throws AuditError when the manifest cannot be asked for
   */
  adopt(anchored: AnchoredRound): Promise<void>;
  /**
   * Goes back to where it stood after an earlier round: the chain was rewound, or a round is to be audited once more.
   *
   * @param round - 0 for the beginning
   */
  backTo(round: number): void;
  /** Gives memory and files back. */
  close(): Promise<void>;
}

/** Where the auditor stood after a round. */
interface Standing {
  readonly position: ChainPosition;
  /** The latest ancestor that did not recompute, in words. */
  readonly broken: string | undefined;
  /** The round, unless it is the genesis. */
  readonly anchored?: AnchoredRound;
}

/** Starts that are kept; an older one is fetched again where a rewind goes back so far. */
const STARTS_KEPT = 4;

const MEMORY_BYTES = 256 * 2 ** 20;

/** Creates an auditor that stands before round 1. */
export function createRoundAuditor(options: RoundAuditorOptions): RoundAuditor {
  const { facts, blobs, recover, retention, eligibility } = options;
  const engine = options.engine ?? createScalarEngine();
  // The scalar reference reads no files.
  const memoryBytes = options.engine ? (options.memoryBytes ?? MEMORY_BYTES) : Number.POSITIVE_INFINITY;
  let origin: Verdict | undefined;
  let context: ContributionContext | undefined;
  let room: UpdateRoom | undefined;
  const standings: Standing[] = [];
  const starts = new Map<number, RoundStart>();

  const keepStart = (round: number, start: RoundStart | undefined): void => {
    if (start === undefined) return;
    starts.set(round, start);
    const oldest = Math.min(...starts.keys());
    if (starts.size > STARTS_KEPT) starts.delete(oldest);
  };

  const auditOrigin = async (): Promise<Verdict> => {
    let terms: JobTerms | undefined;
    let start: RoundStart | undefined;
    const divergence = await divergenceOf(async () => {
      terms = await auditManifest(facts, blobs);
      start = await genesisStart(terms, blobs);
    });
    if (terms !== undefined) {
      room = createUpdateRoom({ engine, dimension: terms.layout.dimension, memoryBytes });
      context = {
        facts,
        terms,
        blobs,
        recover,
        engine,
        room,
        ...(retention && { retention }),
        ...(eligibility && { eligibility }),
      };
      const broken = start ? undefined : 'the genesis model';
      standings.push({ position: genesisPosition(facts, terms), broken });
      keepStart(0, start);
    }
    return verdictOf(divergence);
  };

  /** What the round after one starts from. */
  const startAfter = async ({ terms }: ContributionContext, round: number): Promise<RoundStart | undefined> => {
    const kept = starts.get(round);
    if (kept !== undefined) return kept;
    const anchored = standings[round]?.anchored;
    let start: RoundStart | undefined;
    if (anchored) start = await recoverStart(terms, blobs, anchored.record);
    else {
      await divergenceOf(async () => {
        start = await genesisStart(terms, blobs);
      });
    }
    keepStart(round, start);
    return start;
  };

  const ensureOrigin = async (): Promise<Verdict> => {
    origin ??= await auditOrigin();
    return origin;
  };

  /** The models that updates of the next round may be trained from by the records alone; undefined unless it is buffered. */
  const parentsOf = ({ terms }: ContributionContext): readonly Hex[] | undefined => {
    const { buffer } = terms.manifest.participation;
    if (buffer === undefined) return undefined;
    const last = standings.slice(-(buffer.maxStaleness + 1));
    return last.map(({ position }) => position.modelRoot).reverse();
  };

  const next = async (anchored: AnchoredRound): Promise<AuditedRound> => {
    await ensureOrigin();
    if (context === undefined) return baseless(anchored);
    const { position, broken } = standings.at(-1) as Standing;
    const start = await startAfter(context, position.round);
    const finding: RoundFinding = start
      ? await auditRound(context, position, start, anchored, parentsOf(context))
      : { divergence: brokenParent(`${broken ?? `round ${position.round}`}, whose state cannot be recovered,`) };
    const inherited = broken === undefined ? undefined : brokenParent(broken);
    const verdict = judge(anchored, finding.divergence ?? inherited, finding.rootsOnly);
    // Where only what was published of a round is damaged, its state is known all the same: the next one stands on it.
    standings.push({
      position: positionAfter(position, anchored),
      broken: finding.next ? broken : `round ${anchored.record.round}`,
      anchored,
    });
    starts.delete(position.round + 1);
    keepStart(position.round + 1, finding.next);
    return { anchored, verdict, finding, before: position, ...(start && { start }) };
  };

  const adopt = async (anchored: AnchoredRound): Promise<void> => {
    await ensureOrigin();
    const last = standings.at(-1);
    if (last) standings.push({ position: positionAfter(last.position, anchored), broken: last.broken, anchored });
  };

  const close = async (): Promise<void> => {
    await room?.close();
  };

  return {
    origin: ensureOrigin,
    terms: () => context?.terms,
    round: () => Math.max(0, standings.length - 1),
    next,
    adopt,
    backTo: (round) => {
      if (round >= standings.length) throw new RangeError(`the auditor has not come to round ${round}`);
      standings.length = round + 1;
      for (const kept of [...starts.keys()]) if (kept > round) starts.delete(kept);
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** A round of a job whose manifest does not hold. */
function baseless(anchored: AnchoredRound): AuditedRound {
  const { job, modelRoot } = anchored.record;
  const before = { round: anchored.record.round - 1, head: job, attempt: 0, seedIndex: 0, seed: job, modelRoot };
  const divergence = brokenParent('the manifest');
  return { anchored, verdict: judge(anchored, divergence), finding: { divergence }, before };
}

function judge({ record }: AnchoredRound, divergence: Divergence | undefined, rootsOnly?: true): RoundVerdict {
  const { round, attempt, modelRoot } = record;
  return { round, attempt, modelRoot, ...verdictOf(divergence), ...(rootsOnly && { rootsOnly }) };
}

/** The verdict that a divergence, or none, is. */
export function verdictOf(divergence: Divergence | undefined): Verdict {
  return divergence ? { holds: false, divergence } : { holds: true };
}

function brokenParent(what: string): Divergence {
  return { what: 'parent', expected: 'ancestors that hold', found: `${what} does not hold` };
}
