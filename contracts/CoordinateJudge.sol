// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.35;

import {Circumstances, Facts, IJudge, Kind} from "./interfaces/IJudge.sol";
import {CoordinateRules} from "./lib/CoordinateRules.sol";
import {FixedPoint} from "./lib/FixedPoint.sol";
import {Openings} from "./lib/Openings.sol";
import {Plans} from "./lib/Plans.sol";
import {ServerSteps} from "./lib/ServerSteps.sol";
import {Trees} from "./lib/Trees.sol";

/**
 * @title CoordinateJudge
 * @dev Recomputes one coordinate of a round: rule and server step, from one leaf of each vector.
 *
 * A coordinate behind the last block asks for the padding of the trees: a root is wrong, too, if its tree holds anything
 * beyond the vector or is of another depth.
 */
contract CoordinateJudge is IJudge {
    using Openings for Openings.Leaf;
    using Openings for Openings.Tensor;
    using Openings for bytes32[];

    /// @dev What shows that a coordinate is right.
    struct Answer {
        /// @dev The block of all n updates.
        Openings.Leaf matrix;
        /// @dev The block of the aggregate.
        Openings.Leaf aggregate;
        /// @dev The block of the model before.
        Openings.Leaf parentModel;
        /// @dev The block of the model after.
        Openings.Leaf model;
        /// @dev The block of the server's state before; empty where there is none.
        Openings.Leaf parentState;
        /// @dev The block of the server's state after; empty where there is none.
        Openings.Leaf state;
        /// @dev The tensor that the coordinate is of.
        Openings.Tensor tensor;
        /// @dev The tensor's place in the table.
        uint256 tensorIndex;
        /// @dev Its proof.
        bytes32[] tensorProof;
        /// @dev All weights; empty for a rule that works coordinate by coordinate.
        int256[] weights;
    }

    uint256 private constant MAX_PARTICIPANTS = 64;
    uint256 private constant MODEL_LEAF = 256;
    uint256 private constant MAX_BITS = 64;
    bytes32 private constant FED_AVG = keccak256("FedAvg");
    bytes32 private constant FED_AVG_M = keccak256("FedAvgM");

    /// @inheritdoc IJudge
    function admits(Kind kind, Facts calldata facts, Circumstances calldata circumstances, bytes calldata subject)
        external
        pure
        returns (bool)
    {
        uint256 coordinate = abi.decode(subject, (uint256));
        uint256 most = FixedPoint.BLOCK << Trees.depthOf(circumstances.blocks);
        if (kind != Kind.Coordinate || facts.record.participants > MAX_PARTICIPANTS || coordinate >= most) {
            return false;
        }
        bytes32[] memory plan = facts.plan;
        bytes32 rule = Plans.rule(plan);
        if (!(Plans.isCoordinateRule(rule) && Plans.isBare(plan)) && !Plans.isWeighted(rule)) return false;
        return Plans.step(plan) != FED_AVG_M || facts.parentKnown;
    }

    /// @inheritdoc IJudge
    function holds(
        Kind,
        Facts calldata facts,
        Circumstances calldata circumstances,
        bytes calldata subject,
        bytes calldata answer
    ) external view returns (bool) {
        uint256 coordinate = abi.decode(subject, (uint256));
        uint256 blocks = circumstances.blocks;
        if (coordinate >= blocks * FixedPoint.BLOCK) return _paddingHolds(facts, coordinate / 64, blocks, answer);
        Answer memory opened = abi.decode(answer, (Answer));
        if (!_vectorsOpen(facts, opened, coordinate / FixedPoint.BLOCK, blocks)) return false;
        if (!opened.tensor.opens(opened.tensorIndex, opened.tensorProof, facts.record.tensorTableRoot)) return false;

        Openings.Tensor memory tensor = opened.tensor;
        uint256 extent = (tensor.size + FixedPoint.BLOCK - 1) / FixedPoint.BLOCK * FixedPoint.BLOCK;
        if (coordinate < tensor.offset || coordinate >= tensor.offset + extent) return false;
        int256[] memory values = new int256[](facts.record.participants);
        for (uint256 i = 0; i < values.length; ++i) {
            int256 value = FixedPoint.int16At(opened.matrix.data, i * FixedPoint.BLOCK + coordinate % FixedPoint.BLOCK);
            if (value < -FixedPoint.MAX_UPDATE || value > FixedPoint.MAX_UPDATE) return false;
            values[i] = value;
        }
        if (coordinate >= tensor.offset + tensor.size) return _isZero(opened, values, coordinate % FixedPoint.BLOCK);
        return _ruleHolds(facts, opened, values, coordinate % FixedPoint.BLOCK)
            && _stepHolds(facts, opened, coordinate % FixedPoint.BLOCK);
    }

    function _vectorsOpen(Facts calldata facts, Answer memory opened, uint256 block_, uint256 blocks)
        private
        view
        returns (bool)
    {
        uint256 rowBytes = 2 * FixedPoint.BLOCK;
        bytes32 root = facts.record.matrixRoot;
        if (!opened.matrix.opens(facts.record.participants * rowBytes, Trees.MATRIX, root, block_, blocks)) {
            return false;
        }
        root = facts.record.aggregateRoot;
        if (!opened.aggregate.opens(MODEL_LEAF, Trees.AGGREGATE, root, block_, blocks)) return false;
        root = facts.record.parentModelRoot;
        if (!opened.parentModel.opens(MODEL_LEAF, Trees.MODEL, root, block_, blocks)) return false;
        root = facts.record.modelRoot;
        if (!opened.model.opens(MODEL_LEAF, Trees.MODEL, root, block_, blocks)) return false;
        bytes32[] memory plan = facts.plan;
        if (Plans.step(plan) == FED_AVG) return facts.record.serverStateRoot == 0;
        if (Plans.step(plan) != FED_AVG_M) return true;
        root = facts.record.serverStateRoot;
        if (!opened.state.opens(MODEL_LEAF, Trees.SERVER_STATE, root, block_, blocks)) return false;
        root = facts.parentStateRoot;
        // Before round 1 there is no state, which stands for zeros.
        if (facts.record.round == 1) opened.parentState.data = new bytes(MODEL_LEAF);
        return facts.record.round == 1 || opened.parentState.opens(MODEL_LEAF, Trees.SERVER_STATE, root, block_, blocks);
    }

    function _ruleHolds(Facts calldata facts, Answer memory opened, int256[] memory values, uint256 place)
        private
        pure
        returns (bool)
    {
        int256 found = FixedPoint.int32At(opened.aggregate.data, place);
        bytes32[] memory plan = facts.plan;
        bytes32 rule = Plans.rule(plan);
        uint256 f = Plans.faulty(plan);
        if (rule == Plans.MEDIAN) return found == CoordinateRules.median(values, f);
        if (rule == Plans.TRIMMED_MEAN) return found == CoordinateRules.trimmedMean(values, f);
        if (rule == Plans.MEAMED) return found == CoordinateRules.meamed(values, f);
        if (rule == Plans.PHOCAS) return found == CoordinateRules.phocas(values, f);
        if (rule == Plans.SIGN_MAJORITY) return found == CoordinateRules.signMajority(values, f);
        if (opened.weights.length != values.length) return false;
        uint256[] memory words;
        int256[] memory weights = opened.weights;
        assembly ("memory-safe") {
            words := weights
        }
        if (Trees.rootOfWords(Trees.WEIGHTS, words) != facts.record.weightsRoot) return false;
        return found == CoordinateRules.weightedSum(values, weights);
    }

    function _stepHolds(Facts calldata facts, Answer memory opened, uint256 place) private pure returns (bool) {
        bytes32[] memory plan = facts.plan;
        bytes32 step = Plans.step(plan);
        if (step != FED_AVG && step != FED_AVG_M) return true;
        ServerSteps.Scales memory scales = ServerSteps.Scales({
            fractionBits: opened.tensor.fractionBits,
            preScaleBits: opened.tensor.preScaleBits,
            updateBits: facts.record.updateBits
        });
        if (scales.fractionBits > MAX_BITS || scales.preScaleBits > MAX_BITS) return false;
        int256 model = FixedPoint.int32At(opened.parentModel.data, place);
        int256 aggregate = FixedPoint.int32At(opened.aggregate.data, place);
        int256 rate = Plans.learningRate(plan);
        int256 next = FixedPoint.int32At(opened.model.data, place);
        if (step == FED_AVG) return next == ServerSteps.fedAvg(model, aggregate, rate, scales);
        int256 state = FixedPoint.int32At(opened.parentState.data, place);
        (model, state) = ServerSteps.fedAvgM(model, state, aggregate, rate, Plans.further(plan), scales);
        return next == model && FixedPoint.int32At(opened.state.data, place) == state;
    }

    /// @dev Coordinates that complete a tensor to whole blocks are zero in everything that a round makes.
    function _isZero(Answer memory opened, int256[] memory values, uint256 place) private pure returns (bool) {
        for (uint256 i = 0; i < values.length; ++i) {
            if (values[i] != 0) return false;
        }
        if (FixedPoint.int32At(opened.aggregate.data, place) != 0) return false;
        if (opened.state.data.length != 0 && FixedPoint.int32At(opened.state.data, place) != 0) return false;
        return FixedPoint.int32At(opened.model.data, place) == 0;
    }

    /// @dev Whether the trees hold nothing at a block behind the last.
    function _paddingHolds(Facts calldata facts, uint256 block_, uint256 blocks, bytes calldata answer)
        private
        view
        returns (bool)
    {
        bytes32[][4] memory proofs = abi.decode(answer, (bytes32[][4]));
        bytes32[] memory plan = facts.plan;
        if (!proofs[0].opensPadding(Trees.MATRIX, facts.record.matrixRoot, block_, blocks)) return false;
        if (!proofs[1].opensPadding(Trees.AGGREGATE, facts.record.aggregateRoot, block_, blocks)) return false;
        if (!proofs[2].opensPadding(Trees.MODEL, facts.record.modelRoot, block_, blocks)) return false;
        return Plans.step(plan) != FED_AVG_M
            || proofs[3].opensPadding(Trees.SERVER_STATE, facts.record.serverStateRoot, block_, blocks);
    }
}
