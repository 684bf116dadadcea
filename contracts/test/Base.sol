// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.35;

import {RoundAnchor} from "../RoundAnchor.sol";
import {IRoundAnchor, RoundRecord} from "../interfaces/IRoundAnchor.sol";

/// @dev The cheat codes of forge that these tests use.
interface Vm {
    function warp(uint256 timestamp) external;
    function getBlockTimestamp() external view returns (uint256);
    function roll(uint256 blockNumber) external;
    function snapshotState() external returns (uint256);
    function revertToState(uint256 snapshot) external returns (bool);
    function chainId(uint256 id) external;
    function prank(address sender) external;
    function startPrank(address sender) external;
    function stopPrank() external;
    function expectPartialRevert(bytes4 selector) external;
    function expectRevert(bytes calldata data) external;
    function expectRevert(bytes4 selector) external;
    function expectRevert() external;
    function expectEmit(bool topic1, bool topic2, bool topic3, bool data) external;
    function assume(bool condition) external pure;
}

/// @dev A job, valid records for it, and the few assertions that are needed.
abstract contract Base {
    Vm internal constant vm = Vm(0x7109709ECfa91a80626fF3989D68f67F5b1DD12D);

    uint256 internal constant TICK = 16;
    uint16 internal constant RING = 4;
    uint24 internal constant WINDOW = 3;
    uint96 internal constant PRICE = 100;

    address internal constant COORDINATOR = address(0xC0);
    address internal constant GUARDIAN = address(0x60);
    address internal constant ARBITER = address(0xA6);

    function jobOf(uint16 ringSize, uint24 windowTicks) internal pure returns (IRoundAnchor.Job memory job) {
        job.job = keccak256("job");
        job.manifestHash = keccak256("manifest");
        job.fixedPlanHash = keccak256("plan");
        job.tensorTableRoot = keccak256("tensors");
        job.genesisModelRoot = modelRoot(0);
        job.pricePerRound = PRICE;
        job.maxRounds = type(uint24).max;
        job.windowTicks = windowTicks;
        job.ringSize = ringSize;
        job.coordinator = COORDINATOR;
        job.guardian = GUARDIAN;
        job.arbiter = ARBITER;
    }

    function modelRoot(uint256 round) internal pure returns (bytes32) {
        return keccak256(abi.encode("model", round));
    }

    function recordOf(uint64 round) internal pure returns (RoundRecord memory record) {
        record.job = keccak256("job");
        record.round = round;
        record.participants = 5;
        record.updateBits = 20;
        record.seedIndex = uint32(round);
        record.seed = keccak256(abi.encode("seed", round));
        record.fixedPlanHash = keccak256("plan");
        record.tensorTableRoot = keccak256("tensors");
        record.parentModelRoot = round == 0 ? bytes32(0) : modelRoot(round - 1);
        record.modelRoot = modelRoot(round);
        record.aggregateRoot = keccak256(abi.encode("aggregate", round));
        record.matrixRoot = keccak256(abi.encode("matrix", round));
        record.contributionsRoot = keccak256(abi.encode("contributions", round));
        record.gramRoot = keccak256(abi.encode("gram", round));
        record.scoresRoot = keccak256(abi.encode("scores", round));
        record.rewardsRoot = keccak256(abi.encode("rewards", round));
        record.rewardsTotal = uint256(PRICE) * round;
        record.location = keccak256(abi.encode("location", round));
    }

    function genesisHead(address anchor) internal view returns (bytes26) {
        return
            bytes26(keccak256(abi.encode(block.chainid, anchor, keccak256("job"), keccak256("manifest"), modelRoot(0))));
    }

    function nextHead(bytes26 parent, RoundRecord memory record) internal pure returns (bytes26) {
        return bytes26(keccak256(abi.encode(parent, keccak256(abi.encode(record)))));
    }

    /// @dev The optimizer takes `block.timestamp` for constant within a call, which `warp` belies.
    function time() internal view returns (uint256) {
        return vm.getBlockTimestamp();
    }

    function skip(uint256 duration) internal {
        vm.warp(time() + duration);
    }

    function bound(uint256 value, uint256 least, uint256 most) internal pure returns (uint256) {
        return least + (value % (most - least + 1));
    }

    function check(bool condition, string memory what) internal pure {
        require(condition, what);
    }
}
