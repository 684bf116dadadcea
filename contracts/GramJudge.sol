// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.35;

import {Circumstances, Facts} from "./interfaces/IJudge.sol";
import {IGramJudge} from "./interfaces/IGramJudge.sol";
import {FixedPoint} from "./lib/FixedPoint.sol";
import {Openings} from "./lib/Openings.sol";
import {Trees} from "./lib/Trees.sol";

/// @title GramJudge
/// @dev See {IGramJudge}.
contract GramJudge is IGramJudge {
    using Openings for Openings.Leaf;

    uint256 private constant MAX_PARTICIPANTS = 64;
    uint256 private constant ROW = 128;
    uint256 private constant MODEL_LEAF = 256;

    /// @inheritdoc IGramJudge
    function admits(Facts calldata facts, uint256 row, uint256 column) external pure returns (bool) {
        uint256 n = facts.record.participants;
        return n <= MAX_PARTICIPANTS && row <= n && column <= n;
    }

    /// @inheritdoc IGramJudge
    function entry(Facts calldata facts, uint256 row, uint256 column, Openings.Leaf calldata opening)
        external
        view
        returns (int256 value)
    {
        uint256 width = uint256(facts.record.participants) + 1;
        Openings.Leaf memory leaf = opening;
        if (!leaf.opens(width * 32, Trees.GRAM, facts.record.gramRoot, row, width)) revert GramJudgeWrongOpening();
        bytes memory data = leaf.data;
        assembly ("memory-safe") {
            value := mload(add(add(data, 0x20), shl(5, column)))
        }
    }

    /// @inheritdoc IGramJudge
    function product(
        Facts calldata facts,
        Circumstances calldata circumstances,
        uint256 row,
        uint256 column,
        uint256 block_,
        BlockOpening calldata opening
    ) external view returns (int256 sum) {
        uint256 n = facts.record.participants;
        uint256 blocks = circumstances.blocks;
        BlockOpening memory opened = opening;
        if (
            (row < n || column < n)
                && !opened.matrix.opens(n * ROW, Trees.MATRIX, facts.record.matrixRoot, block_, blocks)
        ) revert GramJudgeWrongOpening();
        if (
            (row == n || column == n)
                && !opened.aggregate.opens(MODEL_LEAF, Trees.AGGREGATE, facts.record.aggregateRoot, block_, blocks)
        ) revert GramJudgeWrongOpening();
        for (uint256 i = 0; i < FixedPoint.BLOCK; ++i) {
            sum += _valueAt(opened, n, row, i) * _valueAt(opened, n, column, i);
        }
    }

    function _valueAt(BlockOpening memory opened, uint256 n, uint256 row, uint256 place) private pure returns (int256) {
        if (row == n) return FixedPoint.int32At(opened.aggregate.data, place);
        return FixedPoint.int16At(opened.matrix.data, row * FixedPoint.BLOCK + place);
    }
}
