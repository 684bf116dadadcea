// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.35;

import {IDisputes} from "../interfaces/IDisputes.sol";
import {Kind} from "../interfaces/IJudge.sol";
import {IRoundAnchor, RoundRecord} from "../interfaces/IRoundAnchor.sol";
import {FixedPoint} from "../lib/FixedPoint.sol";
import {Openings} from "../lib/Openings.sol";
import {Court} from "./Court.sol";

/// @dev Pitfalls that concern several contracts at once; the others stand with the contract they are of.
contract PitfallsTest is Court {
    uint256 private constant N = 5;
    bytes32[] private thePlan;

    /// @dev 1,025 blocks: dividing an entry of the Gram matrix takes three levels, 32 x 32 x 2.
    uint256 private many;

    function courtBlocks() internal view override returns (uint256) {
        return many == 0 ? BLOCKS : many;
    }

    function setUp() public {
        thePlan = plan("TrMean", "{}", 1, "FedAvg", 0);
        build(thePlan, N);
    }

    function honest() private view returns (World memory world) {
        world = worldOf(thePlan, N, 1);
        compute(world);
        commit(world, address(anchor), frame(1, 0));
    }

    /// @dev A copy: structs in memory are references.
    function copyOf(World memory world, uint64 round) private pure returns (RoundRecord memory record) {
        record = abi.decode(abi.encode(world.record), (RoundRecord));
        record.round = round;
    }

    function follow(World memory world, uint64 round) private returns (RoundRecord memory record) {
        record = copyOf(world, round);
        vm.prank(coordinator);
        anchor.anchor(record);
    }

    /// @dev Work goes on beside a dispute, until the ring is full; the disputed slot waits, however late it gets.
    function test_Pitfall_AnchoringDuringADispute() public {
        World memory world = honest();
        anchorIt(world);
        uint256 id = open(world, Kind.Coordinate, abi.encode(uint256(0)));
        bytes26 head = anchor.headOf(1);
        skip((WINDOW + 1) * TICK);
        for (uint64 round = 2; round <= RING; ++round) {
            follow(world, round);
        }
        skip((WINDOW + 1) * TICK);
        RoundRecord memory beyond = copyOf(world, RING + 1);
        vm.expectRevert(abi.encodeWithSelector(IRoundAnchor.RoundAnchorRingFull.selector, RING + 1, 1));
        vm.prank(coordinator);
        anchor.anchor(beyond);
        check(anchor.headOf(1) == head, "the disputed slot waits");
        check(!anchor.isFinal(world.record), "what is disputed is not final");
        disputes.answer(id, factsOf(world), abi.encode(uint256(0)), coordinateAnswer(world, 0));
        vm.prank(coordinator);
        anchor.anchor(beyond);
        check(anchor.headOf(RING + 1) != 0, "and is free when the dispute is over");
    }

    /// @dev The same, lost: what was anchored meanwhile goes with the round it was built on.
    function test_Pitfall_AnchoringDuringADisputeThatIsLost() public {
        World memory world = honest();
        anchorIt(world);
        uint256 id = open(world, Kind.Coordinate, abi.encode(uint256(0)));
        RoundRecord memory last = follow(world, 2);
        bytes26 parentHead = anchor.headOf(0);
        skip(ANSWER_S);
        disputes.convict(id, world.record, parentHead, last);
        check(anchor.headOf(1) == 0 && anchor.headOf(2) == 0 && anchor.latestRound() == 0, "both are gone");
        check(anchor.minAttempt() == 1, "the next attempt");
    }

    /**
     * @dev The longest dispute there is: both sides wait until the last second of each move. It ends within the time for
     * which stakes are bound, and no stake is free before.
     */
    function test_Pitfall_NoDisputeIsPerpetual() public {
        many = 1025;
        build(thePlan, N);
        World memory world = honest();
        anchorIt(world);
        (, uint256 windowEndsAt) = anchor.finality(1);
        address participant = keys.addr(keysOf(N)[0]);
        vm.prank(participant);
        stakes.requestExit();
        vm.warp(windowEndsAt - 1);
        bytes memory subject = abi.encode(uint256(1), uint256(3));
        uint256 id = open(world, Kind.Gram, subject);
        uint256 openedAt = time();

        Openings.Leaf memory row = gramOpening(world, 1);
        skip(ANSWER_S - 1);
        vm.prank(coordinator);
        disputes.openEntry(id, factsOf(world), subject, row, partsOf(entryOf(world), 2));
        uint256 moves = 1;
        for (uint256 parts = 2; moves < 7; moves += 2) {
            int256[] memory sums = partsOf(disputes.bisectionOf(id).expected, parts);
            skip(ANSWER_S - 1);
            vm.prank(challenger);
            disputes.pickSum(id, 0, sums);
            parts = 32;
            IDisputes.Bisection memory bisection = disputes.bisectionOf(id);
            if (bisection.span == 1) break;
            skip(ANSWER_S - 1);
            vm.prank(coordinator);
            disputes.postSums(id, partsOf(bisection.expected, parts));
        }
        check(disputes.bisectionOf(id).span == 1, "one block is left");
        vm.expectPartialRevert(IDisputes.DisputesNotYourMove.selector);
        vm.prank(coordinator);
        disputes.postSums(id, new int256[](1));
        skip(ANSWER_S);
        convict(id, world);
        check(time() - openedAt <= 9 * uint256(ANSWER_S), "within what stakes are bound for");
        (,, uint256 requestedAt) = stakes.stakeOf(participant);
        check(time() < requestedAt + stakes.exitDelay(), "no stake is free before");
    }

    function entryOf(World memory world) private pure returns (int256) {
        return world.gram[1 * (N + 1) + 3];
    }

    function partsOf(int256 total, uint256 count) private pure returns (int256[] memory sums) {
        sums = new int256[](count);
        sums[0] = total;
    }

    /// @dev A round that was answered for may be doubted again, but not for ever: its window does not move.
    function test_Pitfall_RepeatedChallengesEndWithTheWindow() public {
        World memory world = honest();
        anchorIt(world);
        bytes memory subject = abi.encode(uint256(0));
        (, uint256 endsAt) = anchor.finality(1);
        uint256 paid = 0;
        for (; time() < endsAt; ++paid) {
            uint256 id = open(world, Kind.Coordinate, subject);
            disputes.answer(id, factsOf(world), subject, coordinateAnswer(world, 0));
            skip(TICK);
        }
        check(paid == 4 && stakes.owedTo(coordinator) == 4 * uint256(CHALLENGER_BOND), "each costs a bond");
        IDisputes.Opening memory opening = openingOf(world);
        vm.expectPartialRevert(IDisputes.DisputesTooLate.selector);
        vm.prank(challenger);
        disputes.challenge(Kind.Coordinate, opening, subject);
        check(anchor.isFinal(world.record), "final when it was announced");
    }

    /// @dev A coordinator that has lost, or withholds, the data cannot answer: anyone convicts it by the record alone.
    function test_Pitfall_UnavailableDataLosesTheDispute() public {
        World memory world = honest();
        anchorIt(world);
        uint256 id = open(world, Kind.Coordinate, abi.encode(uint256(7)));
        bytes memory nothing = coordinateAnswer(world, 64);
        vm.expectPartialRevert(IDisputes.DisputesAnswerRefused.selector);
        disputes.answer(id, factsOf(world), abi.encode(uint256(7)), nothing);
        skip(ANSWER_S);
        vm.prank(address(0xA11));
        this.convictAsAnyone(id, world);
        check(anchor.headOf(1) == 0, "rewound");
        check(stakes.owedTo(challenger) > CHALLENGER_BOND, "the challenger is paid, whoever sends it");
    }

    function convictAsAnyone(uint256 id, World memory world) external {
        convict(id, world);
    }

    /// @dev Solidity's division truncates towards zero: of -1.5 it would make -1, and of -0.5 nothing.
    function test_Pitfall_SignedDivisionRoundsDown() public pure {
        check(int256(-3) / 2 == -1 && FixedPoint.floorDiv(-3, 2) == -2, "down, not towards zero");
        check(FixedPoint.floorDiv(-4, 2) == -2 && FixedPoint.floorDiv(3, 2) == 1, "exact and positive ones as ever");
        check(FixedPoint.roundDiv(-3, 2) == -1 && FixedPoint.roundDiv(3, 2) == 2, "halves upwards");
        check(FixedPoint.roundDiv(-1, 2) == 0 && FixedPoint.roundDiv(-2, 3) == -1, "to nearest");
    }
}
