// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.35;

import {RoundRecord} from "../interfaces/IRoundAnchor.sol";
import {Apportionment} from "../lib/Apportionment.sol";
import {CoordinateRules} from "../lib/CoordinateRules.sol";
import {FixedPoint} from "../lib/FixedPoint.sol";
import {GramRules} from "../lib/GramRules.sol";
import {Openings} from "../lib/Openings.sol";
import {ServerSteps} from "../lib/ServerSteps.sol";
import {SignedData} from "../lib/SignedData.sol";
import {Trees} from "../lib/Trees.sol";
import {Base} from "./Base.sol";

/// @dev The cheat codes that make participants.
interface VmKeys {
    function addr(uint256 key) external pure returns (address);
    function sign(uint256 key, bytes32 digest) external pure returns (uint8 v, bytes32 r, bytes32 s);
}

/**
 * @dev Whole rounds over two tensors of 100 and 64 coordinates, three blocks in all: data, commitments, openings.
 * The arithmetic itself is held to vectors elsewhere; here it makes rounds to dispute, and to falsify.
 */
abstract contract RoundLab is Base {
    VmKeys internal constant keys = VmKeys(0x7109709ECfa91a80626fF3989D68f67F5b1DD12D);

    uint256 internal constant BLOCKS = 3;
    uint256 internal constant COORDINATES = BLOCKS * 64;
    uint256 internal constant FIRST_SIZE = 100;
    uint32 internal constant SAMPLE_CAP = 1000;
    uint8 internal constant UPDATE_BITS = 12;
    uint256 internal constant SEEDS = 100;

    /// @dev How the job scores.
    bool internal confirmation;

    struct World {
        uint256 n;
        bytes32 rule;
        bytes32[] plan;
        uint256[] keys;
        bytes[] updates;
        bytes aggregate;
        bytes parentModel;
        bytes model;
        bytes parentState;
        bytes state;
        uint256[] weights;
        int256[] gram;
        uint256[] scores;
        Openings.Contribution[] contributions;
        bytes[] signatures;
        address[] rewarded;
        uint256[] rewards;
        RoundRecord record;
    }

    function plan(string memory rule, string memory parameters, uint256 f, string memory step, uint256 further)
        internal
        pure
        returns (bytes32[] memory words)
    {
        bool more = keccak256(bytes(step)) != keccak256("FedAvg");
        words = new bytes32[](more ? 9 : 8);
        words[0] = keccak256(bytes(rule));
        words[1] = keccak256("[]");
        words[2] = keccak256(bytes(parameters));
        words[3] = bytes32(f);
        words[4] = bytes32(uint256(SAMPLE_CAP));
        words[5] = keccak256(bytes(step));
        words[6] = bytes32(uint256(65536));
        if (more) words[7] = bytes32(further);
        words[words.length - 1] = seedAt(0);
    }

    function seedAt(uint256 index) internal pure returns (bytes32 seed) {
        seed = keccak256("secret");
        for (uint256 i = index; i < SEEDS; ++i) {
            seed = keccak256(abi.encode(seed));
        }
    }

    /// @dev Participants in the order of their addresses.
    function keysOf(uint256 n) internal pure returns (uint256[] memory sorted) {
        sorted = new uint256[](n);
        for (uint256 i = 0; i < n; ++i) {
            sorted[i] = uint256(keccak256(abi.encode("participant", i)));
            for (uint256 j = i; j > 0 && keys.addr(sorted[j]) < keys.addr(sorted[j - 1]); --j) {
                (sorted[j], sorted[j - 1]) = (sorted[j - 1], sorted[j]);
            }
        }
    }

    function tensorAt(uint256 index) internal pure returns (Openings.Tensor memory) {
        if (index == 0) return Openings.Tensor(keccak256("first"), 0, FIRST_SIZE, 24, 0);
        return Openings.Tensor(keccak256("second"), 128, 64, 20, 1);
    }

    function tensorLeaf(uint256 index) internal pure returns (bytes32) {
        return Trees.leafHash(Trees.TENSORS, abi.encode(tensorAt(index)));
    }

    function tensorRoot() internal pure returns (bytes32) {
        bytes32[] memory leaves = new bytes32[](2);
        (leaves[0], leaves[1]) = (tensorLeaf(0), tensorLeaf(1));
        return Trees.rootOf(Trees.TENSORS, leaves);
    }

    function isPadding(uint256 coordinate) internal pure returns (bool) {
        return coordinate >= FIRST_SIZE && coordinate < 128;
    }

    /// @dev A round's data, honest and without commitments.
    function worldOf(bytes32[] memory plan_, uint256 n, uint256 seed) internal pure returns (World memory world) {
        world.n = n;
        world.plan = plan_;
        world.rule = plan_[0];
        world.keys = keysOf(n);
        world.updates = new bytes[](n);
        for (uint256 i = 0; i < n; ++i) {
            world.updates[i] = new bytes(COORDINATES * 2);
            for (uint256 j = 0; j < COORDINATES; ++j) {
                if (isPadding(j)) continue;
                int256 value = int256(uint256(keccak256(abi.encode(seed, i, j))) % 401) - 200;
                // A common direction, so that scores are not all zero.
                put(world.updates[i], j, 2, value + int256(100 + (j % 3) * 50));
            }
        }
        world.parentModel = new bytes(COORDINATES * 4);
        world.parentState = new bytes(COORDINATES * 4);
        world.weights = new uint256[](n);
    }

    /// @dev Little-endian, two's complement.
    function put(bytes memory data, uint256 index, uint256 width, int256 value) internal pure {
        for (uint256 i = 0; i < width; ++i) {
            data[index * width + i] = bytes1(uint8(uint256(value) >> (8 * i)));
        }
    }

    function column(World memory world, uint256 coordinate) internal pure returns (int256[] memory values) {
        values = new int256[](world.n);
        for (uint256 i = 0; i < world.n; ++i) {
            values[i] = FixedPoint.int16At(world.updates[i], coordinate);
        }
    }

    /// @dev Everything that follows from the updates, but for the weights of a rule that has some.
    function compute(World memory world) internal view {
        world.aggregate = new bytes(COORDINATES * 4);
        world.model = new bytes(COORDINATES * 4);
        world.state = new bytes(COORDINATES * 4);
        for (uint256 j = 0; j < COORDINATES; ++j) {
            if (!isPadding(j)) computeAt(world, j);
        }
        world.gram = gramOf(world);
        bool[] memory active = new bool[](world.n);
        bool weighted = world.rule != keccak256("TrMean");
        for (uint256 i = 0; i < world.n; ++i) {
            active[i] = !weighted || world.weights[i] > 0;
        }
        world.scores = confirmation
            ? GramRules.confirmationScores(world.gram, active)
            : GramRules.alignmentScores(world.gram, active);
    }

    function computeAt(World memory world, uint256 j) internal pure {
        int256 value;
        if (world.rule == keccak256("TrMean")) {
            value = CoordinateRules.trimmedMean(column(world, j), uint256(world.plan[3]));
        } else {
            int256[] memory weights = new int256[](world.n);
            for (uint256 i = 0; i < world.n; ++i) {
                weights[i] = int256(world.weights[i]);
            }
            value = CoordinateRules.weightedSum(column(world, j), weights);
        }
        put(world.aggregate, j, 4, value);
        stepAt(world, j);
    }

    function stepAt(World memory world, uint256 j) internal pure {
        Openings.Tensor memory tensor = tensorAt(j < 128 ? 0 : 1);
        ServerSteps.Scales memory scales = ServerSteps.Scales(tensor.fractionBits, tensor.preScaleBits, UPDATE_BITS);
        int256 before = FixedPoint.int32At(world.parentModel, j);
        int256 aggregate = FixedPoint.int32At(world.aggregate, j);
        if (world.plan.length == 8) {
            put(world.model, j, 4, ServerSteps.fedAvg(before, aggregate, 65536, scales));
            return;
        }
        int256 momentum = int256(uint256(world.plan[7]));
        int256 state = FixedPoint.int32At(world.parentState, j);
        (before, state) = ServerSteps.fedAvgM(before, state, aggregate, 65536, momentum, scales);
        put(world.model, j, 4, before);
        put(world.state, j, 4, state);
    }

    function cell(World memory world, uint256 row, uint256 j) internal pure returns (int256) {
        return row == world.n ? FixedPoint.int32At(world.aggregate, j) : FixedPoint.int16At(world.updates[row], j);
    }

    function gramOf(World memory world) internal pure returns (int256[] memory gram) {
        uint256 width = world.n + 1;
        gram = new int256[](width * width);
        for (uint256 a = 0; a < width; ++a) {
            for (uint256 b = 0; b <= a; ++b) {
                int256 sum = productOver(world, a, b, 0, BLOCKS);
                (gram[a * width + b], gram[b * width + a]) = (sum, sum);
            }
        }
    }

    function productOver(World memory world, uint256 a, uint256 b, uint256 first, uint256 count)
        internal
        pure
        returns (int256 sum)
    {
        for (uint256 j = first * 64; j < (first + count) * 64; ++j) {
            sum += cell(world, a, j) * cell(world, b, j);
        }
    }

    /// @dev Commits to the world as it is, true or not. Statements are signed for the given anchor, round and attempt.
    function commit(World memory world, address anchor, RoundRecord memory frame) internal view {
        world.record = frame;
        frame.participants = uint32(world.n);
        frame.updateBits = UPDATE_BITS;
        frame.seedIndex = uint32(frame.round) + frame.attempt;
        frame.seed = seedAt(frame.seedIndex);
        frame.fixedPlanHash = keccak256(abi.encodePacked(world.plan));
        frame.tensorTableRoot = tensorRoot();
        frame.parentModelRoot = vectorRoot(Trees.MODEL, world.parentModel);
        if (world.contributions.length == 0) contribute(world, anchor);
        commitVectors(world);
        frame.contributionsRoot = Openings.rootOf(copyOf(world.contributions));
        frame.gramRoot = Trees.rootOfRows(Trees.GRAM, world.gram, world.n + 1);
        frame.weightsRoot = Trees.rootOfWords(Trees.WEIGHTS, world.weights);
        frame.scoresRoot = Trees.rootOfWords(Trees.SCORES, world.scores);
        if (world.rewards.length == 0) reward(world);
        frame.rewardsRoot = ladder(world, 0);
        frame.location = keccak256("location");
    }

    function commitVectors(World memory world) internal view {
        world.record.matrixRoot = Trees.rootOf(Trees.MATRIX, matrixLeaves(world));
        world.record.aggregateRoot = vectorRoot(Trees.AGGREGATE, world.aggregate);
        world.record.modelRoot = vectorRoot(Trees.MODEL, world.model);
        world.record.serverStateRoot = world.plan.length == 8 ? bytes32(0) : vectorRoot(Trees.SERVER_STATE, world.state);
    }

    function copyOf(Openings.Contribution[] memory list) internal pure returns (Openings.Contribution[] memory) {
        return abi.decode(abi.encode(list), (Openings.Contribution[]));
    }

    /// @dev All cumulative rewards after round 1: the pot by score.
    function reward(World memory world) internal pure {
        world.rewards = Apportionment.split(world.scores, PRICE);
        world.rewarded = new address[](world.n);
        for (uint256 i = 0; i < world.n; ++i) {
            world.rewarded[i] = keys.addr(world.keys[i]);
            world.record.rewardsTotal += world.rewards[i];
        }
    }

    function rewardLeaf(World memory world, uint256 i) internal pure returns (bytes32) {
        return keccak256(bytes.concat(keccak256(abi.encode(world.rewarded[i], world.rewards[i]))));
    }

    /// @dev A tree in which each node joins a leaf and the rest: any shape that MerkleProof follows will do.
    function ladder(World memory world, uint256 from) internal pure returns (bytes32 node) {
        uint256 last = world.rewards.length - 1;
        node = rewardLeaf(world, last);
        for (uint256 i = last; i > from; --i) {
            bytes32 leaf = rewardLeaf(world, i - 1);
            node = leaf < node ? keccak256(abi.encode(leaf, node)) : keccak256(abi.encode(node, leaf));
        }
    }

    function rewardProof(World memory world, uint256 i) internal pure returns (bytes32[] memory proof) {
        uint256 last = world.rewards.length - 1;
        proof = new bytes32[](i == last ? last : i + 1);
        uint256 next = 0;
        if (i < last) proof[next++] = ladder(world, i + 1);
        for (uint256 j = i; j > 0; --j) {
            proof[next++] = rewardLeaf(world, j - 1);
        }
    }

    function contribute(World memory world, address anchor) internal view {
        world.contributions = new Openings.Contribution[](world.n);
        world.signatures = new bytes[](world.n);
        for (uint256 i = 0; i < world.n; ++i) {
            SignedData.Update memory statement = statementOf(world, i);
            world.signatures[i] = signed(world.keys[i], SignedData.digest(anchor, SignedData.hash(statement)));
            world.contributions[i] = Openings.Contribution({
                participant: keys.addr(world.keys[i]),
                updateRoot: statement.updateRoot,
                samples: statement.samples,
                largestMagnitude: statement.largestMagnitude,
                datasetCommitment: statement.datasetCommitment,
                signatureHash: keccak256(world.signatures[i]),
                verdict: 1
            });
        }
    }

    function statementOf(World memory world, uint256 i) internal pure returns (SignedData.Update memory) {
        return SignedData.Update({
            job: world.record.job,
            round: world.record.round,
            attempt: world.record.attempt,
            parentRoot: world.record.parentModelRoot,
            // One leaf of 4,096 bytes at most: its hash is the root.
            updateRoot: Trees.leafHash(Trees.UPDATE, world.updates[i]),
            samples: uint32(300 * (i + 1)),
            largestMagnitude: 8191,
            datasetCommitment: keccak256(abi.encode("data", i))
        });
    }

    function signed(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = keys.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    function slice(bytes memory data, uint256 start, uint256 length) internal pure returns (bytes memory part) {
        part = new bytes(length);
        for (uint256 i = 0; i < length; ++i) {
            part[i] = data[start + i];
        }
    }

    function matrixData(World memory world, uint256 block_) internal pure returns (bytes memory data) {
        for (uint256 i = 0; i < world.n; ++i) {
            data = bytes.concat(data, slice(world.updates[i], block_ * 128, 128));
        }
    }

    function matrixLeaves(World memory world) internal pure returns (bytes32[] memory leaves) {
        leaves = new bytes32[](BLOCKS);
        for (uint256 i = 0; i < BLOCKS; ++i) {
            leaves[i] = Trees.leafHash(Trees.MATRIX, matrixData(world, i));
        }
    }

    function vectorLeaves(uint256 kind, bytes memory vector) internal pure returns (bytes32[] memory leaves) {
        leaves = new bytes32[](BLOCKS);
        for (uint256 i = 0; i < BLOCKS; ++i) {
            leaves[i] = Trees.leafHash(kind, slice(vector, i * 256, 256));
        }
    }

    function vectorRoot(uint256 kind, bytes memory vector) internal pure returns (bytes32) {
        return Trees.rootOf(kind, vectorLeaves(kind, vector));
    }

    /// @dev Siblings of a leaf, written down from the definition and not with the library under test.
    function proofOf(uint256 kind, bytes32[] memory leaves, uint256 index)
        internal
        pure
        returns (bytes32[] memory proof)
    {
        uint256 depth = 0;
        while (2 ** depth < leaves.length) ++depth;
        bytes32[] memory nodes = new bytes32[](2 ** depth);
        for (uint256 i = 0; i < leaves.length; ++i) {
            nodes[i] = leaves[i];
        }
        proof = new bytes32[](depth);
        for (uint256 level = 1; level <= depth; ++level) {
            proof[level - 1] = nodes[(index >> (level - 1)) ^ 1];
            for (uint256 i = 0; i < 2 ** (depth - level); ++i) {
                nodes[i] =
                    sha256(bytes.concat(bytes1(uint8(kind)), bytes1(uint8(level)), nodes[2 * i], nodes[2 * i + 1]));
            }
        }
    }

    function matrixOpening(World memory world, uint256 block_) internal pure returns (Openings.Leaf memory) {
        return Openings.Leaf(matrixData(world, block_), proofOf(Trees.MATRIX, matrixLeaves(world), block_));
    }

    function vectorOpening(uint256 kind, bytes memory vector, uint256 block_)
        internal
        pure
        returns (Openings.Leaf memory)
    {
        return Openings.Leaf(slice(vector, block_ * 256, 256), proofOf(kind, vectorLeaves(kind, vector), block_));
    }

    function contributionProof(World memory world, uint256 row) internal pure returns (bytes32[] memory) {
        bytes32[] memory leaves = new bytes32[](world.n);
        for (uint256 i = 0; i < world.n; ++i) {
            leaves[i] = Trees.leafHash(Trees.CONTRIBUTIONS, abi.encode(world.contributions[i]));
        }
        return proofOf(Trees.CONTRIBUTIONS, leaves, row);
    }

    function gramOpening(World memory world, uint256 row) internal pure returns (Openings.Leaf memory) {
        uint256 width = world.n + 1;
        bytes32[] memory leaves = new bytes32[](width);
        for (uint256 i = 0; i < width; ++i) {
            leaves[i] = Trees.leafHash(Trees.GRAM, gramRow(world, i));
        }
        return Openings.Leaf(gramRow(world, row), proofOf(Trees.GRAM, leaves, row));
    }

    function gramRow(World memory world, uint256 row) internal pure returns (bytes memory data) {
        uint256 width = world.n + 1;
        for (uint256 i = 0; i < width; ++i) {
            data = bytes.concat(data, abi.encode(world.gram[row * width + i]));
        }
    }
}
