// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.35;

import {RoundRecord} from "./IRoundAnchor.sol";
import {Facts, IJudge, Kind} from "./IJudge.sol";
import {IGramJudge} from "./IGramJudge.sol";
import {Openings} from "../lib/Openings.sol";

/**
 * @title IDisputes
 * @dev One job's court. Whoever doubts a round that is in its window locks a bond and says where it is wrong; the
 * coordinator has a fixed time to show that it is not, and judges recompute it from the round's commitments.
 *
 * - An answer that holds ends the dispute, and the challenger's bond is the coordinator's. One that does not hold is
 *   refused: it may be mended until time is up, so nobody can spoil a coordinator's case by a bad answer in its name.
 * - No answer in time: the coordinator that anchored the round loses a part of its bond, the round and all after it are
 *   rewound, the challenger gets its bond and a reward, the rewound rounds' participants a compensation, and the rest,
 *   which is more than all rewards that can be erased, is destroyed. So no coordinator gains by challenging itself.
 *
 * No round from the earliest disputed one on becomes final meanwhile. Disputes run beside each other; each ends by its own
 * clock, and those whose round was rewound by another end without loss to the challenger.
 */
interface IDisputes {
    /// @dev What an instance is created with; all of it is immutable.
    struct Terms {
        /// @dev The job's RoundAnchor, whose arbiter this contract is.
        address anchor;
        /// @dev The job's StakeManager.
        address stakes;
        /// @dev Blocks of 64 coordinates in a vector of the job.
        uint32 blocks;
        /// @dev Time for each move of either side, in seconds.
        uint32 answerS;
        /// @dev A challenger's bond, in the stake's token.
        uint96 challengerBond;
        /// @dev What a coordinator loses by a wrong round, in the stake's token.
        uint96 slashAmount;
        /// @dev Whether the manifest scores by confirmation; by alignment otherwise.
        bool confirmation;
        /// @dev Judges the coordinate.
        IJudge coordinateJudge;
        /// @dev Judges link, contribution and omission.
        IJudge contributionJudge;
        /// @dev Judges weights, scores and rewards.
        IJudge shareJudge;
        /// @dev Judges entries of the Gram matrix.
        IGramJudge gramJudge;
    }

    /// @dev A round as a challenge brings it, with what shows that the anchor's chain contains it.
    struct Opening {
        /// @dev The disputed round.
        RoundRecord record;
        /// @dev The head before it.
        bytes26 parentHead;
        /// @dev The round before, where the dispute is about what follows from it; nothing otherwise, and for round 1.
        RoundRecord[] parent;
        /// @dev The head before that.
        bytes26 grandparentHead;
        /// @dev The words behind `fixedPlanHash`.
        bytes32[] plan;
    }

    /// @dev A dispute in flight.
    struct Dispute {
        /// @dev Who opened it; zero when it has ended.
        address challenger;
        /// @dev When the move that is due must have come, in seconds since 1970.
        uint40 deadline;
        /// @dev The disputed round.
        uint24 round;
        /// @dev What it is about.
        Kind kind;
        /// @dev Whose move it is; only over a Gram entry can it be the challenger's.
        bool challengerDue;
        /// @dev Who anchored the round.
        address coordinator;
        /// @dev When the round was anchored, in seconds since 1970.
        uint40 anchoredAt;
        /// @dev The head after the round.
        bytes26 head;
        /// @dev keccak256 of facts and subject.
        bytes32 caseHash;
    }

    /// @dev Where a dispute over a Gram entry stands.
    struct Bisection {
        /// @dev What the coordinator says that the blocks in question sum to.
        int256 expected;
        /// @dev First of them.
        uint64 first;
        /// @dev How many they are; zero before the first sums.
        uint64 span;
        /// @dev keccak256 of the latest partial sums.
        bytes32 sumsHash;
    }

    /// @dev What the participants of rewound rounds share.
    struct Pot {
        /// @dev Head after the latest rewound round.
        bytes26 lastHead;
        /// @dev Earliest rewound round.
        uint24 firstRound;
        /// @dev Latest rewound round.
        uint24 lastRound;
        /// @dev For each of the rounds, in the stake's token; its participants share it equally.
        uint128 perRound;
    }

    /// @dev A dispute was opened; `subject` says where the round is said to be wrong.
    event DisputeOpened(uint256 indexed id, uint64 indexed round, address indexed challenger, Kind kind, bytes subject);

    /// @dev The round was shown to be right.
    event DisputeAnswered(uint256 indexed id);

    /// @dev The round was not shown to be right in time, and was rewound.
    event DisputeWon(uint256 indexed id, uint256 indexed pot);

    /// @dev The disputed round had been rewound by another dispute or for lack of attestations.
    event DisputeMoot(uint256 indexed id);

    /// @dev The challenger of a Gram entry did not move in time.
    event DisputeAbandoned(uint256 indexed id);

    /// @dev The coordinator divided blocks `first` and following into parts that sum to what it said before.
    event SumsPosted(uint256 indexed id, uint64 first, uint64 span, int256[] sums);

    /// @dev The challenger named the part that it holds for wrong.
    event SumPicked(uint256 indexed id, uint256 index);

    /// @dev Two records in a row were shown not to fit together.
    event DiscontinuityProven(uint64 indexed round, address indexed reporter, uint256 indexed pot);

    /// @dev A constructor parameter is outside its bounds.
    error DisputesInvalidParameter(string parameter);

    /// @dev The record, its parent or its plan is not what the chain contains.
    error DisputesUnknownRecord();

    /// @dev The round's window is over.
    error DisputesTooLate(uint256 windowEndedAt);

    /// @dev The chain cannot settle this: the subject is out of range, or the rule is only recomputable off chain.
    error DisputesNotSettledOnChain(Kind kind);

    /// @dev There is no such dispute, or it has ended.
    error DisputesNotOpen(uint256 id);

    /// @dev Facts and subject are not those of the dispute.
    error DisputesOtherCase(uint256 id);

    /// @dev The answer does not show that the round is right.
    error DisputesAnswerRefused(uint256 id);

    /// @dev The move is not due, or not the caller's.
    error DisputesNotYourMove(uint256 id);

    /// @dev Time is not up before `deadline`, or it is up since (seconds since 1970).
    error DisputesWrongTime(uint256 deadline);

    /// @dev The sums are too many, too few, not those posted, or do not add up.
    error DisputesWrongSums(uint256 id);

    /// @dev The round is not rewound, so the dispute is not moot.
    error DisputesNotMoot(uint256 id);

    /// @dev The records fit together.
    error DisputesContinuous();

    /// @dev The compensation does not exist, is not the account's, or was paid.
    error DisputesNoCompensation();

    /// @dev Opens a dispute; see {Kind} for subjects. Locks the caller's bond, which it has approved to the StakeManager.
    function challenge(Kind kind, Opening calldata opening, bytes calldata subject) external returns (uint256 id);

    /// @dev Ends a dispute by showing that the round is right. Anyone, until the deadline.
    function answer(uint256 id, Facts calldata facts, bytes calldata subject, bytes calldata shown) external;

    /**
     * @dev The coordinator's first move over a Gram entry: opens the entry's row and divides the entry into partial sums.
     */
    function openEntry(
        uint256 id,
        Facts calldata facts,
        bytes calldata subject,
        Openings.Leaf calldata row,
        int256[] calldata sums
    ) external;

    /// @dev The challenger's move: names the wrong one among the sums posted last.
    function pickSum(uint256 id, uint256 index, int256[] calldata sums) external;

    /// @dev The coordinator's further moves: divides the sum that the challenger has named.
    function postSums(uint256 id, int256[] calldata sums) external;

    /// @dev The coordinator's last move: opens the one block that is left.
    function openBlock(
        uint256 id,
        Facts calldata facts,
        bytes calldata subject,
        IGramJudge.BlockOpening calldata opening
    ) external;

    /**
     * @dev Ends a dispute that was not answered in time. Anyone.
     *
     * @param record the disputed round
     * @param parentHead the head before it
     * @param last the latest anchored round
     */
    function convict(uint256 id, RoundRecord calldata record, bytes26 parentHead, RoundRecord calldata last) external;

    /// @dev Ends a dispute over a Gram entry whose challenger did not move in time. Anyone.
    function abandon(uint256 id) external;

    /// @dev Ends a dispute whose round is not anchored any more. Anyone.
    function dismiss(uint256 id) external;

    /**
     * @dev Rewinds a round in its window whose record does not fit the one before it: model, seed or sum of rewards. Needs
     * no answer, hence no bond.
     *
     * @param last the latest anchored round
     */
    function proveDiscontinuity(Opening calldata opening, RoundRecord calldata last) external;

    /**
     * @dev Credits one participant's compensation for a rewound round. Anyone.
     *
     * @param pot number of the pot
     * @param record the rewound round
     * @param parentHead the head before it
     * @param later hashes of the rewound records after it, in order
     * @param row the participant's row
     * @param contribution its contribution
     * @param proof the contribution's proof
     */
    function compensate(
        uint256 pot,
        RoundRecord calldata record,
        bytes26 parentHead,
        bytes32[] calldata later,
        uint256 row,
        Openings.Contribution calldata contribution,
        bytes32[] calldata proof
    ) external;

    /// @dev A dispute as it stands; the challenger is zero when it has ended.
    function disputeOf(uint256 id) external view returns (Dispute memory);

    /// @dev Where a dispute over a Gram entry stands.
    function bisectionOf(uint256 id) external view returns (Bisection memory);

    /// @dev What the participants of rewound rounds share.
    function potOf(uint256 pot) external view returns (Pot memory);

    /// @dev Earliest disputed round, zero if there is none.
    function earliestDisputed() external view returns (uint64);

    /// @dev What the instance was created with.
    function terms() external view returns (Terms memory);
}
