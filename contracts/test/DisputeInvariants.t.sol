// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.35;

import {IDisputes} from "../interfaces/IDisputes.sol";
import {IGramJudge} from "../interfaces/IGramJudge.sol";
import {Facts, Kind} from "../interfaces/IJudge.sol";
import {RoundRecord} from "../interfaces/IRoundAnchor.sol";
import {IStakeManager} from "../interfaces/IStakeManager.sol";
import {FixedPoint} from "../lib/FixedPoint.sol";
import {Openings} from "../lib/Openings.sol";
import {SignedData} from "../lib/SignedData.sol";
import {Trees} from "../lib/Trees.sol";
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
        address by;
        bool gram;
        uint256 moves;
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
    mapping(uint64 round => uint256) public anchoredAt;
    mapping(uint64 round => mapping(address account => bool)) public couldContribute;
    mapping(address account => uint256) public leftAt;
    uint256 public cheapestSelfConviction = type(uint256).max;
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

    /// @dev Whether the disputed record is part of the chain by these books.
    function stands(Case memory one) public view returns (bool) {
        return one.round <= latest && heads[one.round] == one.head;
    }

    function windowEndsAt(uint64 round) external view returns (uint256 endsAt) {
        (, endsAt) = anchor.finality(round);
    }

    function pausedUntil() external view returns (uint256) {
        return anchor.pausedUntil();
    }

    function participant(uint256 index) external pure returns (address) {
        return _participant(uint8(index));
    }

    // What happens.

    function warp(uint16 duration) external {
        skip(bound(duration, 0, ANSWER_S));
        for (uint64 round = latest; round > 0 && round + RING > latest; --round) {
            if (isFinal(round)) finalHeads[round] = anchor.headOf(round);
        }
    }

    /// @dev As many rounds as the ring takes, each after the window of the one before.
    function fillTheRing() external {
        for (uint256 i = 0; i <= RING; ++i) {
            this.warp(uint16((WINDOW + 1) * TICK));
            anchorNext(false);
        }
    }

    function anchorNext(bool lie) public {
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
            anchoredAt[latest] = time();
            for (uint8 i = 0; i < N; ++i) {
                address account = _participant(i);
                couldContribute[latest][account] = stakes.isEligible(account, time());
            }
        } catch {}
    }

    function pause(uint40 duration) external {
        vm.prank(GUARDIAN);
        try anchor.pause(uint40(bound(duration, 0, 7 days))) {} catch {}
    }

    function resume() external {
        vm.prank(GUARDIAN);
        anchor.resume();
    }

    function challenge(uint8 which, bool atTheLie, bool byCoordinator, bool gram) external {
        if (latest == 0 || open_.length == MOST_OPEN) return;
        uint64 round = uint64(bound(which, latest > RING - 2 ? latest + 2 - RING : 1, latest));
        IDisputes.Opening memory opening;
        opening.record = records[round];
        opening.parentHead = heads[round - 1];
        opening.plan = thePlan;
        // The lie is in the aggregate: this entry of the Gram matrix is right in either round.
        bytes memory subject = gram ? abi.encode(uint256(1), uint256(3)) : abi.encode(atTheLie ? LIE_AT : 3);
        (, uint256 endsAt) = anchor.finality(round);
        address by = byCoordinator ? coordinator : challenger;
        bool solvent = token.balanceOf(by) >= CHALLENGER_BOND;
        vm.prank(by);
        try disputes.challenge(gram ? Kind.Gram : Kind.Coordinate, opening, subject) returns (uint256 id) {
            check(time() < endsAt, "opened after the window");
            bool lie = isLie[round] && atTheLie && !gram;
            open_.push(Case(id, round, heads[round], lie, subject, time() + ANSWER_S, by, gram, 0));
        } catch {
            check(time() >= endsAt || !solvent, "a good challenge was refused");
        }
    }

    function answer(uint8 which) external {
        if (open_.length == 0) return;
        uint256 index = which % open_.length;
        Case memory one = open_[index];
        World memory world = abi.decode(worlds[isLie[one.round] ? 1 : 0], (World));
        if (anchor.headOf(one.round) != one.head || one.gram) return;
        Facts memory facts = _factsOf(one.round);
        bytes memory shown = coordinateAnswer(world, abi.decode(one.subject, (uint256)));
        try disputes.answer(one.id, facts, one.subject, shown) {
            check(!one.lie && time() < one.deadline, "I7: a lie was accepted, or an answer out of time");
            _remove(index);
        } catch {
            check(one.lie || time() >= one.deadline, "an honest coordinator could not answer");
        }
    }

    /// @dev The next move over a Gram entry, by whoever has it: opening the entry, naming a sum, opening the block.
    function moveOverGram(uint8 which, uint8 choice) external {
        if (open_.length == 0) return;
        uint256 index = which % open_.length;
        Case memory one = open_[index];
        if (!one.gram || !stands(one) || time() >= one.deadline) return;
        World memory world = abi.decode(worlds[isLie[one.round] ? 1 : 0], (World));
        int256[] memory sums = new int256[](BLOCKS);
        for (uint256 i = 0; i < BLOCKS; ++i) {
            sums[i] = productOver(world, 1, 3, i, 1);
        }
        IDisputes.Bisection memory bisection = disputes.bisectionOf(one.id);
        Facts memory facts = _factsOf(one.round);
        if (disputes.disputeOf(one.id).challengerDue) {
            vm.prank(one.by);
            disputes.pickSum(one.id, choice % BLOCKS, sums);
        } else if (bisection.span == 0) {
            Openings.Leaf memory row = gramOpening(world, 1);
            vm.prank(coordinator);
            disputes.openEntry(one.id, facts, one.subject, row, sums);
        } else {
            uint256 block_ = bisection.first;
            IGramJudge.BlockOpening memory opening = IGramJudge.BlockOpening(
                matrixOpening(world, block_), vectorOpening(Trees.AGGREGATE, world.aggregate, block_)
            );
            disputes.openBlock(one.id, facts, one.subject, opening);
            _remove(index);
            return;
        }
        open_[index].deadline = time() + ANSWER_S;
        ++open_[index].moves;
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
        if (disputes.disputeOf(one.id).challengerDue) {
            try disputes.abandon(one.id) {
                check(time() >= one.deadline, "abandoned before time was up");
                _remove(index);
            } catch {
                check(time() < one.deadline, "I7: a dispute does not end");
            }
            return;
        }
        bytes26 parentHead = heads[one.round - 1];
        RoundRecord memory record = records[one.round];
        RoundRecord memory last = records[latest];
        uint256 wealth = _wealthOfTheCoordinator() + (one.by == coordinator ? CHALLENGER_BOND : 0);
        uint256 burned = stakes.totals().burned;
        (uint256 bond,) = stakes.bondOf(coordinator);
        try disputes.convict(one.id, record, parentHead, last) {
            check(time() >= one.deadline, "convicted before time was up");
            check(finalHeads[one.round] == 0, "I10: a final round was rewound");
            if (bond >= SLASH) {
                check(stakes.totals().burned - burned > uint256(PRICE) * RING, "I7: challenging oneself pays");
            }
            if (bond >= SLASH && one.by == coordinator) {
                uint256 loss = wealth - _wealthOfTheCoordinator();
                if (loss < cheapestSelfConviction) cheapestSelfConviction = loss;
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
            leftAt[account] = time();
            check(time() >= requestedAt + stakes.exitDelay(), "I6: left before its last window had passed");
            check(amount > 0, "left with nothing");
        } catch {
            check(amount == 0 || time() < requestedAt + stakes.exitDelay(), "I8: an exit is blocked");
        }
    }

    /// @dev The whole way out at once, so that runs see some who have left.
    function leaveAltogether(uint8 who) external {
        address account = _participant(who);
        (uint256 amount,, uint256 requestedAt) = stakes.stakeOf(account);
        if (amount == 0) return;
        if (requestedAt == 0) {
            vm.prank(account);
            stakes.requestExit();
            requestedAt = time();
        }
        if (time() < requestedAt + stakes.exitDelay()) vm.warp(requestedAt + stakes.exitDelay());
        this.warp(0);
        vm.prank(account);
        try stakes.exit() {
            leftAt[account] = time();
        } catch {
            check(false, "I8: an exit is blocked");
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
        try stakes.proveEquivocation(keys.addr(key), a, signatureA, b, signatureB) {}
        catch {
            check(false, "I6: a stake that is there cannot be slashed");
        }
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

    function _factsOf(uint64 round) private view returns (Facts memory facts) {
        facts.record = records[round];
        facts.parentKnown = round == 1;
        facts.plan = thePlan;
    }

    /// @dev As if every participant were the coordinator's own: compensation counts as money it gets back.
    function _wealthOfTheCoordinator() private view returns (uint256) {
        (uint256 bond,) = stakes.bondOf(coordinator);
        return bond + stakes.owedTo(coordinator) + stakes.totals().pots;
    }

    function _participant(uint8 who) private pure returns (address) {
        return keys.addr(keysOf(N)[who % N]);
    }

    function _remove(uint256 index) private {
        open_[index] = open_[open_.length - 1];
        open_.pop();
    }
}

/// @dev One step here computes a whole round or an answer: fewer of them, of each invariant, than elsewhere.
/// forge-config: default.invariant.runs = 20
/// forge-config: deep.invariant.runs = 100
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

    /// @dev I3: a disputed round keeps its slot, however long the dispute takes.
    function invariant_I3_DisputedRoundsKeepTheirSlots() public view {
        for (uint256 i = 0; i < handler.openCount(); ++i) {
            DisputeHandler.Case memory one = handler.openAt(i);
            if (handler.stands(one)) check(handler.headOf(one.round) == one.head, "I3: a disputed slot was recycled");
        }
    }

    /// @dev I6: whoever could be part of a round that is in its window or in dispute has not left with its stake.
    function invariant_I6_ExitingStakeIsSlashableToItsLastWindow() public view {
        uint64 latest = handler.latest();
        for (uint64 round = latest; round > 0 && round + RING > latest; --round) {
            bool open_ = time() < handler.windowEndsAt(round);
            for (uint256 i = 0; i < handler.openCount(); ++i) {
                DisputeHandler.Case memory one = handler.openAt(i);
                // Whoever lets a deadline pass without a word has nothing left to learn from the dispute.
                if (one.round == round && handler.stands(one) && time() < one.deadline) open_ = true;
            }
            if (!open_) continue;
            for (uint256 i = 0; i < handler.N(); ++i) {
                address account = handler.participant(i);
                bool left = handler.leftAt(account) > handler.anchoredAt(round);
                check(!left || !handler.couldContribute(round, account), "I6: left before its last window had passed");
            }
        }
    }

    /// @dev I7: every dispute has a clock that runs and a last move; whoever convicts itself loses more than it erases.
    function invariant_I7_EveryDisputeEndsAndNonePaysItsOwn() public view {
        (, IDisputes disputed) = handler.court();
        for (uint256 i = 0; i < handler.openCount(); ++i) {
            DisputeHandler.Case memory one = handler.openAt(i);
            check(disputed.disputeOf(one.id).deadline <= time() + ANSWER_S, "I7: a clock that does not run");
            check(one.moves <= 2, "I7: a dispute without a last move");
        }
        check(handler.cheapestSelfConviction() > uint256(PRICE) * RING, "I7: challenging oneself pays");
    }

    /// @dev I8: a pause has an end, and none stands between a participant and its stake (checked with each exit).
    function invariant_I8_PausesBlockNoExit() public view {
        check(handler.pausedUntil() <= time() + 7 days, "I8: a pause without bound");
        (IStakeManager manager,) = handler.court();
        check(manager.exitDelay() == ROUND_S + (WINDOW + 1) * TICK + 9 * ANSWER_S, "I8: an exit without bound");
    }
}
