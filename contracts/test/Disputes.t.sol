// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.35;

import {IDisputes} from "../interfaces/IDisputes.sol";
import {IGramJudge} from "../interfaces/IGramJudge.sol";
import {Kind} from "../interfaces/IJudge.sol";
import {RoundRecord} from "../interfaces/IRoundAnchor.sol";
import {FixedPoint} from "../lib/FixedPoint.sol";
import {Openings} from "../lib/Openings.sol";
import {SignedData} from "../lib/SignedData.sol";
import {Trees} from "../lib/Trees.sol";
import {Court} from "./Court.sol";

/// @dev Each kind of dispute, with a round that is right and with a lie of the kind.
contract DisputesTest is Court {
    uint256 private constant N = 5;

    function setUp() public {
        confirmation = true;
        build(plan("TrMean", "{}", 1, "FedAvg", 0), N);
    }

    function honest() private view returns (World memory world) {
        world = worldOf(plan("TrMean", "{}", 1, "FedAvg", 0), N, 1);
        compute(world);
        commit(world, address(anchor), frame(1, 0));
    }

    function settle(World memory world, Kind kind, bytes memory subject, bytes memory shown) private {
        uint256 id = open(world, kind, subject);
        check(anchor.isFinal(world.record) == false, "not final");
        disputes.answer(id, factsOf(world), subject, shown);
        check(disputes.disputeOf(id).challenger == address(0), "ended");
        check(stakes.owedTo(coordinator) == CHALLENGER_BOND, "the challenger's bond pays for the answer");
        check(disputes.earliestDisputed() == 0, "nothing is held");
    }

    /// @dev The answer does not hold, time runs out, and the coordinator pays.
    function lose(World memory world, Kind kind, bytes memory subject, bytes memory shown) private {
        uint256 id = open(world, kind, subject);
        vm.expectPartialRevert(IDisputes.DisputesAnswerRefused.selector);
        disputes.answer(id, factsOf(world), subject, shown);
        skip(ANSWER_S);
        convict(id, world);
        (uint256 bond,) = stakes.bondOf(coordinator);
        check(bond == 2 * SLASH, "the bond is cut");
        check(anchor.headOf(world.record.round) == 0, "the round is rewound");
        check(anchor.minAttempt() == 1, "the next attempt");
        check(stakes.owedTo(challenger) == CHALLENGER_BOND + SLASH / 5, "the challenger is paid");
        check(stakes.totals().burned > uint256(PRICE) * RING, "more is burned than was erased");
        check(stakes.totals().pots == SLASH / 5, "participants are compensated");
    }

    // What is right is answered.

    function test_EveryCoordinateOfAnHonestRoundIsAnswered() public {
        World memory world = honest();
        anchorIt(world);
        uint8[6] memory coordinates = [0, 63, 99, 110, 128, 191];
        for (uint256 i = 0; i < coordinates.length; ++i) {
            bytes memory subject = abi.encode(uint256(coordinates[i]));
            uint256 id = open(world, Kind.Coordinate, subject);
            disputes.answer(id, factsOf(world), subject, coordinateAnswer(world, coordinates[i]));
        }
        check(stakes.owedTo(coordinator) == 6 * CHALLENGER_BOND, "six bonds");
    }

    function test_PaddingOfTheTreesIsAnswered() public {
        World memory world = honest();
        anchorIt(world);
        settle(world, Kind.Coordinate, abi.encode(uint256(192)), paddingAnswer(world, 3));
    }

    function test_LinkIsAnswered() public {
        World memory world = honest();
        anchorIt(world);
        settle(world, Kind.Link, abi.encode(uint256(4), uint256(2)), linkAnswer(world, 4, 2));
    }

    function test_ContributionIsAnswered() public {
        World memory world = honest();
        anchorIt(world);
        settle(world, Kind.Contribution, abi.encode(uint256(3)), contributionAnswer(world, 3));
    }

    function test_RowsThatCompleteTheTreeAreAnswered() public {
        World memory world = honest();
        anchorIt(world);
        settle(world, Kind.Contribution, abi.encode(uint256(6)), contributionAnswer(world, 6));
    }

    function test_ScoresAreAnswered() public {
        World memory world = honest();
        anchorIt(world);
        settle(world, Kind.Scores, "", scoresAnswer(world));
    }

    function test_RewardsAreAnsweredFromBothSides() public {
        World memory world = honest();
        anchorIt(world);
        bytes memory subject = abi.encode(false, world.rewarded[2], uint256(0), new bytes32[](0));
        uint256 id = open(world, Kind.Reward, subject);
        disputes.answer(id, factsOf(world), subject, rewardAnswer(world, false, 2));
        subject = abi.encode(true, world.rewarded[1], world.rewards[1], rewardProof(world, 1));
        id = open(world, Kind.Reward, subject);
        disputes.answer(id, factsOf(world), subject, rewardAnswer(world, true, 1));
    }

    function receiptFor(World memory world, uint256 row, uint32 attempt) private view returns (bytes memory) {
        SignedData.Receipt memory receipt = SignedData.Receipt({
            job: world.record.job,
            round: world.record.round,
            attempt: attempt,
            participant: keys.addr(world.keys[row]),
            updateRoot: Trees.leafHash(Trees.UPDATE, world.updates[row]),
            verdict: 1,
            code: ""
        });
        bytes32 digest = SignedData.digest(address(anchor), SignedData.hash(receipt));
        return abi.encode(receipt, signed(COORDINATOR_KEY, digest));
    }

    function test_OmissionIsAnsweredByInclusion() public {
        World memory world = honest();
        anchorIt(world);
        settle(world, Kind.Omission, receiptFor(world, 2, 0), omissionAnswer(world, 2));
    }

    // A lie of each kind costs the bond.

    function test_WrongAggregateLoses() public {
        World memory world = honest();
        put(world.aggregate, 70, 4, FixedPoint.int32At(world.aggregate, 70) + 1);
        stepAt(world, 70);
        commit(world, address(anchor), frame(1, 0));
        anchorIt(world);
        lose(world, Kind.Coordinate, abi.encode(uint256(70)), coordinateAnswer(world, 70));
    }

    function test_WrongModelLoses() public {
        World memory world = honest();
        put(world.model, 130, 4, FixedPoint.int32At(world.model, 130) - 1);
        commit(world, address(anchor), frame(1, 0));
        anchorIt(world);
        lose(world, Kind.Coordinate, abi.encode(uint256(130)), coordinateAnswer(world, 130));
    }

    function test_DirtyPaddingOfATensorLoses() public {
        World memory world = honest();
        put(world.model, 120, 4, 7);
        commit(world, address(anchor), frame(1, 0));
        anchorIt(world);
        lose(world, Kind.Coordinate, abi.encode(uint256(120)), coordinateAnswer(world, 120));
    }

    function test_SomethingBehindTheVectorLoses() public {
        World memory world = honest();
        bytes32[] memory leaves = new bytes32[](4);
        bytes32[] memory three = vectorLeaves(Trees.MODEL, world.model);
        (leaves[0], leaves[1], leaves[2], leaves[3]) = (three[0], three[1], three[2], keccak256("hidden"));
        world.record.modelRoot = Trees.rootOf(Trees.MODEL, leaves);
        anchorIt(world);
        lose(world, Kind.Coordinate, abi.encode(uint256(192)), paddingAnswer(world, 3));
    }

    function test_OutOfRangeUpdateLoses() public {
        World memory world = honest();
        put(world.updates[0], 5, 2, 8192);
        compute(world);
        delete world.contributions;
        commit(world, address(anchor), frame(1, 0));
        anchorIt(world);
        lose(world, Kind.Coordinate, abi.encode(uint256(5)), coordinateAnswer(world, 5));
    }

    function test_MatrixThatIsNotWhatWasSignedLoses() public {
        World memory world = honest();
        bytes memory original = world.updates[1];
        world.updates[1] = slice(original, 0, original.length);
        put(world.updates[1], 140, 2, FixedPoint.int16At(original, 140) + 1);
        compute(world);
        commit(world, address(anchor), frame(1, 0));
        anchorIt(world);
        bytes memory shown = linkAnswer(world, 1, 2);
        lose(world, Kind.Link, abi.encode(uint256(1), uint256(2)), shown);
    }

    function test_InventedContributionLoses() public {
        World memory world = honest();
        // Signed by another key than the participant's.
        SignedData.Update memory statement = statementOf(world, 2);
        bytes32 digest = SignedData.digest(address(anchor), SignedData.hash(statement));
        world.signatures[2] = signed(COORDINATOR_KEY, digest);
        world.contributions[2].signatureHash = keccak256(world.signatures[2]);
        commit(world, address(anchor), frame(1, 0));
        anchorIt(world);
        lose(world, Kind.Contribution, abi.encode(uint256(2)), contributionAnswer(world, 2));
    }

    function test_ParticipantWithoutStakeLoses() public {
        World memory world = honest();
        // The sixth participant of six has not staked.
        world = worldOf(world.plan, N + 1, 1);
        compute(world);
        commit(world, address(anchor), frame(1, 0));
        anchorIt(world);
        for (uint256 row = 0; row <= N; ++row) {
            if (stakes.hasJoined(world.contributions[row].participant)) continue;
            lose(world, Kind.Contribution, abi.encode(row), contributionAnswer(world, row));
            return;
        }
        check(false, "one has not joined");
    }

    function test_ParticipantCountedTwiceLoses() public {
        World memory world = honest();
        world.contributions[3] = world.contributions[2];
        world.signatures[3] = world.signatures[2];
        commit(world, address(anchor), frame(1, 0));
        anchorIt(world);
        lose(world, Kind.Contribution, abi.encode(uint256(3)), contributionAnswer(world, 3));
    }

    function test_DroppedUpdateLoses() public {
        World memory world = honest();
        bytes memory subject = receiptFor(world, 2, 0);
        // The round is made of another update of the same participant.
        put(world.updates[2], 0, 2, 17);
        compute(world);
        delete world.contributions;
        commit(world, address(anchor), frame(1, 0));
        anchorIt(world);
        lose(world, Kind.Omission, subject, omissionAnswer(world, 2));
    }

    function test_WrongScoreLoses() public {
        World memory world = honest();
        ++world.scores[1];
        commit(world, address(anchor), frame(1, 0));
        anchorIt(world);
        lose(world, Kind.Scores, "", scoresAnswer(world));
    }

    function test_RewardKeptFromAnAccountLoses() public {
        World memory world = honest();
        (world.rewards[0], world.rewards[1]) = (world.rewards[0] - 1, world.rewards[1] + 1);
        commit(world, address(anchor), frame(1, 0));
        world.record.rewardsTotal = PRICE;
        anchorIt(world);
        bytes memory subject = abi.encode(false, world.rewarded[0], uint256(0), new bytes32[](0));
        lose(world, Kind.Reward, subject, rewardAnswer(world, false, 0));
    }

    function test_RewardGivenToAnAccountLoses() public {
        World memory world = honest();
        (world.rewards[0], world.rewards[1]) = (world.rewards[0] - 1, world.rewards[1] + 1);
        commit(world, address(anchor), frame(1, 0));
        world.record.rewardsTotal = PRICE;
        anchorIt(world);
        bytes memory subject = abi.encode(true, world.rewarded[1], world.rewards[1], rewardProof(world, 1));
        lose(world, Kind.Reward, subject, rewardAnswer(world, true, 1));
    }

    function test_WrongSumOfRewardsLoses() public {
        World memory world = honest();
        world.record.rewardsTotal = PRICE - 1;
        anchorIt(world);
        bytes memory subject = abi.encode(false, world.rewarded[0], uint256(0), new bytes32[](0));
        lose(world, Kind.Reward, subject, rewardAnswer(world, false, 0));
    }

    // Omission and equivocation across attempts.

    function test_OldReceiptProvesNoOmission() public {
        World memory world = honest();
        world.record.attempt = 3;
        bytes memory subject = receiptFor(world, 2, 0);
        world.record.seedIndex = 4;
        world.record.seed = seedAt(4);
        anchorIt(world);
        IDisputes.Opening memory opening = openingOf(world);
        vm.prank(challenger);
        vm.expectPartialRevert(IDisputes.DisputesNotSettledOnChain.selector);
        disputes.challenge(Kind.Omission, opening, subject);
    }

    // The Gram matrix, entry by entry.

    function sumsOf(World memory world, uint256 a, uint256 b) private pure returns (int256[] memory sums) {
        sums = new int256[](BLOCKS);
        for (uint256 i = 0; i < BLOCKS; ++i) {
            sums[i] = productOver(world, a, b, i, 1);
        }
    }

    function blockOpening(World memory world, uint256 block_) private pure returns (IGramJudge.BlockOpening memory) {
        return
            IGramJudge.BlockOpening(
                matrixOpening(world, block_), vectorOpening(Trees.AGGREGATE, world.aggregate, block_)
            );
    }

    function test_GramEntriesAreAnswered() public {
        World memory world = honest();
        anchorIt(world);
        uint8[2][3] memory entries = [[1, 3], [2, 5], [5, 5]];
        for (uint256 i = 0; i < 3; ++i) {
            (uint256 a, uint256 b) = (entries[i][0], entries[i][1]);
            bytes memory subject = abi.encode(a, b);
            uint256 id = open(world, Kind.Gram, subject);
            int256[] memory sums = sumsOf(world, a, b);
            Openings.Leaf memory row = gramOpening(world, a);
            vm.prank(coordinator);
            disputes.openEntry(id, factsOf(world), subject, row, sums);
            vm.prank(challenger);
            disputes.pickSum(id, 1, sums);
            disputes.openBlock(id, factsOf(world), subject, blockOpening(world, 1));
            check(disputes.disputeOf(id).challenger == address(0), "ended");
        }
        check(stakes.owedTo(coordinator) == 3 * CHALLENGER_BOND, "three bonds");
    }

    function test_WrongGramEntryLoses() public {
        World memory world = honest();
        world.gram[1 * (N + 1) + 3] += 10;
        commit(world, address(anchor), frame(1, 0));
        anchorIt(world);
        bytes memory subject = abi.encode(uint256(1), uint256(3));
        uint256 id = open(world, Kind.Gram, subject);
        int256[] memory sums = sumsOf(world, 1, 3);
        Openings.Leaf memory row = gramOpening(world, 1);
        IGramJudge.BlockOpening memory blockTwo = blockOpening(world, 2);
        vm.startPrank(coordinator);
        vm.expectPartialRevert(IDisputes.DisputesWrongSums.selector);
        disputes.openEntry(id, factsOf(world), subject, row, sums);
        sums[2] += 10;
        disputes.openEntry(id, factsOf(world), subject, row, sums);
        vm.stopPrank();
        vm.prank(challenger);
        disputes.pickSum(id, 2, sums);
        vm.expectPartialRevert(IDisputes.DisputesAnswerRefused.selector);
        disputes.openBlock(id, factsOf(world), subject, blockTwo);
        skip(ANSWER_S);
        convict(id, world);
        check(anchor.headOf(1) == 0, "rewound");
    }

    function test_ChallengerOfAGramEntryMustMove() public {
        World memory world = honest();
        anchorIt(world);
        bytes memory subject = abi.encode(uint256(0), uint256(4));
        uint256 id = open(world, Kind.Gram, subject);
        Openings.Leaf memory row = gramOpening(world, 0);
        vm.prank(coordinator);
        disputes.openEntry(id, factsOf(world), subject, row, sumsOf(world, 0, 4));
        refuseConviction(id, world, IDisputes.DisputesNotYourMove.selector);
        skip(ANSWER_S);
        disputes.abandon(id);
        check(stakes.owedTo(coordinator) == CHALLENGER_BOND, "its bond is the coordinator's");
    }

    // Clocks, windows and money.

    function test_LastSecondChallengeHoldsTheRound() public {
        World memory world = honest();
        anchorIt(world);
        (, uint256 endsAt) = anchor.finality(1);
        vm.warp(endsAt - 1);
        bytes memory subject = abi.encode(uint256(0));
        uint256 id = open(world, Kind.Coordinate, subject);
        vm.warp(endsAt);
        IDisputes.Opening memory opening = openingOf(world);
        vm.prank(challenger);
        vm.expectPartialRevert(IDisputes.DisputesTooLate.selector);
        disputes.challenge(Kind.Coordinate, opening, subject);
        check(!anchor.isFinal(world.record), "held");
        disputes.answer(id, factsOf(world), subject, coordinateAnswer(world, 0));
        check(anchor.isFinal(world.record), "free");
    }

    function test_UnansweredChallengeEndsByTheClock() public {
        World memory world = honest();
        anchorIt(world);
        bytes memory subject = abi.encode(uint256(0));
        uint256 id = open(world, Kind.Coordinate, subject);
        skip(ANSWER_S - 1);
        refuseConviction(id, world, IDisputes.DisputesWrongTime.selector);
        skip(1);
        bytes memory shown = coordinateAnswer(world, 0);
        vm.expectPartialRevert(IDisputes.DisputesWrongTime.selector);
        disputes.answer(id, factsOf(world), subject, shown);
        convict(id, world);
        refuseConviction(id, world, IDisputes.DisputesNotOpen.selector);
    }

    function test_DisputesOnOneRoundDoNotBlockEachOther() public {
        World memory world = honest();
        anchorIt(world);
        uint256 first = open(world, Kind.Coordinate, abi.encode(uint256(0)));
        uint256 second = open(world, Kind.Scores, "");
        uint256 third = open(world, Kind.Coordinate, abi.encode(uint256(1)));
        disputes.answer(second, factsOf(world), "", scoresAnswer(world));
        check(disputes.earliestDisputed() == 1, "still held");
        skip(ANSWER_S);
        convict(first, world);
        vm.expectPartialRevert(IDisputes.DisputesUnknownRecord.selector);
        disputes.convict(third, world.record, 0, world.record);
        disputes.dismiss(third);
        check(disputes.earliestDisputed() == 0, "nothing is held");
        check(stakes.owedTo(challenger) == 2 * CHALLENGER_BOND + SLASH / 5, "one reward, both bonds");
        (uint256 bond,) = stakes.bondOf(coordinator);
        check(bond == 2 * SLASH, "slashed once");
    }

    function test_ChallengingOneselfLosesMoney() public {
        World memory world = honest();
        anchorIt(world);
        IDisputes.Opening memory opening = openingOf(world);
        vm.prank(coordinator);
        uint256 id = disputes.challenge(Kind.Coordinate, opening, abi.encode(uint256(0)));
        skip(ANSWER_S);
        convict(id, world);
        // Even if every participant were the coordinator's own.
        uint256 back = stakes.owedTo(coordinator) - CHALLENGER_BOND + stakes.totals().pots;
        check(SLASH - back > uint256(PRICE) * RING, "more is lost than all the ring's rewards");
    }

    function test_AnswersOfAnotherCaseAreRefused() public {
        World memory world = honest();
        anchorIt(world);
        uint256 id = open(world, Kind.Coordinate, abi.encode(uint256(0)));
        bytes memory shown = coordinateAnswer(world, 1);
        vm.expectPartialRevert(IDisputes.DisputesOtherCase.selector);
        disputes.answer(id, factsOf(world), abi.encode(uint256(1)), shown);
    }

    function test_RewoundParticipantsAreCompensatedOnce() public {
        World memory world = honest();
        anchorIt(world);
        uint256 id = open(world, Kind.Coordinate, abi.encode(uint256(0)));
        skip(ANSWER_S);
        bytes26 parentHead = anchor.headOf(0);
        convict(id, world);
        bytes32[] memory none = new bytes32[](0);
        for (uint256 row = 0; row < N; ++row) {
            bytes32[] memory proof = contributionProof(world, row);
            disputes.compensate(1, world.record, parentHead, none, row, world.contributions[row], proof);
            check(stakes.owedTo(world.contributions[row].participant) == SLASH / 5 / N, "its share");
            vm.expectPartialRevert(IDisputes.DisputesNoCompensation.selector);
            disputes.compensate(1, world.record, parentHead, none, row, world.contributions[row], proof);
        }
        check(stakes.totals().pots == 0, "all of it");
    }

    function test_UnknownRecordsAndPlansOpenNothing() public {
        World memory world = honest();
        anchorIt(world);
        IDisputes.Opening memory opening = openingOf(world);
        opening.record.location = keccak256("other");
        vm.startPrank(challenger);
        vm.expectPartialRevert(IDisputes.DisputesUnknownRecord.selector);
        disputes.challenge(Kind.Scores, opening, "");
        opening = openingOf(world);
        opening.plan[3] = bytes32(uint256(2));
        vm.expectPartialRevert(IDisputes.DisputesUnknownRecord.selector);
        disputes.challenge(Kind.Scores, opening, "");
    }

    function test_WhatTheChainCannotSettleOpensNothing() public {
        World memory world = honest();
        anchorIt(world);
        IDisputes.Opening memory opening = openingOf(world);
        vm.startPrank(challenger);
        vm.expectPartialRevert(IDisputes.DisputesNotSettledOnChain.selector);
        disputes.challenge(Kind.Coordinate, opening, abi.encode(uint256(256)));
        vm.expectPartialRevert(IDisputes.DisputesNotSettledOnChain.selector);
        disputes.challenge(Kind.Weights, opening, abi.encode(uint256(0), uint256(1)));
        vm.expectPartialRevert(IDisputes.DisputesNotSettledOnChain.selector);
        disputes.challenge(Kind.Gram, opening, abi.encode(uint256(0), uint256(6)));
    }

    // Two records in a row.

    function test_BrokenLineageIsProvenWithoutAnAnswer() public {
        World memory world = honest();
        anchorIt(world);
        World memory next = worldOf(world.plan, N, 2);
        put(next.parentModel, 3, 4, 99);
        compute(next);
        commit(next, address(anchor), frame(2, 0));
        next.record.rewardsTotal = 2 * uint256(PRICE);
        anchorIt(next);
        IDisputes.Opening memory opening = openingOf(next);
        opening.parent = new RoundRecord[](1);
        opening.parent[0] = world.record;
        opening.grandparentHead = anchor.headOf(0);
        vm.prank(challenger);
        disputes.proveDiscontinuity(opening, next.record);
        check(anchor.headOf(2) == 0 && anchor.headOf(1) != 0, "the second is rewound");
        check(stakes.owedTo(challenger) == SLASH / 5, "the reporter is paid");
    }

    function test_WrongSeedIsProvenWithoutAnAnswer() public {
        World memory world = honest();
        world.record.seed = keccak256("ground for");
        anchorIt(world);
        IDisputes.Opening memory opening = openingOf(world);
        vm.prank(challenger);
        disputes.proveDiscontinuity(opening, world.record);
        check(anchor.headOf(1) == 0, "rewound");
    }

    function test_AContinuousRecordIsNotPunished() public {
        World memory world = honest();
        anchorIt(world);
        IDisputes.Opening memory opening = openingOf(world);
        vm.expectPartialRevert(IDisputes.DisputesContinuous.selector);
        disputes.proveDiscontinuity(opening, world.record);
    }
}
