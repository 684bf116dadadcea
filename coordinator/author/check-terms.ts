import { checkCourt } from '../../contracts/deploy/job-court.ts';
import { DEFAULT_RING_SIZE } from '../../contracts/deploy.ts';
import { guaranteeOf } from '../../shared/aggregation/guarantee.ts';
import { compilePipeline } from '../../shared/aggregation/pipeline.ts';
import { parseRuleSpec } from '../../shared/aggregation/registry.ts';
import { FedanchorError } from '../../shared/errors.ts';
import { BLOCK } from '../../shared/fixed-point/constants.ts';
import { completeCourt } from '../config/court-draft.ts';
import type { JobFile } from '../config/job-draft.ts';
import { error, type Finding, warning } from './finding.ts';

const TICK_S = 16;
const DAY_S = 86_400;

/** What is known of the money beside the job's file. */
export interface Funding {
  /** What sponsors put into the vault, in the token's smallest unit; left out, it is not checked. */
  readonly amount?: bigint;
  /** Decimal places of the token; default 18. */
  readonly decimals?: number;
}

/** Whether the rule bears f faulty updates for every number of updates that a round may have. */
export function checkRule({ aggregation, participation, court }: JobFile): Finding[] {
  const field = 'aggregation.rule';
  const { rule } = aggregation;
  try {
    parseRuleSpec(rule);
  } catch (cause) {
    return [error('rule/invalid', field, messageOf(cause))];
  }
  const { quorum, expected, sample, buffer } = participation;
  const findings: Finding[] = [];
  const counts = new Map([
    [quorum, 'a round with the quorum alone'],
    [
      sample?.size ?? buffer?.size ?? expected,
      sample ? 'a full sample' : buffer ? 'a full buffer' : 'everyone who is expected',
    ],
  ]);
  for (const [n, what] of counts) {
    try {
      compilePipeline(rule, n, true);
    } catch (cause) {
      findings.push(error('rule/out-of-bounds', field, `for ${what}, n = ${n}: ${messageOf(cause)}`));
    }
  }
  if (rule.f === 0 && expected > 2) {
    findings.push(
      warning('rule/no-faults', `${field}.f`, 'f is 0: one participant that lies can move the model anywhere'),
    );
  }
  const n = sample?.size ?? buffer?.size ?? expected;
  if (court && findings.length === 0 && guaranteeOf(rule, n) !== 'settled on chain') {
    const message = `for n = ${n} a wrong result of this rule can be recomputed by anyone, but not by the court's contracts: see docs/rules.md`;
    findings.push(warning('rule/not-settled', field, message));
  }
  return findings;
}

/** Whether as many take part as are asked for. */
export function checkParticipation({ participation, rewards, court }: JobFile): Finding[] {
  const { quorum, expected, sample, buffer, admission } = participation;
  const findings: Finding[] = [];
  if (quorum > expected) {
    const message = `the quorum of ${quorum} is above the ${expected} that round 1 waits for: a round may open that cannot close`;
    findings.push(error('participation/quorum-above-expected', 'participation.quorum', message));
  }
  if (sample && sample.size > expected) {
    const message = `a sample of ${sample.size} is above the ${expected} that round 1 waits for: it asks everyone`;
    findings.push(warning('participation/sample-above-expected', 'participation.sample.size', message));
  }
  if (buffer && court) {
    const message =
      "the contracts hold a signature to the record's parent model, which an update of an older one was not signed for: leave out participation.buffer, or [court]";
    findings.push(error('participation/buffer-with-court', 'participation.buffer', message));
  }
  if (buffer && buffer.size >= expected) {
    const message = `a buffer of ${buffer.size} waits for as many as round 1 does, ${expected}: nobody trains while others close rounds. Make it smaller, or leave it out`;
    findings.push(warning('participation/buffer-waits-for-all', 'participation.buffer.size', message));
  }
  if (admission !== 'open') {
    const listed = new Set(admission).size;
    if (listed < admission.length) {
      findings.push(error('participation/list', 'participation.admission', 'an account is listed twice: list it once'));
    }
    if (listed < expected) {
      const message = `${listed} accounts are listed, and round 1 waits for ${expected}: it would never open`;
      findings.push(error('participation/list', 'participation.admission', message));
    }
  }
  if (rewards.score === 'confirmation' && quorum < 3) {
    const message = `a score by what the others confirm leaves pay to the other's word in a round of ${quorum}: take "alignment", or a quorum of 3`;
    findings.push(warning('score/too-few', 'rewards.score', message));
  }
  return findings;
}

/** Whether the money suffices, and is meant in the token's smallest unit. */
export function checkBudget({ rewards, rounds }: JobFile, { amount, decimals = 18 }: Funding): Finding[] {
  const field = 'rewards.pricePerRound';
  const price = BigInt(rewards.pricePerRound);
  const whole = price * BigInt(rounds);
  const findings: Finding[] = [];
  if (price === 0n)
    findings.push(warning('budget/no-rewards', field, 'rounds earn nothing: only who wants the model takes part'));
  if (whole >= 1n << 96n) {
    const message = `${price} for each of ${rounds} rounds is ${whole}, but a vault counts to 2^96: lower one of them`;
    findings.push(error('budget/too-large', field, message));
  }
  // A millionth of a token a round is less than a transaction costs on any chain that has a price.
  if (price > 0n && decimals >= 6 && price < 10n ** BigInt(decimals - 6)) {
    const message = `a token has ${decimals} decimal places: ${price} is less than a millionth of one; amounts are in the smallest unit, so one token is "1${'0'.repeat(decimals)}"`;
    findings.push(warning('budget/dust', field, message));
  }
  if (amount !== undefined && amount < whole) {
    const rounds_ = price === 0n ? 0n : amount / price;
    const message = `${rounds} rounds may earn ${whole}, and ${amount} are put in: enough for ${rounds_} rounds`;
    findings.push(error('budget/underfunded', field, message));
  }
  return findings;
}

/** Whether stakes, bonds and fines fit each other and the contracts. */
export function checkCourtTerms(job: JobFile, dimension: number | undefined): Finding[] {
  const { court, rewards, chain, participation, contracts } = job;
  if (court === undefined) return [];
  const [pricePerRound, ringSize] = [BigInt(rewards.pricePerRound), contracts.ringSize ?? DEFAULT_RING_SIZE];
  const { deadlineMs, quorum } = participation;
  const { windowTicks } = chain;
  try {
    const terms = completeCourt('the job', court, { pricePerRound, ringSize, deadlineMs, quorum, windowTicks });
    checkCourt({ terms, blocks: (dimension ?? 0) / BLOCK }, pricePerRound, ringSize);
    if (terms.longestRoundS * 1000 < deadlineMs) {
      const message = `a round may be open for ${deadlineMs} ms: choose at least ${Math.ceil(deadlineMs / 1000)}`;
      return [error('court/invalid', 'court.longestRoundS', message)];
    }
  } catch (cause) {
    const field = cause instanceof FedanchorError ? cause.data['field'] : undefined;
    return [error('court/invalid', typeof field === 'string' ? field : 'court', messageOf(cause))];
  }
  return (['arbiter'] as const)
    .filter((name) => contracts[name] !== undefined)
    .map((name) => error('court/invalid', `contracts.${name}`, 'the court decides it: leave it out'));
}

/** Whether there is time enough for the rounds, for looking at them, and for what has to be kept meanwhile. */
export function checkTimes({ rounds, chain, participation, contracts, court, retentionS }: JobFile): Finding[] {
  const findings: Finding[] = [];
  const windowS = chain.windowTicks * TICK_S;
  const longestS = (rounds * participation.deadlineMs) / 1000 + windowS;
  const endsS = contracts.endsInDays * DAY_S;
  const field = 'contracts.endsInDays';
  if (windowS >= endsS) {
    const message = `nothing is final within the ${windowS} s of the window, and the vault ends after ${endsS} s`;
    findings.push(error('time/ends-too-early', field, `${message}: give it more days`));
  } else if (longestS > endsS) {
    const days = Math.ceil(longestS / DAY_S);
    const message = `${rounds} rounds may take up to ${days} days with their last window, and rewards are activated for ${contracts.endsInDays}`;
    findings.push(warning('time/ends-too-early', field, `${message}: later ones would earn nothing`));
  }
  if (windowS < participation.deadlineMs / 1000) {
    const message = `a window of ${windowS} s is shorter than a round of up to ${participation.deadlineMs / 1000} s: whoever watches must recompute a round before the next one has even ended`;
    findings.push(warning('time/short-window', 'chain.windowTicks', message));
  }
  const neededS = windowS + (court?.answerS ?? (court ? DAY_S : 0));
  if (retentionS < neededS) {
    const message = `updates go ${retentionS} s after a round is final, and it may be looked at for ${neededS} s: keep them at least so long`;
    findings.push(warning('time/short-retention', 'retentionS', message));
  }
  return findings;
}

function messageOf(cause: unknown): string {
  if (cause instanceof FedanchorError) return cause.message;
  throw cause;
}
