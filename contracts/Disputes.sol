// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.35;

import {IDisputes} from "./interfaces/IDisputes.sol";
import {IGramJudge} from "./interfaces/IGramJudge.sol";
import {Circumstances, Facts, IJudge, Kind} from "./interfaces/IJudge.sol";
import {IRoundAnchor, RoundRecord} from "./interfaces/IRoundAnchor.sol";
import {IStakeManager} from "./interfaces/IStakeManager.sol";
import {Openings} from "./lib/Openings.sol";
import {Plans} from "./lib/Plans.sol";
import {RoundSet} from "./lib/RoundSet.sol";

/**
 * @title Disputes
 * @dev See {IDisputes}. One instance per job. Holds no money: the StakeManager does.
 *
 * Everything external that is called is the job's own (anchor, StakeManager) or without state (judges), and nobody is
 * paid here, so no call can come back before a dispute's end is written down.
 */
contract Disputes is IDisputes {
    using Openings for Openings.Contribution;
    using RoundSet for RoundSet.Set;

    uint256 private constant PARTS = 32;
    // Opening the entry, then a pick and an answer for each of four levels: d = 2^26 at most.
    uint256 private constant MOST_MOVES = 9;
    uint256 private constant MOST_BLOCKS = PARTS ** 4;
    // Beyond, the chain of seeds is too long to walk within one transaction.
    uint256 private constant MOST_SEEDS = 50_000;
    uint256 private constant WHOLE = 10_000;

    IRoundAnchor private immutable _anchor;
    IStakeManager private immutable _stakes;
    uint256 private immutable _blocks;
    uint256 private immutable _answerS;
    uint256 private immutable _challengerBond;
    uint256 private immutable _slashAmount;
    uint256 private immutable _windowS;
    uint256 private immutable _pricePerRound;
    bool private immutable _confirmation;
    IJudge private immutable _coordinateJudge;
    IJudge private immutable _contributionJudge;
    IJudge private immutable _shareJudge;
    IGramJudge private immutable _gramJudge;

    uint256 private _count;
    uint256 private _potCount;
    RoundSet.Set private _disputed;
    mapping(uint256 id => Dispute) private _disputes;
    mapping(uint256 id => Bisection) private _bisections;
    mapping(uint256 pot => Pot) private _pots;
    mapping(bytes32 share => bool) private _compensated;

    constructor(Terms memory terms_) {
        IRoundAnchor.Job memory job = IRoundAnchor(terms_.anchor).jobParameters();
        IStakeManager.Terms memory staking = IStakeManager(terms_.stakes).terms();
        if (job.arbiter != address(this)) revert DisputesInvalidParameter("anchor");
        if (staking.anchor != terms_.anchor) revert DisputesInvalidParameter("stakes");
        if (terms_.blocks == 0 || terms_.blocks > MOST_BLOCKS) revert DisputesInvalidParameter("blocks");
        if (terms_.challengerBond == 0) revert DisputesInvalidParameter("challengerBond");
        // Nobody's stake may be free before the last dispute that it answers for has ended.
        if (terms_.answerS == 0 || staking.longestDisputeS < MOST_MOVES * terms_.answerS) {
            revert DisputesInvalidParameter("answerS");
        }
        // More is destroyed than a rewind can erase, so that nobody can save by convicting itself.
        uint256 burned = uint256(terms_.slashAmount) * (WHOLE - staking.proverBps - staking.compensationBps) / WHOLE;
        if (burned <= uint256(job.pricePerRound) * job.ringSize) revert DisputesInvalidParameter("slashAmount");
        _anchor = IRoundAnchor(terms_.anchor);
        _stakes = IStakeManager(terms_.stakes);
        _blocks = terms_.blocks;
        _answerS = terms_.answerS;
        _challengerBond = terms_.challengerBond;
        _slashAmount = terms_.slashAmount;
        _windowS = (uint256(job.windowTicks) + 1) * 16;
        _pricePerRound = job.pricePerRound;
        _confirmation = terms_.confirmation;
        _coordinateJudge = terms_.coordinateJudge;
        _contributionJudge = terms_.contributionJudge;
        _shareJudge = terms_.shareJudge;
        _gramJudge = terms_.gramJudge;
    }

    /// @inheritdoc IDisputes
    function challenge(Kind kind, Opening calldata opening, bytes calldata subject) external returns (uint256 id) {
        Facts memory facts = _factsOf(opening);
        Dispute memory dispute;
        dispute.challenger = msg.sender;
        dispute.kind = kind;
        dispute.round = uint24(opening.record.round);
        dispute.deadline = uint40(block.timestamp + _answerS);
        dispute.coordinator = _anchor.coordinatorOf(opening.record.round);
        dispute.anchoredAt = uint40(_requireInWindow(opening.record.round));
        dispute.head = _anchor.headOf(opening.record.round);
        dispute.caseHash = keccak256(abi.encode(facts, subject));
        if (!_admits(dispute, facts, subject)) revert DisputesNotSettledOnChain(kind);

        id = ++_count;
        _disputes[id] = dispute;
        if (_disputed.add(dispute.round)) _anchor.hold(_disputed.least());
        _stakes.lock(msg.sender, _challengerBond);
        emit DisputeOpened(id, dispute.round, msg.sender, kind, subject);
    }

    /// @inheritdoc IDisputes
    function answer(uint256 id, Facts calldata facts, bytes calldata subject, bytes calldata shown) external {
        Dispute memory dispute = _dueFrom(id, false);
        _requireCase(id, dispute, facts, subject);
        if (dispute.kind == Kind.Gram) revert DisputesNotYourMove(id);
        IJudge judge = _judgeOf(dispute.kind);
        if (!judge.holds(dispute.kind, facts, _circumstancesOf(dispute), subject, shown)) {
            revert DisputesAnswerRefused(id);
        }
        _end(id, dispute, dispute.coordinator);
        emit DisputeAnswered(id);
    }

    /// @inheritdoc IDisputes
    function openEntry(
        uint256 id,
        Facts calldata facts,
        bytes calldata subject,
        Openings.Leaf calldata row,
        int256[] calldata sums
    ) external {
        Dispute memory dispute = _dueFrom(id, false);
        _requireCase(id, dispute, facts, subject);
        Bisection storage bisection = _bisections[id];
        if (dispute.kind != Kind.Gram || bisection.span != 0 || msg.sender != dispute.coordinator) {
            revert DisputesNotYourMove(id);
        }
        (uint256 a, uint256 b) = abi.decode(subject, (uint256, uint256));
        bisection.expected = _gramJudge.entry(facts, a, b, row);
        bisection.span = uint64(_blocks);
        _post(id, bisection, sums);
    }

    /// @inheritdoc IDisputes
    function pickSum(uint256 id, uint256 index, int256[] calldata sums) external {
        Dispute memory dispute = _dueFrom(id, true);
        Bisection storage bisection = _bisections[id];
        if (msg.sender != dispute.challenger) revert DisputesNotYourMove(id);
        if (keccak256(abi.encode(sums)) != bisection.sumsHash || index >= sums.length) revert DisputesWrongSums(id);
        uint256 part = _partOf(bisection.span);
        uint256 start = index * part;
        bisection.expected = sums[index];
        bisection.first += uint64(start);
        bisection.span = uint64(start + part > bisection.span ? bisection.span - start : part);
        bisection.sumsHash = 0;
        _passMove(id, false);
        emit SumPicked(id, index);
    }

    /// @inheritdoc IDisputes
    function postSums(uint256 id, int256[] calldata sums) external {
        Dispute memory dispute = _dueFrom(id, false);
        Bisection storage bisection = _bisections[id];
        if (bisection.span < 2 || msg.sender != dispute.coordinator) revert DisputesNotYourMove(id);
        _post(id, bisection, sums);
    }

    /// @inheritdoc IDisputes
    function openBlock(
        uint256 id,
        Facts calldata facts,
        bytes calldata subject,
        IGramJudge.BlockOpening calldata opening
    ) external {
        Dispute memory dispute = _dueFrom(id, false);
        _requireCase(id, dispute, facts, subject);
        Bisection memory bisection = _bisections[id];
        if (dispute.kind != Kind.Gram || bisection.span != 1) revert DisputesNotYourMove(id);
        (uint256 a, uint256 b) = abi.decode(subject, (uint256, uint256));
        int256 product = _gramJudge.product(facts, _circumstancesOf(dispute), a, b, bisection.first, opening);
        if (product != bisection.expected) revert DisputesAnswerRefused(id);
        _end(id, dispute, dispute.coordinator);
        emit DisputeAnswered(id);
    }

    /// @inheritdoc IDisputes
    function convict(uint256 id, RoundRecord calldata record, bytes26 parentHead, RoundRecord calldata last) external {
        Dispute memory dispute = _disputeOf(id);
        if (dispute.challengerDue) revert DisputesNotYourMove(id);
        if (block.timestamp < dispute.deadline) revert DisputesWrongTime(dispute.deadline);
        if (_anchor.headOf(dispute.round) != dispute.head || record.round != dispute.round) {
            revert DisputesUnknownRecord();
        }
        // The hold is what keeps the round from being final, so it ends after the rewind.
        uint256 pot = _punish(dispute.coordinator, dispute.challenger, record, parentHead, last);
        _end(id, dispute, dispute.challenger);
        emit DisputeWon(id, pot);
    }

    /// @inheritdoc IDisputes
    function abandon(uint256 id) external {
        Dispute memory dispute = _disputeOf(id);
        if (!dispute.challengerDue) revert DisputesNotYourMove(id);
        if (block.timestamp < dispute.deadline) revert DisputesWrongTime(dispute.deadline);
        // Nobody can have been wrong about a round that is gone.
        bool moot = _anchor.headOf(dispute.round) != dispute.head;
        _end(id, dispute, moot ? dispute.challenger : dispute.coordinator);
        emit DisputeAbandoned(id);
    }

    /// @inheritdoc IDisputes
    function dismiss(uint256 id) external {
        Dispute memory dispute = _disputeOf(id);
        if (_anchor.headOf(dispute.round) == dispute.head) revert DisputesNotMoot(id);
        _end(id, dispute, dispute.challenger);
        emit DisputeMoot(id);
    }

    /// @inheritdoc IDisputes
    function proveDiscontinuity(Opening calldata opening, RoundRecord calldata last) external {
        uint64 round = opening.record.round;
        Facts memory facts = _factsOf(opening);
        _requireInWindow(round);
        if (!facts.parentKnown) revert DisputesUnknownRecord();
        if (_isContinuous(opening)) revert DisputesContinuous();
        address accused = _anchor.coordinatorOf(round);
        uint256 pot = _punish(accused, msg.sender, opening.record, opening.parentHead, last);
        emit DiscontinuityProven(round, msg.sender, pot);
    }

    /// @inheritdoc IDisputes
    function compensate(
        uint256 pot,
        RoundRecord calldata record,
        bytes26 parentHead,
        bytes32[] calldata later,
        uint256 row,
        Openings.Contribution calldata contribution,
        bytes32[] calldata proof
    ) external {
        Pot memory shared = _pots[pot];
        bytes26 head = _headAfter(parentHead, keccak256(abi.encode(record)));
        for (uint256 i = 0; i < later.length; ++i) {
            head = _headAfter(head, later[i]);
        }
        bytes32 share = keccak256(abi.encode(pot, record.round, row));
        Openings.Contribution memory own = contribution;
        if (
            shared.lastHead == 0 || head != shared.lastHead || record.round < shared.firstRound
                || record.round + later.length != shared.lastRound || _compensated[share]
                || !own.opens(proof, record.contributionsRoot, row, record.participants)
                || !_stakes.hasJoined(own.participant)
        ) revert DisputesNoCompensation();
        _compensated[share] = true;
        _stakes.compensate(own.participant, shared.perRound / record.participants);
    }

    /// @inheritdoc IDisputes
    function disputeOf(uint256 id) external view returns (Dispute memory) {
        return _disputes[id];
    }

    /// @inheritdoc IDisputes
    function bisectionOf(uint256 id) external view returns (Bisection memory) {
        return _bisections[id];
    }

    /// @inheritdoc IDisputes
    function potOf(uint256 pot) external view returns (Pot memory) {
        return _pots[pot];
    }

    /// @inheritdoc IDisputes
    function earliestDisputed() external view returns (uint64) {
        return _disputed.least();
    }

    /// @inheritdoc IDisputes
    function terms() external view returns (Terms memory) {
        return Terms({
            anchor: address(_anchor),
            stakes: address(_stakes),
            blocks: uint32(_blocks),
            answerS: uint32(_answerS),
            challengerBond: uint96(_challengerBond),
            slashAmount: uint96(_slashAmount),
            confirmation: _confirmation,
            coordinateJudge: _coordinateJudge,
            contributionJudge: _contributionJudge,
            shareJudge: _shareJudge,
            gramJudge: _gramJudge
        });
    }

    function _post(uint256 id, Bisection storage bisection, int256[] calldata sums) private {
        uint256 span = bisection.span;
        uint256 part = _partOf(span);
        int256 total = 0;
        for (uint256 i = 0; i < sums.length; ++i) {
            total += sums[i];
        }
        if (sums.length != (span + part - 1) / part || total != bisection.expected) revert DisputesWrongSums(id);
        bisection.sumsHash = keccak256(abi.encode(sums));
        _passMove(id, true);
        emit SumsPosted(id, bisection.first, uint64(span), sums);
    }

    function _passMove(uint256 id, bool toChallenger) private {
        _disputes[id].challengerDue = toChallenger;
        _disputes[id].deadline = uint40(block.timestamp + _answerS);
    }

    /// @dev Ends a dispute: whatever happens next, nothing holds its round any more and the bond is `winner`'s.
    function _end(uint256 id, Dispute memory dispute, address winner) private {
        delete _disputes[id];
        delete _bisections[id];
        if (_disputed.remove(dispute.round)) _anchor.hold(_disputed.least());
        _stakes.unlock(winner, _challengerBond);
    }

    /// @dev Rewinds the round and all after it, slashes, and sets compensation aside.
    function _punish(
        address accused,
        address reporter,
        RoundRecord calldata record,
        bytes26 parentHead,
        RoundRecord calldata last
    ) private returns (uint256 pot) {
        Pot memory shared;
        shared.lastHead = _anchor.headOf(last.round);
        shared.firstRound = uint24(record.round);
        shared.lastRound = uint24(last.round);
        _anchor.rewind(record, parentHead, last);
        uint256 compensation = _stakes.slash(accused, _slashAmount, reporter);
        shared.perRound = uint128(compensation / (uint256(shared.lastRound) - shared.firstRound + 1));
        pot = ++_potCount;
        _pots[pot] = shared;
    }

    /// @dev What the chain's heads prove about a round: its record, what it started from, its plan.
    function _factsOf(Opening calldata opening) private view returns (Facts memory facts) {
        RoundRecord calldata record = opening.record;
        bytes26 head = _anchor.headOf(record.round);
        if (head == 0 || record.round == 0) revert DisputesUnknownRecord();
        if (head != _headAfter(opening.parentHead, keccak256(abi.encode(record)))) revert DisputesUnknownRecord();
        facts.record = record;
        facts.plan = opening.plan;
        if (Plans.hash(facts.plan) != record.fixedPlanHash) revert DisputesUnknownRecord();
        if (opening.parent.length == 0) {
            facts.parentKnown = record.round == 1;
            return facts;
        }
        RoundRecord calldata parent = opening.parent[0];
        bytes26 parentHead = _headAfter(opening.grandparentHead, keccak256(abi.encode(parent)));
        if (parentHead != opening.parentHead || opening.parent.length > 1) revert DisputesUnknownRecord();
        facts.parentKnown = true;
        facts.parentStateRoot = parent.serverStateRoot;
        facts.parentRewardsRoot = parent.rewardsRoot;
        facts.parentRewardsTotal = parent.rewardsTotal;
    }

    /// @dev Whether model, seed and rewards of a record continue those of its parent, which `opening` has if any.
    function _isContinuous(Opening calldata opening) private pure returns (bool) {
        RoundRecord calldata record = opening.record;
        uint256 steps = record.seedIndex;
        bytes32 earlier = opening.plan[opening.plan.length - 1];
        uint256 rewardsBefore = 0;
        // Every position of the seed chain belongs to one attempt of one round.
        if (steps != uint256(record.round) + record.attempt) return false;
        if (opening.parent.length == 1) {
            RoundRecord calldata parent = opening.parent[0];
            if (record.parentModelRoot != parent.modelRoot || steps <= parent.seedIndex) return false;
            steps -= parent.seedIndex;
            earlier = parent.seed;
            rewardsBefore = parent.rewardsTotal;
        }
        if (record.rewardsTotal < rewardsBefore) return false;
        bytes32 link = record.seed;
        // A chain that is too long to walk is taken on trust: anyone can walk it off chain.
        if (steps > MOST_SEEDS) return true;
        for (; steps > 0; --steps) {
            link = keccak256(abi.encode(link));
        }
        return link == earlier;
    }

    function _requireInWindow(uint64 round) private view returns (uint256 anchoredAt) {
        (, uint256 endsAt) = _anchor.finality(round);
        if (block.timestamp >= endsAt) revert DisputesTooLate(endsAt);
        return endsAt - _windowS;
    }

    function _admits(Dispute memory dispute, Facts memory facts, bytes calldata subject) private view returns (bool) {
        if (dispute.kind != Kind.Gram) {
            return _judgeOf(dispute.kind).admits(dispute.kind, facts, _circumstancesOf(dispute), subject);
        }
        (uint256 row, uint256 column) = abi.decode(subject, (uint256, uint256));
        return _gramJudge.admits(facts, row, column);
    }

    function _judgeOf(Kind kind) private view returns (IJudge) {
        if (kind == Kind.Coordinate) return _coordinateJudge;
        return kind <= Kind.Omission ? _contributionJudge : _shareJudge;
    }

    function _circumstancesOf(Dispute memory dispute) private view returns (Circumstances memory) {
        return Circumstances({
            anchor: address(_anchor),
            stakes: address(_stakes),
            coordinator: dispute.coordinator,
            anchoredAt: dispute.anchoredAt,
            blocks: _blocks,
            pricePerRound: _pricePerRound,
            confirmation: _confirmation
        });
    }

    function _disputeOf(uint256 id) private view returns (Dispute memory dispute) {
        dispute = _disputes[id];
        if (dispute.challenger == address(0)) revert DisputesNotOpen(id);
    }

    /// @dev A dispute in which a move of this side is due and in time.
    function _dueFrom(uint256 id, bool challenger) private view returns (Dispute memory dispute) {
        dispute = _disputeOf(id);
        if (dispute.challengerDue != challenger) revert DisputesNotYourMove(id);
        if (block.timestamp >= dispute.deadline) revert DisputesWrongTime(dispute.deadline);
    }

    function _requireCase(uint256 id, Dispute memory dispute, Facts calldata facts, bytes calldata subject)
        private
        pure
    {
        if (keccak256(abi.encode(facts, subject)) != dispute.caseHash) revert DisputesOtherCase(id);
    }

    /// @dev Blocks that one partial sum of `span` blocks covers: the greatest power of 32 below it.
    function _partOf(uint256 span) private pure returns (uint256 part) {
        part = 1;
        while (part * PARTS < span) part *= PARTS;
    }

    function _headAfter(bytes26 parentHead, bytes32 recordHash) private pure returns (bytes26) {
        return bytes26(keccak256(abi.encode(parentHead, recordHash)));
    }
}
