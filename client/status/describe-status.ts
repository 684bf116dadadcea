import type { SignedReceipt } from '../../shared/commitments/receipt.ts';
import type { ClientStatus } from './client-status.ts';

/** What an account has earned in a job, in the token's smallest unit. */
export interface EarnedView {
  /** In all anchored rounds. */
  readonly earned: bigint;
  /** In those that are final: what can have been claimed by now. */
  readonly claimable: bigint;
  /** What has been paid. */
  readonly paid: bigint;
}

/** All that is known of a client in one job. */
export interface ClientView {
  /** The process that takes part; undefined where none does. */
  readonly pid: number | undefined;
  /** What it said last. */
  readonly status: ClientStatus;
  /** Receipts so far, by attempt and round. */
  readonly receipts: readonly SignedReceipt[];
  /** What the chain and the coordinator say, where they were asked. */
  readonly rewards?: EarnedView;
  /** What privacy was spent, over all jobs of the state folder. */
  readonly privacy?: { readonly epsilon: number; readonly delta: number; readonly budget: number };
}

/** Receipts that are shown one by one. */
const LATEST = 3;

/** A client's view as people read it. */
export function describeStatus({ pid, status, receipts, rewards, privacy }: ClientView): string[] {
  const { name, anchor, round, rounds, attempt, progress, loss, evaluation, backend, energy, outcome } = status;
  const share = progress === undefined ? '' : `, ${Math.floor(100 * progress)} % trained`;
  const lossText = loss === undefined ? '' : `, loss ${loss.toFixed(4)}`;
  const counted = (verdict: SignedReceipt['verdict']) => receipts.filter((each) => each.verdict === verdict).length;
  const said =
    pid === undefined
      ? `not running; last seen ${status.writtenAt}`
      : `process ${pid}, ${status.link}, ${status.activity}`;
  return [
    `job      ${name ?? '(not yet known)'}, ${anchor}`,
    `account  ${status.participant}`,
    `client   ${said}${backend === undefined ? '' : `, on ${backend}`}`,
    ...(outcome === undefined ? [] : [`outcome  ${outcome}`]),
    ...(round === undefined
      ? []
      : [`round    ${round}${rounds === undefined ? '' : ` of ${rounds}`}, attempt ${attempt}${share}${lossText}`]),
    ...(evaluation === undefined ? [] : [`model    ${evaluation.correct} of ${evaluation.total} held out are right`]),
    ...(energy === undefined
      ? []
      : [`energy   ${energy.joules.toFixed(1)} J${energy.estimated ? ', estimated' : ''}, since it was started`]),
    `receipts ${counted('accepted')} accepted, ${counted('late')} late, ${counted('rejected')} rejected`,
    ...receipts
      .slice(-LATEST)
      .map(({ round: at, attempt: of, verdict, code }) =>
        `         round ${at}, attempt ${of}: ${verdict} ${code}`.trimEnd(),
      ),
    ...(rewards === undefined
      ? []
      : [
          `rewards  ${rewards.earned} earned, ${rewards.claimable} of it final, ${rewards.paid} paid: ${rewards.claimable - rewards.paid} to claim`,
        ]),
    ...(privacy === undefined
      ? []
      : [`privacy  epsilon ${privacy.epsilon.toPrecision(4)} of ${privacy.budget} spent, at delta ${privacy.delta}`]),
  ];
}
