// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.35;

import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {Circumstances, Facts, IJudge, Kind} from "./interfaces/IJudge.sol";
import {Apportionment} from "./lib/Apportionment.sol";
import {FixedPoint} from "./lib/FixedPoint.sol";
import {GramRules} from "./lib/GramRules.sol";
import {Openings} from "./lib/Openings.sol";
import {Plans} from "./lib/Plans.sol";
import {Selections} from "./lib/Selections.sol";
import {Trees} from "./lib/Trees.sol";

/**
 * @title ShareJudge
 * @dev Recomputes what follows from a round's committed numbers: weights from the Gram matrix or the samples, scores from
 * the Gram matrix, rewards from the scores.
 *
 * A reward is challenged from either side, `abi.encode(bool after, address account, uint256 cumulative, bytes32[] proof)`:
 * an account shows what it had before the round (nothing needs no proof), and the coordinator that it has that and its
 * share after it; or anyone shows what an account has after the round, and the coordinator that it had that less its share
 * before. The first catches what is kept from an account, the second what is given to one.
 */
contract ShareJudge is IJudge {
    /// @dev What shows that weights are right.
    struct WeightsAnswer {
        /// @dev All weights.
        uint256[] weights;
        /// @dev The Gram matrix, row after row; empty for a weighted mean.
        int256[] gram;
        /// @dev All contributions; empty for a selection.
        Openings.Contribution[] contributions;
    }

    /// @dev What shows that scores are right.
    struct ScoresAnswer {
        /// @dev All scores.
        uint256[] scores;
        /// @dev The Gram matrix, row after row.
        int256[] gram;
        /// @dev All weights; empty for a rule that works coordinate by coordinate.
        uint256[] weights;
    }

    /// @dev What shows that an account's rewards are right.
    struct RewardAnswer {
        /// @dev All scores.
        uint256[] scores;
        /// @dev All contributions.
        Openings.Contribution[] contributions;
        /// @dev The account's cumulative rewards on the other side of the round.
        uint256 other;
        /// @dev Their proof; empty for nothing.
        bytes32[] proof;
    }

    uint256 private constant MAX_PARTICIPANTS = 64;

    /// @inheritdoc IJudge
    function admits(Kind kind, Facts calldata facts, Circumstances calldata, bytes calldata subject)
        external
        pure
        returns (bool)
    {
        uint256 n = facts.record.participants;
        bytes32[] memory plan = facts.plan;
        bytes32 rule = Plans.rule(plan);
        if (n > MAX_PARTICIPANTS) return false;
        if (kind == Kind.Scores) return Plans.isWeighted(rule) || (Plans.isCoordinateRule(rule) && Plans.isBare(plan));
        if (kind == Kind.Reward) return _rewardAdmitted(facts, subject);
        if (kind != Kind.Weights || !Plans.isBare(plan)) return false;
        if (rule == Plans.AVERAGE) return true;
        (uint256 selected, uint256 better) = abi.decode(subject, (uint256, uint256));
        return Selections.read(plan, n).count > 0 && selected < n && better < n;
    }

    /// @inheritdoc IJudge
    function holds(
        Kind kind,
        Facts calldata facts,
        Circumstances calldata circumstances,
        bytes calldata subject,
        bytes calldata answer
    ) external view returns (bool) {
        if (kind == Kind.Scores) {
            return _scoresHold(facts, circumstances.confirmation, abi.decode(answer, (ScoresAnswer)));
        }
        if (kind == Kind.Reward) {
            return _rewardHolds(facts, circumstances.pricePerRound, subject, abi.decode(answer, (RewardAnswer)));
        }
        WeightsAnswer memory opened = abi.decode(answer, (WeightsAnswer));
        if (opened.weights.length != facts.record.participants) return false;
        if (Trees.rootOfWords(Trees.WEIGHTS, opened.weights) != facts.record.weightsRoot) return false;
        bytes32[] memory plan = facts.plan;
        if (Plans.rule(plan) == Plans.AVERAGE) return _averageHolds(facts, opened);
        return _selectionHolds(facts, opened, subject);
    }

    function _averageHolds(Facts calldata facts, WeightsAnswer memory opened) private pure returns (bool) {
        uint256 n = facts.record.participants;
        if (!_contributionsOpen(facts, opened.contributions)) return false;
        bytes32[] memory plan = facts.plan;
        uint256 cap = Plans.sampleCap(plan);
        uint256[] memory samples = new uint256[](n);
        for (uint256 i = 0; i < n; ++i) {
            uint256 stated = opened.contributions[i].samples;
            samples[i] = stated < cap ? stated : cap;
        }
        return _isSplit(opened.weights, samples);
    }

    function _selectionHolds(Facts calldata facts, WeightsAnswer memory opened, bytes calldata subject)
        private
        view
        returns (bool)
    {
        uint256 n = facts.record.participants;
        Selections.Selection memory selection;
        {
            bytes32[] memory plan = facts.plan;
            selection = Selections.read(plan, n);
        }
        uint256[] memory chosen = new uint256[](n);
        uint256 count = 0;
        for (uint256 i = 0; i < n; ++i) {
            if (opened.weights[i] == 0) continue;
            chosen[i] = 1;
            ++count;
        }
        // Equal weights for as many as the rule takes, whoever they are.
        if (count != selection.count || !_isSplit(opened.weights, chosen)) return false;
        (uint256 selected, uint256 better) = abi.decode(subject, (uint256, uint256));
        if (chosen[selected] == 0 || chosen[better] == 1) return true;
        return _gramOpens(facts, opened.gram) && Selections.precedes(selection, opened.gram, n, selected, better);
    }

    function _scoresHold(Facts calldata facts, bool confirmation, ScoresAnswer memory opened)
        private
        view
        returns (bool)
    {
        uint256 n = facts.record.participants;
        if (opened.scores.length != n || !_gramOpens(facts, opened.gram)) return false;
        if (Trees.rootOfWords(Trees.SCORES, opened.scores) != facts.record.scoresRoot) return false;
        bool[] memory active = new bool[](n);
        bytes32[] memory plan = facts.plan;
        bool weighted = Plans.isWeighted(Plans.rule(plan));
        uint256[] memory weights = weighted ? opened.weights : new uint256[](n);
        if (weights.length != n) return false;
        // A rule that works coordinate by coordinate commits to zeros, and every update has its part.
        if (Trees.rootOfWords(Trees.WEIGHTS, weights) != facts.record.weightsRoot) return false;
        for (uint256 i = 0; i < n; ++i) {
            active[i] = !weighted || weights[i] > 0;
        }
        uint256[] memory expected = confirmation
            ? GramRules.confirmationScores(opened.gram, active)
            : GramRules.alignmentScores(opened.gram, active);
        for (uint256 i = 0; i < n; ++i) {
            if (opened.scores[i] != expected[i]) return false;
        }
        return true;
    }

    function _rewardAdmitted(Facts calldata facts, bytes calldata subject) private pure returns (bool) {
        if (!facts.parentKnown) return false;
        (bool afterwards, address account, uint256 cumulative, bytes32[] memory proof) =
            abi.decode(subject, (bool, address, uint256, bytes32[]));
        return _entitled(afterwards ? facts.record.rewardsRoot : facts.parentRewardsRoot, account, cumulative, proof);
    }

    function _rewardHolds(Facts calldata facts, uint256 pot, bytes calldata subject, RewardAnswer memory opened)
        private
        pure
        returns (bool)
    {
        if (opened.scores.length != facts.record.participants) return false;
        if (Trees.rootOfWords(Trees.SCORES, opened.scores) != facts.record.scoresRoot) return false;
        if (!_contributionsOpen(facts, opened.contributions)) return false;
        (bool afterwards, address account, uint256 cumulative,) =
            abi.decode(subject, (bool, address, uint256, bytes32[]));
        bytes32 root = afterwards ? facts.parentRewardsRoot : facts.record.rewardsRoot;
        if (!_entitled(root, account, opened.other, opened.proof)) return false;

        uint256[] memory earned = Apportionment.split(opened.scores, pot);
        uint256 own = 0;
        uint256 paid = 0;
        for (uint256 i = 0; i < earned.length; ++i) {
            paid += earned[i];
            if (opened.contributions[i].participant == account) own += earned[i];
        }
        if (facts.record.rewardsTotal != facts.parentRewardsTotal + paid) return false;
        // Sums of three numbers below 2^128 each, or the comparison fails: nothing here is that large.
        if (cumulative > type(uint128).max || opened.other > type(uint128).max) return false;
        return afterwards ? opened.other + own == cumulative : cumulative + own == opened.other;
    }

    function _entitled(bytes32 root, address account, uint256 cumulative, bytes32[] memory proof)
        private
        pure
        returns (bool)
    {
        if (cumulative == 0) return true;
        bytes32 leaf = keccak256(bytes.concat(keccak256(abi.encode(account, cumulative))));
        return MerkleProof.verify(proof, root, leaf);
    }

    function _contributionsOpen(Facts calldata facts, Openings.Contribution[] memory contributions)
        private
        pure
        returns (bool)
    {
        return contributions.length == facts.record.participants
            && Openings.rootOf(contributions) == facts.record.contributionsRoot;
    }

    function _gramOpens(Facts calldata facts, int256[] memory gram) private view returns (bool) {
        uint256 width = uint256(facts.record.participants) + 1;
        return gram.length == width * width && Trees.rootOfRows(Trees.GRAM, gram, width) == facts.record.gramRoot;
    }

    function _isSplit(uint256[] memory weights, uint256[] memory shares) private pure returns (bool) {
        uint256[] memory expected = Apportionment.split(shares, uint256(FixedPoint.WEIGHT_ONE));
        for (uint256 i = 0; i < weights.length; ++i) {
            if (weights[i] != expected[i]) return false;
        }
        return true;
    }
}
