import { type CaseFile, rebuildCase } from '../../contracts/court/case-file.ts';
import type { Court, Dispute, OpenedDispute } from '../../contracts/court/court.ts';
import type { CourtWriter } from '../../contracts/court/court-writer.ts';
import type { Ledger } from '../../contracts/ledger/ledger.ts';
import { OutboxError } from '../../contracts/outbox/outbox-error.ts';
import type { Hex } from '../../shared/bytes.ts';
import { buildAnswer } from '../../shared/openings/answer.ts';
import { gramSums, openGramBlock, openGramEntry } from '../../shared/openings/gram-moves.ts';
import type { Log } from '../log.ts';
import type { DisputeBoard, OpenDispute } from './dispute-board.ts';
import { positionOf, type RoundViewOptions, withRoundView } from './round-views.ts';

/** What disputes are answered with. */
export interface DefenseOptions extends RoundViewOptions {
  /** What the court says. */
  readonly court: Pick<Court, 'opened' | 'disputeOf' | 'bisectionOf' | 'outcomes'>;
  /** The way to it. */
  readonly writer: Pick<CourtWriter, 'answer' | 'openEntry' | 'postSums' | 'openBlock' | 'dismiss' | 'abandon'>;
  /** What the chain says of the job's records. */
  readonly ledger: Pick<Ledger, 'headOf' | 'chainTimeS'>;
  /** Latest block of the chain. */
  readonly latestBlock: () => Promise<number>;
  /** Block of the job's deployment. */
  readonly deploymentBlock: number;
  /** The coordinator, lower case: it answers for what it has anchored itself. */
  readonly coordinator: Hex;
  /** Where to tell what happens. */
  readonly log: Log;
}

/** The coordinator's defence of its rounds. */
export interface Defense {
  /** How its disputes stand. */
  readonly board: DisputeBoard;
  /** Looks at every dispute and makes the moves that are due; doing it again changes nothing. */
  look(): Promise<void>;
  /** Resolves when no move is on its way any more. */
  idle(): Promise<void>;
}

/** Blocks that are read again at every look: a reorganization may have changed them. */
const REREAD_BLOCKS = 64;

/** Answers of one dispute that may be mined in vain before it is told as an error. */
const MOST_IN_VAIN = 3;

/** Answers the disputes over a job's rounds by itself, each without waiting for the others. */
export function createDefense(options: DefenseOptions): Defense {
  const { court, writer, ledger, log, coordinator } = options;
  const inFlight = new Map<bigint, OpenedDispute>();
  const standings = new Map<bigint, OpenDispute>();
  const moves = new Map<bigint, Promise<void>>();
  const inVain = new Map<bigint, number>();
  const ended = { answered: 0, moot: 0, abandoned: 0, won: 0 };
  const counted = new Set<string>();
  let from = options.deploymentBlock;

  const look = async (): Promise<void> => {
    const latest = await options.latestBlock();
    const [opened, outcomes] = await Promise.all([court.opened(from), court.outcomes(from)]);
    for (const one of opened) inFlight.set(one.id, one);
    for (const one of outcomes) {
      if (one.outcome === 'discontinuity' || counted.has(`${one.id}`)) continue;
      counted.add(`${one.id}`);
      standings.delete(one.id);
      ended[one.outcome]++;
      if (one.outcome === 'won') {
        log.error({ dispute: `${one.id}` }, 'a dispute is lost: the round is rewound, and a part of the bond is gone');
      } else log.info({ dispute: `${one.id}`, outcome: one.outcome }, 'a dispute has ended without loss');
    }
    from = Math.max(options.deploymentBlock, latest - REREAD_BLOCKS);
    for (const one of inFlight.values()) await consider(one);
  };

  const consider = async (opened: OpenedDispute): Promise<void> => {
    const { id, round, kind } = opened;
    const dispute = await court.disputeOf(id);
    if (dispute === undefined || dispute.coordinator !== coordinator) {
      inFlight.delete(id);
      standings.delete(id);
      return;
    }
    const { deadlineS } = dispute;
    const isOurMove = !dispute.challengerDue;
    if (!standings.has(id)) {
      const facts = { dispute: `${id}`, round, kind, challenger: opened.challenger, deadlineS };
      log.warn(facts, `round ${round} is disputed: it is answered from the stored blobs`);
    }
    const { trouble } = standings.get(id) ?? {};
    standings.set(id, { id, round, kind, deadlineS, isOurMove, ...(trouble !== undefined && { trouble }) });
    if (moves.has(id)) return;
    const move = moveIn(opened, dispute)
      .then(() => {
        const standing = standings.get(id);
        if (standing?.trouble === undefined) return;
        const { trouble: _, ...rest } = standing;
        standings.set(id, rest);
      })
      .catch((error: Error) => complain(opened, dispute, error))
      .finally(() => moves.delete(id));
    moves.set(id, move);
  };

  /** Told once for each reason, and shown for as long as it lasts: what is at stake is the bond. */
  const complain = (opened: OpenedDispute, { deadlineS }: Dispute, error: Error): void => {
    const { id, round, kind } = opened;
    const { message } = error;
    if (error instanceof OutboxError && error.code === 'outbox/reverted' && (inVain.get(id) ?? 0) < MOST_IN_VAIN) {
      // The end of one dispute makes that of the next dearer: an answer that came just after it may have lacked the gas.
      inVain.set(id, (inVain.get(id) ?? 0) + 1);
      log.warn({ dispute: `${id}`, error: message }, 'an answer was mined in vain and is sent again');
      return;
    }
    const standing = standings.get(id);
    if (standing === undefined || standing.trouble === message) return;
    standings.set(id, { ...standing, trouble: message });
    log.error(
      { dispute: `${id}`, round, kind, deadlineS, error: message },
      `dispute ${id} over round ${round} cannot be answered; unless that changes by its deadline the bond is cut: ${message}`,
    );
  };

  const moveIn = async (opened: OpenedDispute, dispute: Dispute): Promise<void> => {
    const { id, round } = opened;
    if ((await ledger.headOf(round)) !== dispute.head) {
      await writer.dismiss(id);
      return;
    }
    const isLate = (await ledger.chainTimeS()) >= dispute.deadlineS;
    if (dispute.challengerDue) {
      // Whoever disputes an entry and does not go on leaves its bond to the coordinator.
      if (isLate) await writer.abandon(id);
      return;
    }
    if (isLate) throw new Error('its deadline has passed: anyone may have the coordinator convicted');
    const position = positionOf(options, round);
    const file = position && rebuildCase(opened, dispute, position);
    if (position === undefined || file === undefined) {
      throw new Error(
        `this coordinator does not have the record of round ${round} that is disputed: restore its folder`,
      );
    }
    await withRoundView(options, position, async (view) => {
      const { subject } = file;
      if (subject.kind === 'gram') await moveOverEntry(file, view);
      else await writer.answer(file, await buildAnswer(view, subject));
    });
  };

  const moveOverEntry = async (file: CaseFile, view: Parameters<typeof gramSums>[0]): Promise<void> => {
    const { subject } = file;
    if (subject.kind !== 'gram') return;
    const at = await court.bisectionOf(file.id);
    if (!at.open) await writer.openEntry(file, await openGramEntry(view, subject));
    else if (at.span === 1) await writer.openBlock(file, await openGramBlock(view, subject, at.first));
    else await writer.postSums(file, at, await gramSums(view, subject, at));
  };

  return {
    board: {
      get open() {
        return [...standings.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
      },
      ended,
    },
    look,
    idle: async () => {
      await Promise.all(moves.values());
    },
  };
}
