// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.35;

import {RoundAnchor} from "../RoundAnchor.sol";
import {RoundRecord} from "../interfaces/IRoundAnchor.sol";
import {Base} from "./Base.sol";

/// @dev Drives a RoundAnchor at random and keeps its own books of what must be true.
contract AnchorHandler is Base {
    RoundAnchor public immutable anchor;
    uint256 public immutable startedAt;

    uint64 public latest;
    uint32 public attempt;
    mapping(uint64 round => RoundRecord) private _records;
    mapping(uint64 round => bytes26) public heads;
    mapping(uint64 round => uint256) public anchoredAtTick;
    RoundRecord[] private _rewound;

    constructor() {
        anchor = new RoundAnchor(jobOf(RING, WINDOW));
        startedAt = time();
        heads[0] = genesisHead(address(anchor));
    }

    function recordAt(uint64 round) external view returns (RoundRecord memory) {
        return _records[round];
    }

    function rewoundCount() external view returns (uint256) {
        return _rewound.length;
    }

    function rewoundAt(uint256 index) external view returns (RoundRecord memory) {
        return _rewound[index];
    }

    function nowTick() public view returns (uint256) {
        return (time() - startedAt) / TICK;
    }

    function windowHasPassed(uint64 round) public view returns (bool) {
        return nowTick() > anchoredAtTick[round] + WINDOW;
    }

    function warp(uint16 duration) external {
        skip(bound(duration, 0, 2 * (WINDOW + 1) * TICK));
    }

    function anchorNext(uint8 variant) external {
        _tryAnchor(latest + 1, attempt, variant);
    }

    function anchorBatch(uint8 count, uint8 variant) external {
        uint64 rounds = uint64(bound(count, 1, RING + 1));
        RoundRecord[] memory records = new RoundRecord[](rounds);
        // The batch fits if no round it pushes out of the ring is in its window, those of the batch included.
        bool fits = rounds <= RING || latest + rounds - RING == 0;
        for (uint64 i = 0; i < rounds; ++i) {
            records[i] = _make(latest + 1 + i, attempt, variant);
            if (!_slotIsFree(latest + 1 + i)) fits = false;
        }
        vm.prank(COORDINATOR);
        try anchor.anchorMany(records) {
            check(fits, "I3: a batch recycled a slot in its window");
            for (uint64 i = 0; i < rounds; ++i) {
                _book(records[i]);
            }
        } catch {
            check(!fits, "a good batch was refused");
        }
    }

    function anchorOutOfOrder(uint64 round, bool near) external {
        if (near) round = uint64(bound(round, 0, uint256(latest) + 2 * RING));
        if (round == latest + 1) return;
        vm.prank(COORDINATOR);
        try anchor.anchor(_make(round, attempt, 0)) {
            check(false, "I3: a round out of order was anchored");
        } catch {}
    }

    function rewind(uint8 depth) external {
        if (latest == 0) return;
        uint64 count = uint64(bound(depth, 1, latest < RING ? latest : RING));
        uint64 first = latest - count + 1;
        vm.prank(ARBITER);
        try anchor.rewind(_records[first], heads[first - 1], _records[latest]) {
            check(!windowHasPassed(first), "I10: a final round was rewound");
            for (uint64 round = first; round <= latest; ++round) {
                _rewound.push(_records[round]);
                delete _records[round];
                delete heads[round];
            }
            latest = first - 1;
            ++attempt;
        } catch {
            check(windowHasPassed(first), "a round in its window could not be rewound");
        }
    }

    /// @dev What was taken back comes again as it was, from the coordinator itself.
    function anchorRewound(uint256 which) external {
        if (_rewound.length == 0) return;
        RoundRecord memory record = _rewound[which % _rewound.length];
        vm.prank(COORDINATOR);
        try anchor.anchor(record) {
            check(false, "a rewound record was anchored again with its old attempt");
        } catch {}
    }

    function _tryAnchor(uint64 round, uint32 attempt_, uint8 variant) private {
        RoundRecord memory record = _make(round, attempt_, variant);
        bool fits = _slotIsFree(round);
        vm.prank(COORDINATOR);
        try anchor.anchor(record) {
            check(fits, "I3: a slot in its window was recycled");
            _book(record);
        } catch {
            check(!fits, "a good record was refused");
        }
    }

    function _slotIsFree(uint64 round) private view returns (bool) {
        if (round <= RING) return true;
        uint64 held = round - RING;
        return held <= latest ? windowHasPassed(held) : false;
    }

    function _make(uint64 round, uint32 attempt_, uint8 variant) private pure returns (RoundRecord memory record) {
        record = recordOf(round);
        record.attempt = attempt_;
        record.location = keccak256(abi.encode(variant, attempt_));
        if (round == 0) record.parentModelRoot = modelRoot(0);
    }

    function _book(RoundRecord memory record) private {
        latest = record.round;
        _records[latest] = record;
        heads[latest] = nextHead(heads[latest - 1], record);
        anchoredAtTick[latest] = nowTick();
    }
}

contract AnchorInvariants is Base {
    AnchorHandler private handler;
    RoundAnchor private anchor;

    function setUp() public {
        vm.warp(1_700_000_000);
        handler = new AnchorHandler();
        anchor = handler.anchor();
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    /// @dev I3: rounds are sequential, and every round in its window keeps its slot.
    function invariant_I3_SequentialAndNothingLostInItsWindow() public view {
        uint64 latest = handler.latest();
        check(anchor.latestRound() == latest || latest == 0, "I3: latest round");
        check(anchor.headOf(latest) == handler.heads(latest), "I3: head of the latest round");
        check(anchor.headOf(latest + 1) == 0, "I3: nothing after the latest round");
        for (uint64 round = latest; round > 0 && round + 2 * RING > latest; --round) {
            bytes26 held = anchor.headOf(round);
            check(held == handler.heads(round) || held == 0, "I3: a foreign head");
            if (!handler.windowHasPassed(round)) check(held != 0, "I3: a slot was recycled in its window");
        }
    }

    /// @dev I10, the window's part: nothing is final before its window has passed, and nothing that was taken back.
    function invariant_I10_FinalOnlyAfterTheWindow() public view {
        uint64 latest = handler.latest();
        for (uint64 round = latest; round > 0 && round + RING > latest; --round) {
            RoundRecord memory record = handler.recordAt(round);
            bool isFinal = anchor.isFinal(record);
            if (isFinal) check(handler.windowHasPassed(round), "I10: final in its window");
            // The contract needs the head before to recognize a record.
            bool isRemembered = anchor.headOf(round) != 0 && anchor.headOf(round - 1) != 0;
            if (isRemembered && handler.windowHasPassed(round)) check(isFinal, "a past window does not make final");
            record.seed = keccak256("another");
            check(!anchor.isFinal(record), "I10: another record is final");
        }
        uint256 rewound = handler.rewoundCount();
        for (uint256 i = rewound > 8 ? rewound - 8 : 0; i < rewound; ++i) {
            check(!anchor.isFinal(handler.rewoundAt(i)), "I4: a rewound record is final");
        }
    }
}
