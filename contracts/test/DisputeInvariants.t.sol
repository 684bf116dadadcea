// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.35;

import {IDisputes} from "../interfaces/IDisputes.sol";
import {Facts, Kind} from "../interfaces/IJudge.sol";
import {RoundRecord} from "../interfaces/IRoundAnchor.sol";
import {IStakeManager} from "../interfaces/IStakeManager.sol";
import {FixedPoint} from "../lib/FixedPoint.sol";
import {SignedData} from "../lib/SignedData.sol";
import {Court} from "./Court.sol";

/// @dev Drives a job at random: true and false rounds, disputes by anyone, participants that come, go and equivocate.
contract DisputeHandler is Court {
    uint256 public constant N = 5;
    uint256 private constant LIE_AT = 70;
    uint256 private constant MOST_OPEN = 8;

    struct Case {
        uint256 id;
        uint64 round;
        bytes26 head;
        bool lie;
        bytes subject;
        uint256 deadline;
    }

    uint64 public latest;
    uint32 public attempt;
    uint256 public convictions;
    uint256 public minted;
    mapping(uint64 round => bytes26) private heads;
    bytes[2] private worlds;
    bytes32[] private thePlan;
    Case[] private open_;
    mapping(uint64 round => RoundRecord) private records;
    mapping(uint64 round => bool) private isLie;
    mapping(uint64 round => bytes26) public finalHeads;
    uint256 private equivocations;

    constructor() {
        thePlan = plan("TrMean", "{}", 1, "FedAvg", 0);
        build(thePlan, N);
        for (uint256 i = 0; i < 2; ++i) {
            World memory world = worldOf(thePlan, N, 1);
            compute(world);
            if (i == 1) {
                put(world.aggregate, LIE_AT, 4, FixedPoint.int32At(world.aggregate, LIE_AT) + 1);
                stepAt(world, LIE_AT);
            }
            commit(world, address(anchor), frame(1, 0));
            worlds[i] = abi.encode(world);
        }
        heads[0] = anchor.headOf(0);
        minted = token.totalSupply();
    }

    // What the invariants ask.

    function court() external view returns (IStakeManager, IDisputes) {
        return (stakes, disputes);
    }

    function openCount() external view returns (uint256) {
        return open_.length;
    }

    function openAt(uint256 index) external view returns (Case memory) {
        return open_[index];
    }

    function supply() external view returns (uint256 total, uint256 held, uint256 nowhere) {
        return (token.totalSupply(), token.balanceOf(address(stakes)), token.balanceOf(address(0xdEaD)));
    }

    function isFinal(uint64 round) public view returns (bool) {
        return round <= latest && anchor.isFinal(records[round]);
    }

    function headOf(uint64 round) external view returns (bytes26) {
        return anchor.headOf(round);
    }

    // What happens.

    function warp(uint16 duration) external {
        skip(bound(duration, 0, ANSWER_S));
        for (uint64 round = latest; round > 0 && round + RING > latest; --round) {
            if (isFinal(round)) finalHeads[round] = anchor.headOf(round);
        }
    }

    function anchorNext(bool lie) external {
        if (latest == 60) return;
        World memory world = abi.decode(worlds[lie ? 1 : 0], (World));
        RoundRecord memory record = world.record;
        record.round = latest + 1;
        record.attempt = attempt;
        vm.prank(coordinator);
        try anchor.anchor(record) {
            ++latest;
            records[latest] = record;
            isLie[latest] = lie;
            heads[latest] = anchor.headOf(latest);
        } catch {}
    }

    function challenge(uint8 which, bool atTheLie, bool byCoordinator) external {
        if (latest == 0 || open_.length == MOST_OPEN) return;
        uint64 round = uint64(bound(which, latest > RING - 2 ? latest + 2 - RING : 1, latest));
        IDisputes.Opening memory opening;
        opening.record = records[round];
        opening.parentHead = heads[round - 1];
        opening.plan = thePlan;
        bytes memory subject = abi.encode(atTheLie ? LIE_AT : 3);
        (, uint256 endsAt) = anchor.finality(round);
        address by = byCoordinator ? coordinator : challenger;
        bool solvent = token.balanceOf(by) >= CHALLENGER_BOND;
        vm.prank(by);
        try disputes.challenge(Kind.Coordinate, opening, subject) returns (uint256 id) {
            check(time() < endsAt, "opened after the window");
            bool lie = isLie[round] && atTheLie;
            open_.push(Case(id, round, anchor.headOf(round), lie, subject, time() + ANSWER_S));
        } catch {
            check(time() >= endsAt || !solvent, "a good challenge was refused");
        }
    }

    function answer(uint8 which) external {
        if (open_.length == 0) return;
        uint256 index = which % open_.length;
        Case memory one = open_[index];
        World memory world = abi.decode(worlds[isLie[one.round] ? 1 : 0], (World));
        if (anchor.headOf(one.round) != one.head) return;
        Facts memory facts;
        facts.record = records[one.round];
        facts.parentKnown = one.round == 1;
        facts.plan = thePlan;
        bytes memory shown = coordinateAnswer(world, abi.decode(one.subject, (uint256)));
        try disputes.answer(one.id, facts, one.subject, shown) {
            check(!one.lie && time() < one.deadline, "I7: a lie was accepted, or an answer out of time");
            _remove(index);
        } catch {
            check(one.lie || time() >= one.deadline, "an honest coordinator could not answer");
        }
    }

    function convictOrDismiss(uint8 which) external {
        if (open_.length == 0) return;
        uint256 index = which % open_.length;
        Case memory one = open_[index];
        if (anchor.headOf(one.round) != one.head) {
            disputes.dismiss(one.id);
            _remove(index);
            return;
        }
        bytes26 parentHead = heads[one.round - 1];
        RoundRecord memory record = records[one.round];
        RoundRecord memory last = records[latest];
        uint256 burned = stakes.totals().burned;
        (uint256 bond,) = stakes.bondOf(coordinator);
        try disputes.convict(one.id, record, parentHead, last) {
            check(time() >= one.deadline, "convicted before time was up");
            check(finalHeads[one.round] == 0, "I10: a final round was rewound");
            if (bond >= SLASH) {
                check(stakes.totals().burned - burned > uint256(PRICE) * RING, "I7: challenging oneself pays");
            }
            ++convictions;
            latest = one.round - 1;
            attempt = anchor.minAttempt();
            _remove(index);
        } catch {
            check(time() < one.deadline, "I7: a dispute does not end");
        }
    }

    function stakeMore(uint8 who) external {
        address account = _participant(who);
        uint256 held = token.balanceOf(account);
        if (held == 0) return;
        vm.prank(account);
        try stakes.stake(held) {} catch {}
    }

    function leave(uint8 who) external {
        address account = _participant(who);
        vm.prank(account);
        try stakes.requestExit() {} catch {}
        (uint256 amount,, uint256 requestedAt) = stakes.stakeOf(account);
        vm.prank(account);
        try stakes.exit() {
            check(time() >= requestedAt + stakes.exitDelay(), "I6: left before its last window had passed");
            check(amount > 0, "left with nothing");
        } catch {
            check(amount == 0 || time() < requestedAt + stakes.exitDelay(), "I8: an exit is blocked");
        }
    }

    function equivocate(uint8 who) external {
        uint256 key = keysOf(N)[who % N];
        (uint256 amount,,) = stakes.stakeOf(keys.addr(key));
        if (amount == 0) return;
        SignedData.Update memory a;
        (a.job, a.round) = (keccak256("job"), uint64(++equivocations));
        SignedData.Update memory b = abi.decode(abi.encode(a), (SignedData.Update));
        b.samples = 1;
        bytes memory signatureA = signed(key, SignedData.digest(address(anchor), SignedData.hash(a)));
        bytes memory signatureB = signed(key, SignedData.digest(address(anchor), SignedData.hash(b)));
        vm.prank(challenger);
        stakes.proveEquivocation(keys.addr(key), a, signatureA, b, signatureB);
        (uint256 left,,) = stakes.stakeOf(keys.addr(key));
        check(left < amount, "I6: an equivocation costs nothing");
    }

    function withdraw(uint8 who) external {
        address account = who % 3 == 0 ? coordinator : who % 3 == 1 ? challenger : _participant(who);
        if (stakes.owedTo(account) == 0) return;
        vm.prank(account);
        stakes.withdraw();
    }

    function bondMore() external {
        vm.prank(coordinator);
        try stakes.postBond(SLASH) {} catch {}
    }

    function _participant(uint8 who) private pure returns (address) {
        return keys.addr(keysOf(N)[who % N]);
    }

    function _remove(uint256 index) private {
        open_[index] = open_[open_.length - 1];
        open_.pop();
    }
}

contract DisputeInvariants is Court {
    DisputeHandler private handler;

    function setUp() public {
        handler = new DisputeHandler();
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    /// @dev I5: the StakeManager holds what it says, and what was slashed is with those it belongs to or gone.
    function invariant_I5_BooksAndBalanceAgree() public view {
        (IStakeManager manager,) = handler.court();
        IStakeManager.Totals memory sums = manager.totals();
        (uint256 total, uint256 held, uint256 nowhere) = handler.supply();
        check(held == sums.stakes + sums.bonds + sums.locked + sums.pots + sums.owed, "I5: balance");
        check(sums.locked == handler.openCount() * CHALLENGER_BOND, "I5: a bond for each dispute");
        check(nowhere == sums.burned && total == handler.minted(), "I5: burned");
    }

    /// @dev I7 and I10: what is disputed is not final, nor is anything after it; and every dispute has a clock.
    function invariant_I10_NothingDisputedIsFinal() public view {
        (, IDisputes disputed) = handler.court();
        uint64 earliest = 0;
        for (uint256 i = 0; i < handler.openCount(); ++i) {
            DisputeHandler.Case memory one = handler.openAt(i);
            IDisputes.Dispute memory dispute = disputed.disputeOf(one.id);
            check(dispute.deadline == one.deadline && dispute.round == one.round, "I7: no clock");
            if (earliest == 0 || one.round < earliest) earliest = one.round;
        }
        check(disputed.earliestDisputed() == earliest, "I10: the earliest dispute");
        if (earliest == 0) return;
        for (uint64 round = earliest; round <= handler.latest(); ++round) {
            check(!handler.isFinal(round), "I10: final while disputed");
        }
    }

    /// @dev I3 and I10: what was final stays, as long as the ring remembers it.
    function invariant_I10_FinalRoundsStay() public view {
        for (uint64 round = 1; round <= handler.latest() + 1; ++round) {
            bytes26 once = handler.finalHeads(round);
            bytes26 held = handler.headOf(round);
            if (once != 0 && held != 0) check(once == held, "I10: another round took a final one's place");
        }
    }
}
