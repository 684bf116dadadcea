// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.35;

import {RoundAnchor} from "../RoundAnchor.sol";
import {IRoundAnchor, RoundRecord} from "../interfaces/IRoundAnchor.sol";
import {Base} from "./Base.sol";

contract RoundAnchorTest is Base {
    RoundAnchor private anchor;

    function setUp() public {
        vm.warp(1_700_000_000);
        anchor = new RoundAnchor(jobOf(RING, WINDOW));
        vm.startPrank(COORDINATOR);
    }

    function anchorUpTo(uint64 round) private {
        for (uint64 each = anchor.latestRound() + 1; each <= round; ++each) {
            anchor.anchor(recordOf(each));
        }
    }

    function passWindow() private {
        skip((WINDOW + 1) * TICK);
    }

    function single(RoundRecord memory record) private pure returns (RoundRecord[] memory records) {
        records = new RoundRecord[](1);
        records[0] = record;
    }

    function refuse(RoundRecord memory record, bytes4 selector) private {
        vm.expectPartialRevert(selector);
        anchor.anchor(record);
        vm.expectPartialRevert(selector);
        anchor.anchorMany(single(record));
    }

    function test_HeadsFollowTheDocumentedFormula() public {
        check(anchor.headOf(0) == genesisHead(address(anchor)), "genesis");
        anchor.anchor(recordOf(1));
        bytes26 first = nextHead(genesisHead(address(anchor)), recordOf(1));
        check(anchor.headOf(1) == first, "head 1");
        anchor.anchorMany(single(recordOf(2)));
        check(anchor.headOf(2) == nextHead(first, recordOf(2)), "head 2");
    }

    function test_EventCarriesHeadAndRecord() public {
        RoundRecord memory record = recordOf(1);
        vm.expectEmit(true, true, false, true);
        emit IRoundAnchor.RoundAnchored(record.job, 1, nextHead(genesisHead(address(anchor)), record), record);
        anchor.anchor(record);
    }

    function test_BatchEqualsSingles() public {
        RoundAnchor other = new RoundAnchor(jobOf(RING, WINDOW));
        check(anchor.headOf(0) != other.headOf(0), "heads are bound to the contract");
        RoundRecord[] memory records = new RoundRecord[](3);
        for (uint64 i = 0; i < 3; ++i) {
            records[i] = recordOf(i + 1);
        }
        anchor.anchorMany(records);
        bytes26 head = anchor.headOf(0);
        for (uint64 i = 0; i < 3; ++i) {
            head = nextHead(head, records[i]);
            check(anchor.headOf(i + 1) == head, "batch head");
        }
        check(anchor.latestRound() == 3, "latest");
    }

    function test_ReplayedRecordIsRefused() public {
        anchorUpTo(2);
        refuse(recordOf(2), IRoundAnchor.RoundAnchorOutOfOrder.selector);
        refuse(recordOf(1), IRoundAnchor.RoundAnchorOutOfOrder.selector);
    }

    function test_ReplayAfterARingTurnIsRefused() public {
        for (uint64 round = 1; round <= 9; ++round) {
            anchorUpTo(round);
            passWindow();
        }
        for (uint64 round = 0; round <= 9; ++round) {
            refuse(recordOf(round), IRoundAnchor.RoundAnchorOutOfOrder.selector);
        }
        refuse(recordOf(11), IRoundAnchor.RoundAnchorOutOfOrder.selector);
        refuse(recordOf(13), IRoundAnchor.RoundAnchorOutOfOrder.selector);
        anchorUpTo(10);
    }

    function test_SkippedRoundIsRefused() public {
        refuse(recordOf(2), IRoundAnchor.RoundAnchorOutOfOrder.selector);
        anchorUpTo(1);
        refuse(recordOf(3), IRoundAnchor.RoundAnchorOutOfOrder.selector);
        refuse(recordOf(0), IRoundAnchor.RoundAnchorOutOfOrder.selector);
        refuse(recordOf(1 << 24), IRoundAnchor.RoundAnchorOutOfOrder.selector);
        refuse(recordOf(type(uint64).max), IRoundAnchor.RoundAnchorOutOfOrder.selector);
    }

    function testFuzz_OnlyTheNextRoundIsAccepted(uint8 done, uint64 round) public {
        uint64 latest = uint64(bound(done, 0, 9));
        for (uint64 each = 1; each <= latest; ++each) {
            anchorUpTo(each);
            passWindow();
        }
        vm.assume(round != latest + 1);
        refuse(recordOf(round), IRoundAnchor.RoundAnchorOutOfOrder.selector);
    }

    function test_ZeroRootsAreRefused() public {
        bytes4 zero = IRoundAnchor.RoundAnchorZeroRoot.selector;
        RoundRecord memory record = recordOf(1);
        record.modelRoot = 0;
        refuse(record, zero);
        record = recordOf(1);
        record.aggregateRoot = 0;
        refuse(record, zero);
        record = recordOf(1);
        record.matrixRoot = 0;
        refuse(record, zero);
        record = recordOf(1);
        record.contributionsRoot = 0;
        refuse(record, zero);
        record = recordOf(1);
        record.rewardsRoot = 0;
        refuse(record, zero);
        record.rewardsTotal = 0;
        anchor.anchor(record);
        record = recordOf(2);
        record.parentModelRoot = 0;
        refuse(record, zero);
    }

    function test_CrossJobRecordsAreRefused() public {
        RoundRecord memory record = recordOf(1);
        record.job = keccak256("other");
        refuse(record, IRoundAnchor.RoundAnchorWrongJob.selector);
        record = recordOf(1);
        record.fixedPlanHash = keccak256("other");
        refuse(record, IRoundAnchor.RoundAnchorWrongPlan.selector);
        record = recordOf(1);
        record.tensorTableRoot = keccak256("other");
        refuse(record, IRoundAnchor.RoundAnchorWrongTensorTable.selector);
        record = recordOf(1);
        record.parentModelRoot = keccak256("other");
        refuse(record, IRoundAnchor.RoundAnchorWrongParent.selector);
    }

    function test_CrossChainHeadsDiffer() public {
        bytes memory code = abi.encodePacked(type(RoundAnchor).creationCode, abi.encode(jobOf(RING, WINDOW)));
        bytes32 first = keccak256(abi.encode(block.chainid, address(anchor)));
        vm.chainId(block.chainid + 1);
        RoundAnchor twin;
        assembly ("memory-safe") {
            twin := create2(0, add(code, 0x20), mload(code), 0)
        }
        check(twin.headOf(0) == genesisHead(address(twin)), "genesis on the other chain");
        check(first != keccak256(abi.encode(block.chainid, address(anchor))), "chain id changed");
        check(twin.headOf(0) != bytes26(0), "created");
    }

    function test_SameHeadInAnotherBlockAfterAReorg() public {
        anchorUpTo(1);
        uint256 before = vm.snapshotState();
        anchor.anchor(recordOf(2));
        bytes26 head = anchor.headOf(2);
        vm.revertToState(before);
        check(anchor.headOf(2) == 0, "the block is gone");
        skip(1000);
        vm.roll(block.number + 7);
        anchor.anchor(recordOf(2));
        check(anchor.headOf(2) == head, "same head in another block at another time");
    }

    function test_RingExhaustionStopsAnchoringUntilTheWindowPasses() public {
        // The genesis has no window, so RING rounds fit.
        anchorUpTo(RING);
        refuse(recordOf(RING + 1), IRoundAnchor.RoundAnchorRingFull.selector);
        skip(WINDOW * TICK);
        refuse(recordOf(RING + 1), IRoundAnchor.RoundAnchorRingFull.selector);
        skip(TICK);
        anchorUpTo(RING + 1);
        check(anchor.headOf(1) == 0 && anchor.headOf(2) != 0, "only the oldest slot was reused");
    }

    function test_BatchCannotOvertakeItself() public {
        RoundRecord[] memory records = new RoundRecord[](RING + 1);
        for (uint64 i = 0; i <= RING; ++i) {
            records[i] = recordOf(i + 1);
        }
        vm.expectPartialRevert(IRoundAnchor.RoundAnchorRingFull.selector);
        anchor.anchorMany(records);
    }

    function test_BatchMustConnect() public {
        RoundRecord[] memory records = new RoundRecord[](2);
        records[0] = recordOf(1);
        records[1] = recordOf(3);
        vm.expectPartialRevert(IRoundAnchor.RoundAnchorOutOfOrder.selector);
        anchor.anchorMany(records);
        records[1] = recordOf(2);
        records[1].parentModelRoot = keccak256("other");
        vm.expectPartialRevert(IRoundAnchor.RoundAnchorWrongParent.selector);
        anchor.anchorMany(records);
        records[1] = recordOf(2);
        records[1].rewardsTotal = PRICE - 1;
        vm.expectPartialRevert(IRoundAnchor.RoundAnchorInvalidRewards.selector);
        anchor.anchorMany(records);
        vm.expectPartialRevert(IRoundAnchor.RoundAnchorEmptyBatch.selector);
        anchor.anchorMany(new RoundRecord[](0));
    }

    function testFuzz_RewardsAreBounded(uint256 total) public {
        RoundRecord memory record = recordOf(1);
        record.rewardsTotal = total;
        if (total > PRICE) {
            refuse(record, IRoundAnchor.RoundAnchorInvalidRewards.selector);
        } else {
            anchor.anchor(record);
        }
    }

    function test_ParticipantsAttemptAndLastRoundAreChecked() public {
        RoundRecord memory record = recordOf(1);
        record.participants = 0;
        refuse(record, IRoundAnchor.RoundAnchorNoParticipants.selector);
        record = recordOf(1);
        record.attempt = uint32(type(uint16).max) + 1;
        refuse(record, IRoundAnchor.RoundAnchorInvalidAttempt.selector);
        IRoundAnchor.Job memory job = jobOf(RING, WINDOW);
        job.maxRounds = 1;
        anchor = new RoundAnchor(job);
        anchorUpTo(1);
        refuse(recordOf(2), IRoundAnchor.RoundAnchorBeyondLastRound.selector);
    }

    function test_WrongCalldataLengthIsRefusedOrWithoutEffect() public {
        bytes memory data = abi.encodeCall(anchor.anchor, (recordOf(1)));
        check(data.length == 4 + 21 * 32, "length of the record");
        bytes memory short = new bytes(data.length - 1);
        for (uint256 i = 0; i < short.length; ++i) {
            short[i] = data[i];
        }
        (bool done,) = address(anchor).call(short);
        check(!done, "short calldata");
        (done,) = address(anchor).call(abi.encodePacked(data, bytes32(type(uint256).max)));
        check(done, "trailing bytes");
        check(anchor.headOf(1) == nextHead(anchor.headOf(0), recordOf(1)), "trailing bytes do not enter the head");
    }

    function test_DirtyHighBitsAreRefused() public {
        // Words of round, attempt, participants, updateBits and seedIndex, and the bytes each may use.
        uint8[5] memory widths = [8, 4, 4, 1, 4];
        for (uint256 field = 0; field < 5; ++field) {
            for (uint256 position = 0; position < 32 - widths[field]; ++position) {
                bytes memory data = abi.encodeCall(anchor.anchor, (recordOf(1)));
                data[4 + (1 + field) * 32 + position] = 0x01;
                (bool done,) = address(anchor).call(data);
                check(!done, "dirty bits");
            }
        }
    }

    function test_RolesAreKept() public {
        vm.stopPrank();
        RoundRecord memory record = recordOf(1);
        bytes4 unauthorized = IRoundAnchor.RoundAnchorUnauthorizedAccount.selector;
        refuse(record, unauthorized);
        vm.expectPartialRevert(unauthorized);
        anchor.setCoordinator(address(1));
        vm.expectPartialRevert(unauthorized);
        anchor.pause(1);
        vm.expectPartialRevert(unauthorized);
        anchor.resume();
        vm.expectPartialRevert(unauthorized);
        anchor.rewind(record, 0, record);
        vm.startPrank(GUARDIAN);
        vm.expectPartialRevert(unauthorized);
        anchor.rewind(record, 0, record);
        vm.expectPartialRevert(IRoundAnchor.RoundAnchorInvalidParameter.selector);
        anchor.setCoordinator(address(0));
        anchor.setCoordinator(address(0xC1));
        vm.stopPrank();
        vm.startPrank(COORDINATOR);
        vm.expectPartialRevert(unauthorized);
        anchor.anchor(record);
        vm.stopPrank();
        vm.prank(address(0xC1));
        anchor.anchor(record);
    }

    function test_PauseIsBoundedAndCannotBeRenewedAtOnce() public {
        vm.stopPrank();
        vm.startPrank(GUARDIAN);
        vm.expectPartialRevert(IRoundAnchor.RoundAnchorPauseTooLong.selector);
        anchor.pause(7 days + 1);
        anchor.pause(7 days);
        vm.expectPartialRevert(IRoundAnchor.RoundAnchorPauseTooSoon.selector);
        anchor.pause(1);
        vm.stopPrank();
        vm.startPrank(COORDINATOR);
        refuse(recordOf(1), IRoundAnchor.RoundAnchorPaused.selector);
        skip(7 days);
        anchorUpTo(1);
        vm.stopPrank();
        vm.startPrank(GUARDIAN);
        vm.expectPartialRevert(IRoundAnchor.RoundAnchorPauseTooSoon.selector);
        anchor.pause(1);
        skip(7 days);
        anchor.pause(100);
        anchor.resume();
        vm.stopPrank();
        vm.prank(COORDINATOR);
        anchor.anchor(recordOf(2));
    }

    function test_FinalityBeginsAfterTheWholeWindow() public {
        skip(5);
        RoundRecord memory record = recordOf(1);
        anchor.anchor(record);
        uint256 anchoredAt = time();
        (bool anchored, uint256 finalAt) = anchor.finality(1);
        check(anchored && finalAt >= anchoredAt + WINDOW * TICK, "the window is never shorter than said");
        vm.warp(finalAt - 1);
        check(!anchor.isFinal(record), "a second too early");
        vm.warp(finalAt);
        check(anchor.isFinal(record), "final");
        record.location = keccak256("other");
        check(!anchor.isFinal(record), "another record");
        check(!anchor.isFinal(recordOf(0)) && !anchor.isFinal(recordOf(2)), "rounds that are not there");
    }

    function test_RewindTakesBackAndRaisesTheAttempt() public {
        anchorUpTo(3);
        vm.stopPrank();
        RoundRecord memory second = recordOf(2);
        (bytes26 head0, bytes26 head1, bytes26 head2) = (anchor.headOf(0), anchor.headOf(1), anchor.headOf(2));
        vm.startPrank(ARBITER);
        vm.expectPartialRevert(IRoundAnchor.RoundAnchorUnknownRecord.selector);
        anchor.rewind(second, head1, recordOf(2));
        vm.expectPartialRevert(IRoundAnchor.RoundAnchorUnknownRecord.selector);
        anchor.rewind(second, head0, recordOf(3));
        vm.expectPartialRevert(IRoundAnchor.RoundAnchorUnknownRecord.selector);
        anchor.rewind(recordOf(3), head2, recordOf(2));
        anchor.rewind(second, head1, recordOf(3));
        vm.stopPrank();
        check(anchor.latestRound() == 1 && anchor.minAttempt() == 1, "state after the rewind");
        vm.startPrank(COORDINATOR);
        refuse(second, IRoundAnchor.RoundAnchorInvalidAttempt.selector);
        refuse(recordOf(3), IRoundAnchor.RoundAnchorOutOfOrder.selector);
        passWindow();
        check(anchor.isFinal(recordOf(1)) && !anchor.isFinal(second) && !anchor.isFinal(recordOf(3)), "finality");
        second.attempt = 1;
        anchor.anchor(second);
    }

    function test_RewindOfAFinalRoundIsRefused() public {
        anchorUpTo(2);
        passWindow();
        vm.stopPrank();
        vm.startPrank(ARBITER);
        bytes26 head1 = anchor.headOf(1);
        vm.expectPartialRevert(IRoundAnchor.RoundAnchorFinal.selector);
        anchor.rewind(recordOf(2), head1, recordOf(2));
    }

    function test_RewindRestoresAParentWhoseSlotWasReused() public {
        anchorUpTo(1);
        passWindow();
        bytes26 head1 = anchor.headOf(1);
        // Rounds 2 to 5 run a whole ring ahead: round 5 lies where round 1 lay.
        anchorUpTo(1 + RING);
        check(anchor.headOf(1) == 0, "slot reused");
        vm.stopPrank();
        vm.prank(ARBITER);
        anchor.rewind(recordOf(2), head1, recordOf(1 + RING));
        check(anchor.headOf(1) == head1 && anchor.latestRound() == 1, "parent restored");
        RoundRecord memory second = recordOf(2);
        second.attempt = 1;
        vm.prank(COORDINATOR);
        anchor.anchor(second);
        check(anchor.headOf(2) == nextHead(head1, second), "continues from the parent");
    }

    function test_NoChainStartsAgainFromAClearedGenesisSlot() public {
        anchorUpTo(3);
        passWindow();
        bytes26 head3 = anchor.headOf(3);
        anchorUpTo(4);
        vm.stopPrank();
        vm.prank(ARBITER);
        anchor.rewind(recordOf(4), head3, recordOf(4));
        // Slot 0, once the genesis's, is empty now; an empty slot must not pass for round 0.
        vm.startPrank(COORDINATOR);
        RoundRecord memory first = recordOf(1);
        first.attempt = 1;
        refuse(first, IRoundAnchor.RoundAnchorOutOfOrder.selector);
    }

    function test_ClockRunsOut() public {
        skip((uint256(1) << 24) * TICK - 1);
        anchorUpTo(1);
        skip(1);
        refuse(recordOf(2), IRoundAnchor.RoundAnchorClockExhausted.selector);
        passWindow();
        check(anchor.isFinal(recordOf(1)), "finality does not need the ring's clock");
    }

    function test_ConstructorBounds() public {
        IRoundAnchor.Job memory job = jobOf(1, WINDOW);
        vm.expectPartialRevert(IRoundAnchor.RoundAnchorInvalidParameter.selector);
        new RoundAnchor(job);
        job = jobOf(1025, WINDOW);
        vm.expectPartialRevert(IRoundAnchor.RoundAnchorInvalidParameter.selector);
        new RoundAnchor(job);
        job = jobOf(RING, WINDOW);
        job.coordinator = address(0);
        vm.expectPartialRevert(IRoundAnchor.RoundAnchorInvalidParameter.selector);
        new RoundAnchor(job);
        job = jobOf(RING, WINDOW);
        job.genesisModelRoot = 0;
        vm.expectPartialRevert(IRoundAnchor.RoundAnchorInvalidParameter.selector);
        new RoundAnchor(job);
    }
}
