// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.35;

import {CoordinateJudge} from "../CoordinateJudge.sol";
import {IDisputes} from "../interfaces/IDisputes.sol";
import {Kind} from "../interfaces/IJudge.sol";
import {FixedPoint} from "../lib/FixedPoint.sol";
import {CoordinateRules} from "../lib/CoordinateRules.sol";
import {Openings} from "../lib/Openings.sol";
import {ServerSteps} from "../lib/ServerSteps.sol";
import {Trees} from "../lib/Trees.sol";
import {Court} from "./Court.sol";

/// @dev The cheat codes that measure.
interface VmGas {
    function cool(address target) external;
    function lastCallGas() external view returns (Gas memory);
}

/// @dev Gas of a call as forge reports it.
struct Gas {
    uint64 gasLimit;
    uint64 gasTotalUsed;
    uint64 gasMemoryUsed;
    int64 gasRefunded;
    uint64 gasRemaining;
}

/**
 * @dev What an answer costs in a job of 2^20 and 2^24 coordinates: the transaction, its calldata at the higher of both
 * prices (EIP-7623), and the execution with everything cold. Only the path to one leaf exists of the trees.
 */
contract AnswerGasTest is Court {
    VmGas private constant gas = VmGas(0x7109709ECfa91a80626fF3989D68f67F5b1DD12D);

    uint256 private depth;

    function courtBlocks() internal view override returns (uint256) {
        return 1 << depth;
    }

    function courtTensors() internal view override returns (bytes32) {
        return Trees.leafHash(Trees.TENSORS, abi.encode(wholeTensor()));
    }

    function wholeTensor() private view returns (Openings.Tensor memory) {
        return Openings.Tensor(keccak256("all"), 0, 64 << depth, 24, 0);
    }

    function siblings(uint256 salt) private view returns (bytes32[] memory proof) {
        proof = new bytes32[](depth);
        for (uint256 i = 0; i < depth; ++i) {
            proof[i] = keccak256(abi.encode(salt, i));
        }
    }

    /// @dev A block of updates as they are in practice: most of them small, of both signs.
    function rowsOf(uint256 n) private pure returns (bytes memory data) {
        data = new bytes(n * 128);
        for (uint256 i = 0; i < n * 64; ++i) {
            put(data, i, 2, int256(uint256(keccak256(abi.encode("row", i))) % 8001) - 4000);
        }
    }

    function fullVector(uint256 salt) private pure returns (bytes memory data) {
        for (uint256 i = 0; i < 8; ++i) {
            data = bytes.concat(data, keccak256(abi.encode(salt, i)));
        }
    }

    function cost(uint256 n, uint256 f, uint256 depth_) private returns (uint256) {
        depth = depth_;
        bytes32[] memory plan_ = plan("TrMean", "{}", f, "FedAvg", 0);
        build(plan_, 1);
        World memory world;
        (world.n, world.plan) = (n, plan_);
        world.record = recordOf(1);
        world.record.participants = uint32(n);
        world.record.updateBits = UPDATE_BITS;
        world.record.fixedPlanHash = keccak256(abi.encodePacked(plan_));
        world.record.tensorTableRoot = courtTensors();
        uint256 block_ = 5;
        CoordinateJudge.Answer memory shown = answerFor(n, f);
        world.record.matrixRoot = rootOf(Trees.MATRIX, shown.matrix, block_);
        world.record.aggregateRoot = rootOf(Trees.AGGREGATE, shown.aggregate, block_);
        world.record.parentModelRoot = anchor.jobParameters().genesisModelRoot;
        world.record.modelRoot = rootOf(Trees.MODEL, shown.model, block_);
        anchorIt(world);
        bytes memory subject = abi.encode(block_ * 64 + 7);
        uint256 id = open(world, Kind.Coordinate, subject);
        return spent(abi.encodeCall(IDisputes.answer, (id, factsOf(world), subject, abi.encode(shown))));
    }

    function answerFor(uint256 n, uint256 f) private view returns (CoordinateJudge.Answer memory shown) {
        shown.matrix = Openings.Leaf(rowsOf(n), siblings(1));
        shown.aggregate = Openings.Leaf(fullVector(2), siblings(2));
        shown.parentModel = Openings.Leaf(fullVector(3), siblings(3));
        shown.model = Openings.Leaf(fullVector(4), siblings(4));
        shown.tensor = wholeTensor();
        int256[] memory values = new int256[](n);
        for (uint256 i = 0; i < n; ++i) {
            values[i] = FixedPoint.int16At(shown.matrix.data, i * 64 + 7);
        }
        int256 aggregate = CoordinateRules.trimmedMean(values, f);
        put(shown.aggregate.data, 7, 4, aggregate);
        ServerSteps.Scales memory scales = ServerSteps.Scales(24, 0, UPDATE_BITS);
        int256 before = FixedPoint.int32At(shown.parentModel.data, 7);
        put(shown.model.data, 7, 4, ServerSteps.fedAvg(before, aggregate, 65536, scales));
    }

    function rootOf(uint256 kind, Openings.Leaf memory leaf, uint256 index) private view returns (bytes32) {
        return Trees.fold(kind, Trees.leafHash(kind, leaf.data), index, leaf.proof);
    }

    /// @dev The genesis model of the job: the same block as the answer opens.
    function courtGenesis() internal view override returns (bytes32) {
        return rootOf(Trees.MODEL, Openings.Leaf(fullVector(3), siblings(3)), 5);
    }

    function spent(bytes memory data) private returns (uint256) {
        uint256 tokens = 0;
        for (uint256 i = 0; i < data.length; ++i) {
            tokens += data[i] == 0 ? 1 : 4;
        }
        gas.cool(address(disputes));
        gas.cool(address(stakes));
        gas.cool(address(anchor));
        gas.cool(address(disputes.terms().coordinateJudge));
        gas.cool(address(disputes));
        (bool done,) = address(disputes).call(data);
        Gas memory used = gas.lastCallGas();
        check(done, "the answer holds");
        // Slots that the end of a dispute clears give back up to a fifth (EIP-3529).
        uint256 total = 21_000 + 4 * tokens + used.gasTotalUsed;
        uint256 refund = uint256(uint64(used.gasRefunded));
        total -= refund < total / 5 ? refund : total / 5;
        uint256 floor = 21_000 + 10 * tokens;
        return total > floor ? total : floor;
    }

    /// @dev CHAIN.md: 300,000 for n = 20 at d = 2^20.
    function test_AnswerOfTwenty() public {
        uint256 used = cost(20, 4, 14);
        checkAtMost(used, 300_000);
    }

    /// @dev 500,000 for n = 50 at d = 2^20.
    function test_AnswerOfFifty() public {
        uint256 used = cost(50, 10, 14);
        checkAtMost(used, 500_000);
    }

    /// @dev n = 64 at d = 2^24 stays far below what a transaction may use (EIP-7825).
    function test_AnswerOfSixtyFour() public {
        uint256 used = cost(64, 15, 18);
        checkAtMost(used, 16_777_215);
    }

    error Spent(uint256 gasUsed);

    function checkAtMost(uint256 used, uint256 bar) private pure {
        if (used > bar) revert Spent(used);
    }
}
