import type { JobContracts } from '../../coordinator/job-folder.ts';
import type { Hex } from '../../shared/bytes.ts';
import type { Payment } from './chain.ts';
import type { Chronicle } from './chronicle.ts';
import type { DemoOptions } from './options.ts';
import type { Cast } from './participants.ts';
import { type PooledMetrics, pool } from './screen.ts';
import type { Trial } from './trial.ts';

/** What the auditor found, as its own process reported it. */
export interface AuditVerdict {
  /** Whether every round holds. */
  readonly holds: boolean;
  /** Round by round. */
  readonly rounds: readonly { readonly round: number; readonly holds: boolean }[];
}

/** What the document is made of. */
export interface DocumentParts {
  /** What was asked for. */
  readonly options: DemoOptions;
  /** Canonical name of the rule. */
  readonly rule: string;
  /** The job. */
  readonly job: Hex;
  /** EIP-155 chain id. */
  readonly chainId: number;
  /** Addresses. */
  readonly contracts: JobContracts;
  /** Who took part. */
  readonly cast: Cast;
  /** What happened. */
  readonly chronicle: Chronicle;
  /** What the auditor found. */
  readonly audit: AuditVerdict;
  /** Who was paid what. */
  readonly payments: readonly Payment[];
  /** What the sponsor put in. */
  readonly funded: bigint;
  /** How the coordinator's lie was punished, where it told one. */
  readonly trial?: Trial;
  /** The exported model. */
  readonly modelFile: string;
  /** Time of installing and building before this run, in milliseconds. */
  readonly setupMs: number;
  /** Time of the run itself, in milliseconds. */
  readonly wallMs: number;
}

/** Reports of the honest on the model of a round, pooled; undefined if none has come in. */
export function honestMetrics(chronicle: Chronicle, cast: Cast, round: number): PooledMetrics | undefined {
  const reports = cast.participants.flatMap(({ role, signer }) => {
    const report = role === 'honest' ? chronicle.metricsOf(round).get(signer.address) : undefined;
    return report ? [report] : [];
  });
  return reports.length === 0 ? undefined : pool(reports);
}

/** The whole run as one JSON-able document; amounts and scores are decimal strings. */
export function demoDocument(parts: DocumentParts) {
  const { options, chronicle, cast, payments, audit } = parts;
  const roleOf = new Map(cast.participants.map(({ signer, role }) => [signer.address, role]));
  const untrained = honestMetrics(chronicle, cast, 0);
  const last = chronicle.rounds.at(-1);
  return {
    seed: options.seed,
    job: parts.job,
    chainId: parts.chainId,
    contracts: parts.contracts,
    rule: parts.rule,
    attack: options.attackers > 0 ? options.attack : null,
    baseline: { untrained: untrained?.accuracy ?? null, constant: untrained?.constant ?? null },
    participants: cast.participants.map(({ name, role, signer, text }) => ({
      name,
      participant: signer.address,
      role,
      data: text.names,
    })),
    rounds: chronicle.rounds.map((row) => {
      const metrics = honestMetrics(chronicle, cast, row.round);
      return {
        round: row.round,
        attempt: row.attempt,
        parentRoot: row.parentRoot,
        modelRoot: row.modelRoot,
        accuracy: metrics?.accuracy ?? null,
        loss: metrics?.loss ?? null,
        verdicts: row.verdicts.map(({ participant, verdict, code, score }) => ({
          participant,
          role: roleOf.get(participant),
          verdict,
          ...(code === '' ? {} : { code }),
          score,
        })),
        transactionHash: row.transactionHash,
        gasUsed: Number(row.gasUsed),
        aggregationMs: row.aggregationMs,
        closeMs: row.closeMs,
      };
    }),
    finalAccuracy: (last && honestMetrics(chronicle, cast, last.round)?.accuracy) ?? null,
    audit,
    rewards: payments.map(({ account, amount, claimed }) => ({
      participant: account,
      role: roleOf.get(account),
      amount: String(amount),
      claimed: String(claimed),
    })),
    pot: { funded: String(parts.funded), spent: String(payments.reduce((sum, { claimed }) => sum + claimed, 0n)) },
    ...(parts.trial && { trial: trialDocument(parts.trial) }),
    modelFile: parts.modelFile,
    setupMs: parts.setupMs,
    wallMs: parts.wallMs,
  };
}

function trialDocument({ round, kind, before, after }: Trial) {
  const books = ({ bond, totals, balance }: Trial['after']) => {
    const { stakes, bonds, locked, pots, owed, burned } = totals;
    const sums = { bond, stakes, bonds, locked, pots, owed, burned, balance };
    return Object.fromEntries(Object.entries(sums).map(([name, amount]) => [name, String(amount)]));
  };
  return { round, kind, before: books(before), after: books(after) };
}
