// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.35;

import {IGovernor} from "@openzeppelin/contracts/governance/IGovernor.sol";
import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";
import {IVotes} from "@openzeppelin/contracts/governance/utils/IVotes.sol";
import {FedGovernor} from "../FedGovernor.sol";
import {FedToken} from "../FedToken.sol";
import {IParams} from "../interfaces/IParams.sol";
import {Base} from "./Base.sol";

/// @dev The cheat codes for blocks and for deployment by name.
interface VmBlocks {
    function getBlockNumber() external view returns (uint256);
    function deployCode(string calldata what, bytes calldata parameters) external returns (address);
    function getNonce(address account) external view returns (uint64);
    function computeCreateAddress(address deployer, uint256 nonce) external pure returns (address);
}

/// @dev A token with three holders who vote, governor, timelock and parameters.
abstract contract Parliament is Base {
    VmBlocks internal constant blocks = VmBlocks(0x7109709ECfa91a80626fF3989D68f67F5b1DD12D);

    uint48 internal constant VOTING_DELAY = 10;
    uint32 internal constant VOTING_PERIOD = 100;
    uint48 internal constant LATE_EXTENSION = 30;
    uint256 internal constant DELAY_S = 2 days;
    uint256 internal constant SUPPLY = 1_000_000 ether;
    uint256 internal constant THRESHOLD = 1000 ether;

    address internal constant ALICE = address(0xA11CE);
    address internal constant BOB = address(0xB0B);
    address internal constant CAROL = address(0xCA201);

    FedToken internal fed;
    FedGovernor internal governor;
    TimelockController internal timelock;
    IParams internal params;

    function found() internal {
        vm.warp(1_700_000_000);
        vm.roll(1000);
        fed = FedToken(blocks.deployCode("FedToken.sol:FedToken", abi.encode(address(this), SUPPLY)));
        address governorAt = blocks.computeCreateAddress(address(this), blocks.getNonce(address(this)) + 1);
        timelock = TimelockController(
            payable(blocks.deployCode("FedTimelock.sol:FedTimelock", abi.encode(DELAY_S, governorAt)))
        );
        FedGovernor.Settings memory settings = FedGovernor.Settings({
            token: IVotes(address(fed)),
            timelock: timelock,
            votingDelay: VOTING_DELAY,
            votingPeriod: VOTING_PERIOD,
            proposalThreshold: THRESHOLD,
            quorumPercent: 4,
            lateQuorumExtension: LATE_EXTENSION
        });
        governor = FedGovernor(payable(blocks.deployCode("FedGovernor.sol:FedGovernor", abi.encode(settings))));
        check(address(governor) == governorAt, "the governor is where the timelock expects it");
        bytes32[] memory rules = new bytes32[](2);
        (rules[0], rules[1]) = (keccak256("TrMean"), keccak256("Median"));
        params = IParams(blocks.deployCode("Params.sol:Params", abi.encode(address(timelock), valuesOf(500), rules)));
        // Carol holds nothing and votes with what Bob has delegated to her.
        require(fed.transfer(ALICE, 100_000 ether), "transfer");
        require(fed.transfer(BOB, 60_000 ether), "transfer");
        vm.prank(ALICE);
        fed.delegate(ALICE);
        vm.prank(BOB);
        fed.delegate(CAROL);
        mine(1);
    }

    function valuesOf(uint16 feeBps) internal pure returns (IParams.Values memory) {
        return IParams.Values({
            minWindowS: 32,
            maxWindowS: 30 days,
            minAnswerS: 60,
            maxAnswerS: 1 days,
            slashCoverBps: 12_000,
            challengerBondBps: 1000,
            feeBps: feeBps,
            courtRequired: false,
            registrationBond: 100 ether
        });
    }

    function mine(uint256 count) internal {
        vm.roll(blocks.getBlockNumber() + count);
    }

    /// @dev A proposal of one call.
    struct Motion {
        address[] targets;
        uint256[] values;
        bytes[] calls;
        string description;
    }

    function motion(address target, bytes memory call, string memory description)
        internal
        pure
        returns (Motion memory one)
    {
        one.targets = new address[](1);
        one.values = new uint256[](1);
        one.calls = new bytes[](1);
        (one.targets[0], one.calls[0], one.description) = (target, call, description);
    }

    function idOf(Motion memory one) internal view returns (uint256) {
        return governor.hashProposal(one.targets, one.values, one.calls, keccak256(bytes(one.description)));
    }

    function proposeBy(address who, Motion memory one) internal returns (uint256) {
        vm.prank(who);
        return governor.propose(one.targets, one.values, one.calls, one.description);
    }

    function vote(address who, uint256 id, uint8 support) internal {
        vm.prank(who);
        governor.castVote(id, support);
    }

    function queue(Motion memory one) internal {
        governor.queue(one.targets, one.values, one.calls, keccak256(bytes(one.description)));
    }

    function execute(Motion memory one) internal {
        governor.execute(one.targets, one.values, one.calls, keccak256(bytes(one.description)));
    }

    /// @dev All the way to the end of the timelock's delay.
    function carry(Motion memory one) internal returns (uint256 id) {
        id = proposeBy(ALICE, one);
        mine(VOTING_DELAY + 1);
        vote(ALICE, id, 1);
        vote(CAROL, id, 1);
        mine(VOTING_PERIOD);
        queue(one);
        skip(DELAY_S);
    }

    function stateOf(uint256 id) internal view returns (IGovernor.ProposalState) {
        return governor.state(id);
    }
}
