// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.35;

import {Strings} from "@openzeppelin/contracts/utils/Strings.sol";
import {IParams} from "../interfaces/IParams.sol";
import {IRegistry} from "../interfaces/IRegistry.sol";
import {IRewardVault} from "../interfaces/IRewardVault.sol";
import {IRoundAnchor, RoundRecord} from "../interfaces/IRoundAnchor.sol";
import {RegistryLab} from "./RegistryLab.sol";

/// @dev Drives governance and jobs at random: proposals and their way, attempts to go around it, rounds, licences.
contract GovernanceHandler is RegistryLab {
    uint256 private constant MOST_JOBS = 5;

    /// @dev An open job as it was when it was registered.
    struct Open {
        bytes32 id;
        IRegistry.Contracts contracts;
        bytes32 asRegistered;
        uint256 feeBps;
        uint64 latest;
        bytes32 model;
    }

    Motion[] private _motions;
    bytes32 private _inForce;
    Open[] private _jobs;
    uint256 public executed;
    uint256 private _buyers;

    constructor() {
        open();
        _inForce = keccak256(abi.encode(valuesOf(500)));
        addJob();
    }

    // What the invariants ask.

    function parameters() external view returns (IParams, IRegistry, address) {
        return (params, registry, address(timelock));
    }

    function inForce() external view returns (bytes32) {
        return _inForce;
    }

    function jobCount() external view returns (uint256) {
        return _jobs.length;
    }

    function jobAt(uint256 index) external view returns (Open memory) {
        return _jobs[index];
    }

    /// @dev Everything of a job that a vote could want to change.
    function termsOf(IRegistry.Contracts memory contracts) public view returns (bytes32) {
        return keccak256(
            abi.encode(
                IRoundAnchor(contracts.anchor).jobParameters(),
                IRoundAnchor(contracts.anchor).pausedUntil(),
                IRoundAnchor(contracts.anchor).minAttempt()
            )
        );
    }

    function bonds() external view returns (uint256 locked, uint256 held) {
        for (uint256 i = 0; i < _jobs.length; ++i) {
            locked += registry.jobOf(_jobs[i].id).bond;
        }
        held = fed.balanceOf(address(registry));
    }

    // What happens.

    function propose(uint16 fee, uint8 what) external {
        Motion memory one = motion(address(params), abi.encodeCall(IParams.set, (valuesOf(fee % 1100))), "");
        if (what % 4 == 0) {
            // Touch an open job.
            address anchor_ = _jobs[what % _jobs.length].contracts.anchor;
            (one.targets[0], one.calls[0]) = (anchor_, abi.encodeCall(IRoundAnchor.pause, (1 days)));
        }
        one.description = Strings.toString(_motions.length);
        proposeBy(ALICE, one);
        _motions.push(one);
    }

    function castVote(uint8 which, bool for_) external {
        if (_motions.length == 0) return;
        Motion memory one = _motions[_recent(which)];
        uint256 id = idOf(one);
        vm.prank(which % 2 == 0 ? ALICE : CAROL);
        try governor.castVote(id, for_ ? 1 : 0) {} catch {}
    }

    /// @dev A proposal's whole way at once, so that runs see many changes and not only beginnings.
    function change(uint16 fee, uint8 what) external {
        this.propose(fee, what);
        Motion memory one = _motions[_motions.length - 1];
        mine(VOTING_DELAY + 1);
        vote(ALICE, idOf(one), 1);
        mine(VOTING_PERIOD);
        queue(one);
        skip(DELAY_S);
        this.executeOne(0);
    }

    function later(uint8 count, uint32 duration) external {
        mine(count);
        skip(bound(duration, 0, DELAY_S));
    }

    function queueOne(uint8 which) external {
        if (_motions.length == 0) return;
        Motion memory one = _motions[_recent(which)];
        try governor.queue(one.targets, one.values, one.calls, keccak256(bytes(one.description))) {} catch {}
    }

    function executeOne(uint8 which) external {
        if (_motions.length == 0) return;
        Motion memory one = _motions[_recent(which)];
        uint256 readyAt = governor.proposalEta(idOf(one));
        try governor.execute(one.targets, one.values, one.calls, keccak256(bytes(one.description))) {
            check(one.targets[0] == address(params), "I9: a vote has touched an open job");
            check(readyAt != 0 && time() >= readyAt, "I9: a change before its time");
            bytes memory values = new bytes(one.calls[0].length - 4);
            for (uint256 i = 0; i < values.length; ++i) {
                values[i] = one.calls[0][i + 4];
            }
            _inForce = keccak256(values);
            ++executed;
        } catch {}
    }

    /// @dev Straight at what the timelock guards, by anyone: an account, a coordinator, the governor itself.
    function goAround(uint8 who, uint16 fee) external {
        address[4] memory accounts = [ALICE, COORDINATOR, address(governor), address(registry)];
        vm.prank(accounts[who % 4]);
        try params.set(valuesOf(fee % 1000)) {
            check(false, "I9: a change without the timelock");
        } catch {}
    }

    function addJob() public {
        if (_jobs.length == MOST_JOBS) return;
        endowWithVotes(COORDINATOR);
        (bytes32 id, IRegistry.Contracts memory contracts) = registerBare();
        (, IParams.Values memory values) = params.current();
        _jobs.push(Open(id, contracts, termsOf(contracts), values.feeBps, 0, 0));
    }

    function runRound(uint8 which) external {
        Open storage one = _jobs[which % _jobs.length];
        RoundRecord memory record = finalBare(one.contracts.anchor, ++one.latest);
        if (one.model != 0) return;
        vm.startPrank(SPONSOR);
        one.model = registry.publish(one.id, record, 0);
        registry.setPrice(one.model, 1000);
        vm.stopPrank();
    }

    function buy(uint8 which) external {
        Open memory one = _jobs[which % _jobs.length];
        if (one.model == 0) return;
        (,, uint256 endsAt) = IRewardVault(one.contracts.vault).terms();
        if (time() >= endsAt) return;
        enrich(BUYER, 1000);
        (uint256 before,,,) = IRewardVault(one.contracts.vault).totals();
        vm.prank(BUYER);
        registry.buyLicence(one.model, address(uint160(0x1000 + ++_buyers)), 1000);
        (uint256 funded,,,) = IRewardVault(one.contracts.vault).totals();
        check(funded - before == 1000 - 1000 * one.feeBps / 10_000, "I9: an open job pays another fee");
    }

    function releaseBond(uint8 which) external {
        Open memory one = _jobs[which % _jobs.length];
        uint256 freeAt = registry.jobOf(one.id).bondFreeAt;
        try registry.releaseBond(one.id) {
            check(time() >= freeAt, "a bond before the job's end");
        } catch {}
    }

    function _recent(uint8 which) private view returns (uint256) {
        uint256 count = _motions.length;
        return count - 1 - (which % (count < 3 ? count : 3));
    }
}

contract GovernanceInvariants is RegistryLab {
    GovernanceHandler private handler;

    function setUp() public {
        handler = new GovernanceHandler();
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    /// @dev I9: what is in force was voted and has waited; each version is one proposal's.
    function invariant_I9_NothingChangesWithoutTheTimelock() public view {
        (IParams held,,) = handler.parameters();
        (uint256 version, IParams.Values memory values) = held.current();
        check(version == 1 + handler.executed(), "I9: a version that nobody voted");
        check(keccak256(abi.encode(values)) == handler.inForce(), "I9: not what was voted");
    }

    /// @dev I9: whatever is voted, an open job is as it was registered, down to the parameters that it is held to.
    function invariant_I9_NothingChangesForAnOpenJob() public view {
        (IParams held, IRegistry registered,) = handler.parameters();
        for (uint256 i = 0; i < handler.jobCount(); ++i) {
            GovernanceHandler.Open memory one = handler.jobAt(i);
            check(handler.termsOf(one.contracts) == one.asRegistered, "I9: an open job has changed");
            IRegistry.Job memory job = registered.jobOf(one.id);
            check(held.valuesAt(job.paramsVersion).feeBps == one.feeBps, "I9: its parameters have changed");
            check(one.latest == 0 || IRoundAnchor(one.contracts.anchor).headOf(one.latest) != 0, "I9: a round is gone");
        }
    }

    /// @dev The registry holds the bonds and nothing else.
    function invariant_I9_BondsAreWhereTheyBelong() public view {
        (uint256 locked, uint256 held) = handler.bonds();
        check(locked == held, "bonds");
    }
}
