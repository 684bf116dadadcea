// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.35;

import {IDisputes} from "../interfaces/IDisputes.sol";
import {Kind} from "../interfaces/IJudge.sol";
import {Apportionment} from "../lib/Apportionment.sol";
import {FixedPoint} from "../lib/FixedPoint.sol";
import {Selections} from "../lib/Selections.sol";
import {Court} from "./Court.sol";

/// @dev What every job with weights is tested for: what is right is answered, wrong weights are not.
abstract contract WeightedRuleTest is Court {
    uint256 internal constant N = 7;

    function thePlan() internal pure virtual returns (bytes32[] memory);

    function weigh(World memory world) internal pure virtual;

    /// @dev Makes the weights such as favour row `row`, and returns the subject that shows it.
    function cheat(World memory world) internal pure virtual returns (bytes memory subject);

    function setUp() public {
        build(thePlan(), N);
    }

    function made(bool honest) internal view returns (World memory world, bytes memory subject) {
        world = worldOf(thePlan(), N, 3);
        world.gram = gramOf_(world);
        weigh(world);
        if (!honest) subject = cheat(world);
        compute(world);
        commit(world, address(anchor), frame(1, 0));
    }

    /// @dev The Gram matrix of the updates alone: the aggregate is not known before the weights.
    function gramOf_(World memory world) private pure returns (int256[] memory) {
        world.aggregate = new bytes(COORDINATES * 4);
        return gramOf(world);
    }

    function test_CoordinatesAndScoresAreAnswered() public {
        (World memory world,) = made(true);
        anchorIt(world);
        bytes memory subject = abi.encode(uint256(150));
        uint256 id = open(world, Kind.Coordinate, subject);
        disputes.answer(id, factsOf(world), subject, coordinateAnswer(world, 150));
        id = open(world, Kind.Scores, "");
        disputes.answer(id, factsOf(world), "", scoresAnswer(world));
    }

    function test_WeightsAreAnsweredWhateverPairIsNamed() public {
        (World memory world,) = made(true);
        anchorIt(world);
        for (uint256 better = 0; better < N; ++better) {
            bytes memory subject = abi.encode((better + 3) % N, better);
            uint256 id = open(world, Kind.Weights, subject);
            disputes.answer(id, factsOf(world), subject, weightsAnswer(world));
        }
        check(stakes.owedTo(coordinator) == N * CHALLENGER_BOND, "every bond");
    }

    function test_WrongWeightsLose() public {
        (World memory world, bytes memory subject) = made(false);
        anchorIt(world);
        uint256 id = open(world, Kind.Weights, subject);
        bytes memory shown = weightsAnswer(world);
        vm.expectPartialRevert(IDisputes.DisputesAnswerRefused.selector);
        disputes.answer(id, factsOf(world), subject, shown);
        skip(ANSWER_S);
        convict(id, world);
        check(anchor.headOf(1) == 0, "rewound");
    }

    /// @dev The aggregate follows from the weights of the record, so a lie in it shows at a coordinate.
    function test_WrongCombinationLoses() public {
        (World memory world,) = made(true);
        put(world.aggregate, 64, 4, FixedPoint.int32At(world.aggregate, 64) - 1);
        stepAt(world, 64);
        commit(world, address(anchor), frame(1, 0));
        anchorIt(world);
        bytes memory subject = abi.encode(uint256(64));
        uint256 id = open(world, Kind.Coordinate, subject);
        bytes memory shown = coordinateAnswer(world, 64);
        vm.expectPartialRevert(IDisputes.DisputesAnswerRefused.selector);
        disputes.answer(id, factsOf(world), subject, shown);
    }

    /// @dev Weights of a selection: by the rule's own order, the best of them equally.
    function select(World memory world, uint256 skipBest) internal pure returns (uint256 dropped, uint256 taken) {
        Selections.Selection memory selection = Selections.read(world.plan, N);
        uint256[] memory order = new uint256[](N);
        for (uint256 i = 0; i < N; ++i) {
            order[i] = i;
            for (uint256 j = i; j > 0 && Selections.precedes(selection, world.gram, N, order[j], order[j - 1]); --j) {
                (order[j], order[j - 1]) = (order[j - 1], order[j]);
            }
        }
        uint256[] memory chosen = new uint256[](N);
        for (uint256 i = skipBest; i < selection.count + skipBest; ++i) {
            chosen[order[i]] = 1;
        }
        world.weights = Apportionment.split(chosen, uint256(FixedPoint.WEIGHT_ONE));
        return (order[0], order[selection.count]);
    }
}

contract KrumDisputesTest is WeightedRuleTest {
    function thePlan() internal pure override returns (bytes32[] memory) {
        return plan("Krum", '{"neighbours":"byzfl"}', 2, "FedAvg", 0);
    }

    function weigh(World memory world) internal pure override {
        select(world, 0);
    }

    function cheat(World memory world) internal pure override returns (bytes memory) {
        (uint256 dropped, uint256 taken) = select(world, 1);
        return abi.encode(taken, dropped);
    }
}

contract MultiKrumDisputesTest is WeightedRuleTest {
    function thePlan() internal pure override returns (bytes32[] memory) {
        return plan("MultiKrum", '{"m":3,"neighbours":"original"}', 2, "FedAvgM", 58_982);
    }

    function weigh(World memory world) internal pure override {
        select(world, 0);
    }

    function cheat(World memory world) internal pure override returns (bytes memory) {
        (uint256 dropped, uint256 taken) = select(world, 1);
        return abi.encode(taken, dropped);
    }

    /// @dev Two selected of which one was to be: caught by any pair.
    function test_OneTooManyLoses() public {
        (World memory world,) = made(true);
        uint256[] memory chosen = new uint256[](N);
        for (uint256 i = 0; i < N; ++i) {
            chosen[i] = i < 4 ? 1 : 0;
        }
        world.weights = Apportionment.split(chosen, uint256(FixedPoint.WEIGHT_ONE));
        commit(world, address(anchor), frame(1, 0));
        anchorIt(world);
        bytes memory subject = abi.encode(uint256(0), uint256(0));
        uint256 id = open(world, Kind.Weights, subject);
        bytes memory shown = weightsAnswer(world);
        vm.expectPartialRevert(IDisputes.DisputesAnswerRefused.selector);
        disputes.answer(id, factsOf(world), subject, shown);
    }

    /// @dev FedAvgM: a wrong momentum shows at its coordinate.
    function test_WrongServerStateLoses() public {
        (World memory world,) = made(true);
        put(world.state, 7, 4, FixedPoint.int32At(world.state, 7) + 1);
        commit(world, address(anchor), frame(1, 0));
        anchorIt(world);
        bytes memory subject = abi.encode(uint256(7));
        uint256 id = open(world, Kind.Coordinate, subject);
        bytes memory shown = coordinateAnswer(world, 7);
        vm.expectPartialRevert(IDisputes.DisputesAnswerRefused.selector);
        disputes.answer(id, factsOf(world), subject, shown);
    }
}

contract NormDisputesTest is WeightedRuleTest {
    function thePlan() internal pure override returns (bytes32[] memory) {
        return plan("CGE", "{}", 3, "FedAvg", 0);
    }

    function weigh(World memory world) internal pure override {
        select(world, 0);
    }

    function cheat(World memory world) internal pure override returns (bytes memory) {
        (uint256 dropped, uint256 taken) = select(world, 1);
        return abi.encode(taken, dropped);
    }
}

contract MonnaDisputesTest is WeightedRuleTest {
    function thePlan() internal pure override returns (bytes32[] memory) {
        return plan("MoNNA", '{"idx":2}', 2, "FedAvg", 0);
    }

    function weigh(World memory world) internal pure override {
        select(world, 0);
    }

    function cheat(World memory world) internal pure override returns (bytes memory) {
        (uint256 dropped, uint256 taken) = select(world, 1);
        return abi.encode(taken, dropped);
    }
}

contract AverageDisputesTest is WeightedRuleTest {
    function thePlan() internal pure override returns (bytes32[] memory) {
        return plan("Average", "{}", 0, "FedAvg", 0);
    }

    function weigh(World memory world) internal pure override {
        uint256[] memory samples = new uint256[](N);
        for (uint256 i = 0; i < N; ++i) {
            uint256 stated = 300 * (i + 1);
            samples[i] = stated < SAMPLE_CAP ? stated : SAMPLE_CAP;
        }
        world.weights = Apportionment.split(samples, uint256(FixedPoint.WEIGHT_ONE));
    }

    /// @dev As if nothing were capped.
    function cheat(World memory world) internal pure override returns (bytes memory) {
        uint256[] memory samples = new uint256[](N);
        for (uint256 i = 0; i < N; ++i) {
            samples[i] = 300 * (i + 1);
        }
        world.weights = Apportionment.split(samples, uint256(FixedPoint.WEIGHT_ONE));
        return "";
    }
}
