// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.35;

import {ContributionJudge} from "../ContributionJudge.sol";
import {CoordinateJudge} from "../CoordinateJudge.sol";
import {ShareJudge} from "../ShareJudge.sol";
import {IGramJudge} from "../interfaces/IGramJudge.sol";
import {Circumstances, Facts, IJudge, Kind} from "../interfaces/IJudge.sol";
import {Apportionment} from "../lib/Apportionment.sol";
import {CoordinateRules} from "../lib/CoordinateRules.sol";
import {FixedPoint} from "../lib/FixedPoint.sol";
import {Openings} from "../lib/Openings.sol";
import {Trees} from "../lib/Trees.sol";
import {Court} from "./Court.sol";

/**
 * @dev Answers of which one part is false, for each part that an answer has: none may hold. The judges are asked directly;
 * that a dispute ends as they say is tested with the disputes.
 */
contract RefusalsTest is Court {
    uint256 private constant N = 5;
    uint256 private constant PLACE = 70;
    uint256 private constant HOLE = 110;

    bytes32[] private trimmed;

    function setUp() public {
        trimmed = plan("TrMean", "{}", 1, "FedAvg", 0);
        build(trimmed, N);
    }

    function made(bytes32[] memory plan_) private view returns (World memory world) {
        world = worldOf(plan_, N, 1);
        for (uint256 i = 0; i < N; ++i) {
            world.weights[i] = uint256(FixedPoint.WEIGHT_ONE) / N + (i == 0 ? uint256(FixedPoint.WEIGHT_ONE) % N : 0);
        }
        if (plan_[0] == keccak256("TrMean")) world.weights = new uint256[](N);
        compute(world);
        commit(world, address(anchor), frame(1, 0));
    }

    function circumstances() private view returns (Circumstances memory) {
        return Circumstances({
            anchor: address(anchor),
            stakes: address(stakes),
            coordinator: coordinator,
            anchoredAt: time(),
            blocks: BLOCKS,
            pricePerRound: PRICE,
            confirmation: confirmation
        });
    }

    function judgeOf(Kind kind) private view returns (IJudge) {
        if (kind == Kind.Coordinate) return disputes.terms().coordinateJudge;
        return kind <= Kind.Omission ? disputes.terms().contributionJudge : disputes.terms().shareJudge;
    }

    function ask(Kind kind, Facts memory facts, bytes memory subject, bytes memory shown) private view returns (bool) {
        return judgeOf(kind).holds(kind, facts, circumstances(), subject, shown);
    }

    function admitted(Kind kind, Facts memory facts, bytes memory subject) private view returns (bool) {
        return judgeOf(kind).admits(kind, facts, circumstances(), subject);
    }

    function spoil(bytes memory data) private pure {
        data[0] = bytes1(uint8(data[0]) ^ 1);
    }

    function spoil(bytes32[] memory proof) private pure {
        proof[0] = keccak256(abi.encode(proof[0]));
    }

    // Coordinates.

    function coordinate(World memory world, uint256 which) private pure returns (CoordinateJudge.Answer memory) {
        return abi.decode(coordinateAnswer(world, which), (CoordinateJudge.Answer));
    }

    function refuse(World memory world, CoordinateJudge.Answer memory shown, string memory what) private view {
        check(!ask(Kind.Coordinate, factsOf(world), abi.encode(PLACE), abi.encode(shown)), what);
    }

    function test_EachPartOfACoordinatesAnswerCounts() public view {
        World memory world = made(trimmed);
        Facts memory facts = factsOf(world);
        check(ask(Kind.Coordinate, facts, abi.encode(PLACE), coordinateAnswer(world, PLACE)), "the whole holds");
        CoordinateJudge.Answer memory shown = coordinate(world, PLACE);
        spoil(shown.matrix.data);
        refuse(world, shown, "matrix");
        shown = coordinate(world, PLACE);
        spoil(shown.matrix.proof);
        refuse(world, shown, "matrix proof");
        shown = coordinate(world, PLACE);
        spoil(shown.aggregate.data);
        refuse(world, shown, "aggregate");
        shown = coordinate(world, PLACE);
        spoil(shown.parentModel.data);
        refuse(world, shown, "parent model");
        shown = coordinate(world, PLACE);
        spoil(shown.model.data);
        refuse(world, shown, "model");
        shown = coordinate(world, PLACE);
        spoil(shown.tensorProof);
        refuse(world, shown, "tensor proof");
        shown = coordinate(world, PLACE);
        shown.tensor.fractionBits = 25;
        refuse(world, shown, "tensor");
        // A tensor of the table, but not the coordinate's.
        shown = coordinate(world, PLACE);
        (shown.tensorIndex, shown.tensor, shown.tensorProof[0]) = (1, tensorAt(1), tensorLeaf(0));
        refuse(world, shown, "another tensor");
        check(!ask(Kind.Coordinate, facts, abi.encode(PLACE + 64), coordinateAnswer(world, PLACE)), "another block");
        world.record.serverStateRoot = keccak256("state");
        refuse(world, coordinate(world, PLACE), "a state where the step keeps none");
    }

    function test_EachCoordinateRuleIsItsOwn() public view {
        string[5] memory names = ["Median", "TrMean", "Meamed", "Phocas", "SignMajority"];
        for (uint256 i = 0; i < names.length; ++i) {
            for (int256 off = -1; off <= 1; ++off) {
                World memory world = made(trimmed);
                world.plan[0] = keccak256(bytes(names[i]));
                put(world.aggregate, PLACE, 4, expected(i, column(world, PLACE)) + off);
                stepAt(world, PLACE);
                commit(world, address(anchor), frame(1, 0));
                bool holds =
                    ask(Kind.Coordinate, factsOf(world), abi.encode(PLACE), abi.encode(coordinate(world, PLACE)));
                check(holds == (off == 0), names[i]);
                check(admitted(Kind.Coordinate, factsOf(world), abi.encode(PLACE)), "settled on chain");
            }
        }
    }

    function expected(uint256 rule, int256[] memory values) private pure returns (int256) {
        if (rule == 0) return CoordinateRules.median(values, 1);
        if (rule == 1) return CoordinateRules.trimmedMean(values, 1);
        if (rule == 2) return CoordinateRules.meamed(values, 1);
        return rule == 3 ? CoordinateRules.phocas(values, 1) : CoordinateRules.signMajority(values, 1);
    }

    function test_RulesAndStepsThatTheChainDoesNotKnow() public view {
        World memory world = made(trimmed);
        world.plan[0] = keccak256("Unheard");
        check(!admitted(Kind.Coordinate, factsOf(world), abi.encode(PLACE)), "an unknown rule");
        world.plan[0] = keccak256("TrMean");
        world.plan[1] = keccak256("[\"NNM\"]");
        check(!admitted(Kind.Coordinate, factsOf(world), abi.encode(PLACE)), "something in front of the rule");
        // Of a step that is recomputed off chain, the rule's part is still settled.
        world = made(trimmed);
        world.plan[5] = keccak256("FedAdam");
        world.record.modelRoot = vectorRoot(Trees.MODEL, world.parentModel);
        CoordinateJudge.Answer memory shown = coordinate(world, PLACE);
        shown.model = shown.parentModel;
        check(ask(Kind.Coordinate, factsOf(world), abi.encode(PLACE), abi.encode(shown)), "the aggregate is right");
        put(world.aggregate, PLACE, 4, FixedPoint.int32At(world.aggregate, PLACE) + 1);
        world.record.aggregateRoot = vectorRoot(Trees.AGGREGATE, world.aggregate);
        shown.aggregate = vectorOpening(Trees.AGGREGATE, world.aggregate, PLACE / 64);
        refuse(world, shown, "the aggregate is wrong");
        Facts memory facts = factsOf(made(trimmed));
        facts.plan[3] = bytes32(uint256(3));
        facts.plan[0] = keccak256("Median");
        try judgeOf(Kind.Coordinate)
            .holds(
                Kind.Coordinate, facts, circumstances(), abi.encode(PLACE), coordinateAnswer(made(trimmed), PLACE)
            ) returns (
            bool
        ) {
            check(false, "too many faulty");
        } catch (bytes memory reason) {
            check(bytes4(reason) == CoordinateRules.CoordinateRulesTooManyFaulty.selector, "says why");
        }
    }

    function test_ScalesBeyondWhatANumberHolds() public view {
        World memory world = made(trimmed);
        Openings.Tensor memory wide = Openings.Tensor(keccak256("wide"), 0, 192, 65, 0);
        world.record.tensorTableRoot = Trees.leafHash(Trees.TENSORS, abi.encode(wide));
        CoordinateJudge.Answer memory shown = coordinate(world, PLACE);
        (shown.tensor, shown.tensorProof) = (wide, new bytes32[](0));
        refuse(world, shown, "65 binary places");
    }

    function test_WhatCompletesATensorIsZeroEverywhere() public view {
        for (uint256 what = 0; what < 5; ++what) {
            World memory world = made(plan("Average", "{}", 1, "FedAvgM", 1000));
            if (what == 1) put(world.updates[0], HOLE, 2, 5);
            if (what == 2) put(world.aggregate, HOLE, 4, 5);
            if (what == 3) put(world.state, HOLE, 4, 5);
            if (what == 4) put(world.model, HOLE, 4, 5);
            commit(world, address(anchor), frame(1, 0));
            bytes memory shown = coordinateAnswer(world, HOLE);
            check(
                ask(Kind.Coordinate, factsOf(world), abi.encode(HOLE), shown) == (what == 0), "zeros and nothing else"
            );
        }
    }

    function test_WhatCompletesATreeIsNothing() public view {
        World memory world = made(plan("Average", "{}", 1, "FedAvgM", 1000));
        bytes memory behind = abi.encode(COORDINATES);
        check(ask(Kind.Coordinate, factsOf(world), behind, paddingAnswer(world, BLOCKS)), "nothing is there");
        for (uint256 i = 0; i < 4; ++i) {
            bytes32[][4] memory proofs = abi.decode(paddingAnswer(world, BLOCKS), (bytes32[][4]));
            spoil(proofs[i]);
            check(!ask(Kind.Coordinate, factsOf(world), behind, abi.encode(proofs)), "each tree counts");
        }
    }

    function test_EachPartOfAMomentumsAnswerCounts() public view {
        World memory world = made(plan("Average", "{}", 1, "FedAvgM", 1000));
        Facts memory facts = factsOf(world);
        check(ask(Kind.Coordinate, facts, abi.encode(PLACE), coordinateAnswer(world, PLACE)), "the whole holds");
        CoordinateJudge.Answer memory shown = coordinate(world, PLACE);
        spoil(shown.state.data);
        refuse(world, shown, "state");
        shown = coordinate(world, PLACE);
        shown.weights = new int256[](N - 1);
        refuse(world, shown, "too few weights");
        shown = coordinate(world, PLACE);
        (shown.weights[0], shown.weights[1]) = (shown.weights[0] + 1, shown.weights[1] - 1);
        refuse(world, shown, "other weights");
        facts.parentKnown = false;
        check(!admitted(Kind.Coordinate, facts, abi.encode(PLACE)), "the state before must be known");
    }

    // Contributions.

    function test_EachPartOfALinksAnswerCounts() public view {
        World memory world = made(trimmed);
        bytes memory subject = abi.encode(uint256(2), uint256(1));
        Facts memory facts = factsOf(world);
        check(ask(Kind.Link, facts, subject, linkAnswer(world, 2, 1)), "the whole holds");
        ContributionJudge.LinkAnswer memory shown = link(world);
        shown.contribution.samples += 1;
        check(!ask(Kind.Link, facts, subject, abi.encode(shown)), "contribution");
        shown = link(world);
        spoil(shown.matrix.data);
        check(!ask(Kind.Link, facts, subject, abi.encode(shown)), "matrix");
        shown = link(world);
        spoil(shown.update.data);
        check(!ask(Kind.Link, facts, subject, abi.encode(shown)), "update");
        // The matrix opens, the update opens, and they differ.
        put(world.updates[2], 64, 2, 77);
        commitVectors(world);
        shown.matrix = matrixOpening(world, 1);
        shown.update = link(made(trimmed)).update;
        check(!ask(Kind.Link, factsOf(world), subject, abi.encode(shown)), "another value");
    }

    function link(World memory world) private pure returns (ContributionJudge.LinkAnswer memory) {
        return abi.decode(linkAnswer(world, 2, 1), (ContributionJudge.LinkAnswer));
    }

    function test_AMagnitudeBelowTheUpdatesOwnIsNoneToAdmit() public view {
        World memory world = made(trimmed);
        world.contributions[2].largestMagnitude = 3;
        commit(world, address(anchor), frame(1, 0));
        check(!ask(Kind.Link, factsOf(world), abi.encode(uint256(2), uint256(1)), linkAnswer(world, 2, 1)), "too small");
    }

    function test_EachPartOfAContributionsAnswerCounts() public view {
        World memory world = made(trimmed);
        bytes memory subject = abi.encode(uint256(2));
        Facts memory facts = factsOf(world);
        check(ask(Kind.Contribution, facts, subject, contributionAnswer(world, 2)), "the whole holds");
        ContributionJudge.ContributionAnswer memory shown = contribution(world);
        spoil(shown.proof);
        check(!ask(Kind.Contribution, facts, subject, abi.encode(shown)), "proof");
        shown = contribution(world);
        spoil(shown.previousProof);
        check(!ask(Kind.Contribution, facts, subject, abi.encode(shown)), "the row above");
        shown = contribution(world);
        spoil(shown.signature);
        check(!ask(Kind.Contribution, facts, subject, abi.encode(shown)), "signature");
        world.contributions[2].verdict = 3;
        check(!holdsAnew(world), "not admitted");
        world = made(trimmed);
        world.contributions[2].samples = uint256(type(uint32).max) + 1;
        check(!holdsAnew(world), "more samples than anybody can sign for");
    }

    function holdsAnew(World memory world) private view returns (bool) {
        commit(world, address(anchor), frame(1, 0));
        return ask(Kind.Contribution, factsOf(world), abi.encode(uint256(2)), contributionAnswer(world, 2));
    }

    function contribution(World memory world) private pure returns (ContributionJudge.ContributionAnswer memory) {
        return abi.decode(contributionAnswer(world, 2), (ContributionJudge.ContributionAnswer));
    }

    function test_JudgesKnowTheirOwnKindsOnly() public view {
        World memory world = made(trimmed);
        Facts memory facts = factsOf(world);
        check(!disputes.terms().contributionJudge.admits(Kind.Scores, facts, circumstances(), ""), "scores");
        check(!disputes.terms().shareJudge.admits(Kind.Link, facts, circumstances(), ""), "links");
        check(!disputes.terms().coordinateJudge.admits(Kind.Link, facts, circumstances(), abi.encode(PLACE)), "links");
        facts.record.participants = 65;
        check(!admitted(Kind.Scores, facts, ""), "more than 64");
        facts.record.participants = uint32(N);
        facts.parentKnown = false;
        bytes memory subject = abi.encode(false, world.rewarded[0], uint256(0), new bytes32[](0));
        check(!admitted(Kind.Reward, facts, subject), "the rewards before must be known");
    }

    // Shares.

    function test_EachPartOfAWeightsAnswerCounts() public view {
        World memory world = made(plan("Average", "{}", 1, "FedAvg", 0));
        uint256[] memory samples = new uint256[](N);
        // The cap is 1,000.
        (samples[0], samples[1], samples[2], samples[3], samples[4]) = (300, 600, 900, 1000, 1000);
        world.weights = Apportionment.split(samples, uint256(FixedPoint.WEIGHT_ONE));
        compute(world);
        commit(world, address(anchor), frame(1, 0));
        Facts memory facts = factsOf(world);
        check(ask(Kind.Weights, facts, "", weightsAnswer(world)), "the whole holds");
        ShareJudge.WeightsAnswer memory shown = weights(world);
        shown.weights = new uint256[](N - 1);
        check(!ask(Kind.Weights, facts, "", abi.encode(shown)), "too few");
        shown = weights(world);
        ++shown.weights[0];
        check(!ask(Kind.Weights, facts, "", abi.encode(shown)), "not those of the record");
        shown = weights(world);
        ++shown.contributions[0].samples;
        check(!ask(Kind.Weights, facts, "", abi.encode(shown)), "contributions");
        shown = weights(world);
        shown.contributions = new Openings.Contribution[](0);
        check(!ask(Kind.Weights, facts, "", abi.encode(shown)), "no contributions");
    }

    function weights(World memory world) private pure returns (ShareJudge.WeightsAnswer memory) {
        return abi.decode(weightsAnswer(world), (ShareJudge.WeightsAnswer));
    }

    function test_EachPartOfAScoresAnswerCounts() public view {
        World memory world = made(plan("Average", "{}", 1, "FedAvg", 0));
        Facts memory facts = factsOf(world);
        check(ask(Kind.Scores, facts, "", scoresAnswer(world)), "the whole holds");
        ShareJudge.ScoresAnswer memory shown = scores(world);
        shown.gram[0] += 1;
        check(!ask(Kind.Scores, facts, "", abi.encode(shown)), "Gram matrix");
        shown = scores(world);
        shown.scores[0] += 1;
        check(!ask(Kind.Scores, facts, "", abi.encode(shown)), "scores");
        shown = scores(world);
        shown.weights = new uint256[](N + 1);
        check(!ask(Kind.Scores, facts, "", abi.encode(shown)), "too many weights");
        shown = scores(world);
        shown.weights[0] += 1;
        check(!ask(Kind.Scores, facts, "", abi.encode(shown)), "weights");
    }

    function scores(World memory world) private pure returns (ShareJudge.ScoresAnswer memory) {
        return abi.decode(scoresAnswer(world), (ShareJudge.ScoresAnswer));
    }

    function test_EachPartOfARewardsAnswerCounts() public view {
        World memory world = made(trimmed);
        Facts memory facts = factsOf(world);
        bytes memory subject = abi.encode(false, world.rewarded[2], uint256(0), new bytes32[](0));
        check(ask(Kind.Reward, facts, subject, rewardAnswer(world, false, 2)), "the whole holds");
        ShareJudge.RewardAnswer memory shown = rewards(world);
        shown.scores = new uint256[](N - 1);
        check(!ask(Kind.Reward, facts, subject, abi.encode(shown)), "too few scores");
        shown = rewards(world);
        ++shown.scores[0];
        check(!ask(Kind.Reward, facts, subject, abi.encode(shown)), "scores");
        shown = rewards(world);
        ++shown.contributions[0].samples;
        check(!ask(Kind.Reward, facts, subject, abi.encode(shown)), "contributions");
        shown = rewards(world);
        ++shown.other;
        check(!ask(Kind.Reward, facts, subject, abi.encode(shown)), "another amount");
    }

    /// @dev A tree may promise anything: an amount beyond 128 bits must end the comparison and not overflow it.
    function test_RewardsBeyondAllBoundsAreRefused() public view {
        World memory world = made(trimmed);
        world.rewards[2] = type(uint256).max;
        world.record.rewardsRoot = ladder(world, 0);
        bytes memory subject = abi.encode(true, world.rewarded[2], world.rewards[2], rewardProof(world, 2));
        check(admitted(Kind.Reward, factsOf(world), subject), "it is in the tree");
        check(!ask(Kind.Reward, factsOf(world), subject, rewardAnswer(world, true, 2)), "refused");
    }

    function rewards(World memory world) private pure returns (ShareJudge.RewardAnswer memory) {
        return abi.decode(rewardAnswer(world, false, 2), (ShareJudge.RewardAnswer));
    }

    // The Gram matrix.

    function test_EachPartOfAGramAnswerCounts() public {
        World memory world = made(trimmed);
        Facts memory facts = factsOf(world);
        Circumstances memory about = circumstances();
        IGramJudge judge = disputes.terms().gramJudge;
        Openings.Leaf memory row = gramOpening(world, 1);
        check(judge.entry(facts, 1, 3, row) == world.gram[1 * (N + 1) + 3], "the entry");
        spoil(row.data);
        vm.expectRevert(IGramJudge.GramJudgeWrongOpening.selector);
        judge.entry(facts, 1, 3, row);
        IGramJudge.BlockOpening memory opening =
            IGramJudge.BlockOpening(matrixOpening(world, 1), vectorOpening(Trees.AGGREGATE, world.aggregate, 1));
        check(judge.product(facts, about, 1, N, 1, opening) == productOver(world, 1, N, 1, 1), "the product");
        spoil(opening.aggregate.data);
        vm.expectRevert(IGramJudge.GramJudgeWrongOpening.selector);
        judge.product(facts, about, 1, N, 1, opening);
        check(judge.product(facts, about, 1, 3, 1, opening) == productOver(world, 1, 3, 1, 1), "only what is needed");
        spoil(opening.matrix.data);
        vm.expectRevert(IGramJudge.GramJudgeWrongOpening.selector);
        judge.product(facts, about, 1, 3, 1, opening);
    }
}
