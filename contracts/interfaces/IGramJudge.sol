// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.35;

import {Circumstances, Facts} from "./IJudge.sol";
import {Openings} from "../lib/Openings.sol";

/**
 * @title IGramJudge
 * @dev The recomputations of a dispute over one entry of the Gram matrix: what the record says, and one block's share of
 * what is true. Rows and columns 0 to n - 1 are the updates, n is the aggregate. Keeps no state.
 */
interface IGramJudge {
    /// @dev One block of what is multiplied; the leaf that is not needed may be empty.
    struct BlockOpening {
        /// @dev The block of all n updates.
        Openings.Leaf matrix;
        /// @dev The block of the aggregate.
        Openings.Leaf aggregate;
    }

    /// @dev An opening does not lead to the record's root.
    error GramJudgeWrongOpening();

    /// @dev Whether such an entry can be settled.
    function admits(Facts calldata facts, uint256 row, uint256 column) external view returns (bool);

    /// @dev The entry that the record commits to, from its row.
    function entry(Facts calldata facts, uint256 row, uint256 column, Openings.Leaf calldata opening)
        external
        view
        returns (int256 value);

    /// @dev The inner product of the two rows over one block.
    function product(
        Facts calldata facts,
        Circumstances calldata circumstances,
        uint256 row,
        uint256 column,
        uint256 block_,
        BlockOpening calldata opening
    ) external view returns (int256 sum);
}
