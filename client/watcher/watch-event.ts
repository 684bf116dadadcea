import type { Hex } from '../../shared/bytes.ts';
import type { Kind } from '../../shared/openings/subject.ts';
import { colors } from '../../shared/runtime/colors.ts';
import type { RoundVerdict } from '../auditor/report.ts';
import { roundLine } from '../auditor/report-text.ts';

/** What a watcher tells; one JSON document a line with `--json`. Amounts are in the stake token's smallest unit. */
export type WatchEvent =
  | {
      /** The watch begins. */
      readonly event: 'watching';
      /** The job's RoundAnchor. */
      readonly anchor: Hex;
      /** Its court, null where it has none. */
      readonly disputes: Hex | null;
      /** Who challenges, null where nobody does. */
      readonly account: Hex | null;
      /** The round after which it takes up. */
      readonly round: number;
    }
  | ({
      /** A round was audited. */
      readonly event: 'round';
    } & RoundVerdict)
  | {
      /** Rounds were taken back. */
      readonly event: 'rewound';
      /** Earliest. */
      readonly first: number;
      /** Latest. */
      readonly last: number;
    }
  | {
      /** What can be done about a round that does not hold. */
      readonly event: 'finding';
      /** The round. */
      readonly round: number;
      /** Which way it can be settled. */
      readonly verdict: 'challenge' | 'discontinuity' | 'off-chain' | 'withheld' | 'none' | 'too-late';
      /** Kind of the dispute, for a challenge. */
      readonly kind?: Kind;
      /** What is wrong. */
      readonly what: string;
    }
  | {
      /** A dispute was opened. */
      readonly event: 'challenged';
      /** Its number, as a decimal string. */
      readonly id: string;
      /** The round. */
      readonly round: number;
      /** The kind. */
      readonly kind: Kind;
      /** The bond that is locked, as a decimal string. */
      readonly bond: string;
      /** The transaction. */
      readonly transactionHash: Hex;
    }
  | {
      /** A sum was named in a dispute over the Gram matrix. */
      readonly event: 'picked';
      /** The dispute. */
      readonly id: string;
      /** First block of the sums. */
      readonly first: number;
      /** Blocks of the sums. */
      readonly span: number;
      /** Which of them. */
      readonly index: number;
    }
  | {
      /** A dispute of this watcher ended: `won`, the coordinator was slashed and the round rewound; `answered`, the bond is lost. */
      readonly event: 'ended';
      /** The dispute. */
      readonly id: string;
      /** The round. */
      readonly round: number;
      /** How. */
      readonly outcome: 'won' | 'answered' | 'moot' | 'abandoned';
    }
  | {
      /** Two records were shown not to fit together, and the later one was rewound. */
      readonly event: 'discontinuity-proven';
      /** The later round. */
      readonly round: number;
      /** The transaction. */
      readonly transactionHash: Hex;
    }
  | {
      /** A round without attestations that this watcher could not confirm was rewound. */
      readonly event: 'unattested';
      /** The round. */
      readonly round: number;
      /** The transaction. */
      readonly transactionHash: Hex;
    }
  | {
      /** What the watcher was credited is in its wallet. */
      readonly event: 'withdrawn';
      /** How much, as a decimal string. */
      readonly amount: string;
    }
  | {
      /** Something cannot be done now; it is tried again. */
      readonly event: 'trouble';
      /** Its code. */
      readonly code: string;
      /** One sentence. */
      readonly message: string;
    };

/**
 * An event as a line for people.
 *
 * @param amountOf - writes an amount of the token's smallest unit; as it is unless given
 */
export function watchLine(event: WatchEvent, amountOf: (units: string) => string = String): string {
  switch (event.event) {
    case 'watching': {
      const { anchor, disputes, account, round } = event;
      const court = disputes
        ? `court ${disputes}`
        : 'the job has no court: rounds are recomputed, nothing can be challenged';
      const who = account ? `challenging as ${account}` : 'challenging nothing';
      return `watching ${anchor} from round ${round + 1} on · ${court} · ${who}`;
    }
    case 'round':
      return roundLine(event);
    case 'rewound':
      return `${colors.yellow('↶')} rounds ${event.first} to ${event.last} were taken back`;
    case 'finding':
      return findingLine(event);
    case 'challenged':
      return `${colors.yellow('⚖')} dispute ${event.id} opened over round ${event.round} (${event.kind}); bond of ${amountOf(event.bond)} locked`;
    case 'picked':
      return `  dispute ${event.id}: sum ${event.index} of blocks ${event.first} to ${event.first + event.span - 1} is the wrong one`;
    case 'ended':
      return endedLine(event);
    case 'discontinuity-proven':
      return `${colors.green('⚖')} round ${event.round} does not continue the one before it: shown, slashed and rewound`;
    case 'unattested':
      return `${colors.yellow('↶')} round ${event.round} was never attested: rewound`;
    case 'withdrawn':
      return `  ${amountOf(event.amount)} withdrawn to the wallet`;
    case 'trouble':
      return `! ${event.message} [${event.code}]`;
  }
}

function findingLine({ round, verdict, kind, what }: Extract<WatchEvent, { event: 'finding' }>): string {
  const then = {
    challenge: `the chain settles it: ${kind}`,
    discontinuity: 'the chain sees it by itself',
    'off-chain': 'not settled on chain for this rule: everyone who recomputes sees it, and attests nothing',
    withheld: 'a lie that cannot be seen cannot be named: without attestations the round is taken back',
    none: 'nothing that the chain could settle was found',
    'too-late': 'its challenge window is over',
  }[verdict];
  return `${colors.red('✗')} round ${round} · ${what} · ${then}`;
}

function endedLine({ id, round, outcome }: Extract<WatchEvent, { event: 'ended' }>): string {
  const how = {
    won: `${colors.green('won')}: the coordinator is slashed, round ${round} and all after it are taken back`,
    answered: `${colors.red('lost')}: round ${round} was shown to be right in this, the bond is gone`,
    moot: `moot: round ${round} was taken back for another reason, the bond is free`,
    abandoned: `${colors.red('lost')}: no sum was named in time, the bond is gone`,
  }[outcome];
  return `⚖ dispute ${id} ${how}`;
}
