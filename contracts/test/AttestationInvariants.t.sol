// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.35;

import {RoundRecord} from "../interfaces/IRoundAnchor.sol";
import {SignedData} from "../lib/SignedData.sol";
import {Court} from "./Court.sol";

/// @dev Drives a job whose rounds need attestations at random, and keeps its own books of who has signed what.
contract AttestationHandler is Court {
    uint256 public constant N = 5;
    uint256 public constant QUORUM = 3;

    uint64 public latest;
    uint64 public heldFrom;
    mapping(uint64 round => RoundRecord) private _records;
    mapping(uint64 round => bytes26) public heads;
    mapping(uint64 round => uint256) public anchoredAt;
    mapping(bytes26 head => bool) public isAttested;
    bytes32 private _planHash;
    bytes private _lastPacked;
    uint64 private _lastRound;
    bytes26 private _lastHead;

    constructor() {
        quorum = QUORUM;
        bytes32[] memory plan_ = plan("TrMean", "{}", 1, "FedAvg", 0);
        _planHash = keccak256(abi.encodePacked(plan_));
        build(plan_, N);
        stakes.publishRoster();
        heads[0] = anchor.headOf(0);
    }

    function isFinal(uint64 round) external view returns (bool) {
        return anchor.isFinal(_records[round]);
    }

    function isRemembered(uint64 round) external view returns (bool) {
        return anchor.headOf(round) != 0 && anchor.headOf(round - 1) != 0;
    }

    function warp(uint16 duration) external {
        skip(bound(duration, 0, 8 * TICK));
    }

    function anchorNext(uint8 variant) external {
        RoundRecord memory record = recordOf(latest + 1);
        (record.fixedPlanHash, record.tensorTableRoot) = (_planHash, courtTensors());
        if (latest == 0) record.parentModelRoot = courtGenesis();
        record.attempt = anchor.minAttempt();
        record.location = keccak256(abi.encode(variant));
        vm.prank(coordinator);
        try anchor.anchor(record) {
            ++latest;
            _records[latest] = record;
            heads[latest] = anchor.headOf(latest);
            anchoredAt[latest] = time();
        } catch {}
    }

    /// @dev Any participants over any round's head, too few of them at times, or over a head that is none.
    function attest(uint8 which, uint8 who, bool forged) external {
        if (latest == 0) return;
        uint64 round = uint64(bound(which, latest > RING ? latest - RING : 1, latest));
        bytes26 head = forged ? bytes26(uint208(which) + 1) : heads[round];
        bytes memory packed = _signed(round, head, who);
        try anchor.finalize(round, head, packed) {
            check(!forged && _count(who) >= QUORUM, "I10: too few attestations sufficed");
            // Who signs a head has recomputed everything before it.
            for (uint64 each = round; each > 0 && !isAttested[heads[each]]; --each) {
                isAttested[heads[each]] = true;
            }
            (_lastPacked, _lastRound, _lastHead) = (packed, round, head);
        } catch {}
    }

    /// @dev What was enough before a rewind is shown again after it.
    function replay() external {
        if (_lastRound == 0) return;
        try anchor.finalize(_lastRound, _lastHead, _lastPacked) {
            check(heads[_lastRound] == _lastHead && _lastRound <= latest, "I10: attestations of a rewound head count");
        } catch {}
    }

    function rewindUnattested() external {
        (uint64 attested,,) = anchor.progress();
        uint64 first = attested + 1;
        if (first > latest) return;
        (RoundRecord memory record, RoundRecord memory last) = (_records[first], _records[latest]);
        (, uint256 endsAt) = anchor.finality(first);
        try anchor.rewindUnattested(record, heads[first - 1], last) {
            check(time() >= endsAt + 10 * TICK, "rewound before its time");
            latest = attested;
        } catch {
            check(time() < endsAt + 10 * TICK, "an unattested round stays");
        }
    }

    function hold(uint8 which) external {
        heldFrom = latest == 0 || which % 2 == 0 ? 0 : uint64(bound(which, latest > 2 ? latest - 2 : 1, latest));
        vm.prank(address(disputes));
        anchor.hold(heldFrom);
    }

    function rewind(uint8 depth) external {
        if (latest == 0) return;
        uint64 first = latest - uint64(bound(depth, 0, latest < RING ? latest - 1 : RING - 1));
        (RoundRecord memory record, RoundRecord memory last) = (_records[first], _records[latest]);
        bool wasFinal = anchor.isFinal(record);
        vm.prank(address(disputes));
        try anchor.rewind(record, heads[first - 1], last) {
            check(!wasFinal, "I10: a final round was rewound");
            latest = first - 1;
        } catch {}
    }

    function _signed(uint64 round, bytes26 head, uint8 who) private view returns (bytes memory packed) {
        bytes32 digest = SignedData.digest(address(anchor), SignedData.hashAttestation(keccak256("job"), round, head));
        // The roster's order is the order in which they have staked.
        uint256[] memory all = keysOf(N);
        for (uint256 i = 0; i < N; ++i) {
            if (who >> i & 1 == 0) continue;
            (uint8 v, bytes32 r, bytes32 s) = keys.sign(all[i], digest);
            packed = bytes.concat(packed, abi.encodePacked(uint16(i), r, uint256(s) | uint256(v - 27) << 255));
        }
    }

    function _count(uint8 who) private pure returns (uint256 count) {
        for (uint256 i = 0; i < N; ++i) {
            count += who >> i & 1;
        }
    }
}

contract AttestationInvariants is Court {
    AttestationHandler private handler;

    function setUp() public {
        handler = new AttestationHandler();
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    /// @dev I10: final is what has its window behind it, enough signatures over its head or a later one, and no dispute.
    function invariant_I10_FinalNeedsWindowAttestationsAndPeace() public view {
        uint64 latest = handler.latest();
        for (uint64 round = latest; round > 0 && round + RING > latest; --round) {
            bool attested = handler.isAttested(handler.heads(round));
            bool past = time() >= handler.anchoredAt(round) + WINDOW * TICK;
            bool free = handler.heldFrom() == 0 || round < handler.heldFrom();
            if (handler.isFinal(round)) {
                check(past, "I10: final in its window");
                check(attested, "I10: final without attestations");
                check(free, "I10: final while held");
            } else if (handler.isRemembered(round)) {
                // A tick begins at most 16 seconds before it is over.
                bool over = time() >= handler.anchoredAt(round) + (WINDOW + 1) * TICK;
                check(!over || !attested || !free, "nothing is missing, and it is not final");
            }
        }
    }
}
