// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.35;

/// @title Sort
/// @dev Insertion sort of at most 64 numbers in memory: shorter than what is quicker on more.
library Sort {
    /// @dev Sorts `values` in place, smallest first.
    function ascending(int256[] memory values) internal pure {
        assembly ("memory-safe") {
            let start := add(values, 0x20)
            let end := add(start, shl(5, mload(values)))
            for { let at := add(start, 0x20) } lt(at, end) { at := add(at, 0x20) } {
                let value := mload(at)
                let hole := at
                for {} gt(hole, start) {} {
                    let before := mload(sub(hole, 0x20))
                    if iszero(sgt(before, value)) { break }
                    mstore(hole, before)
                    hole := sub(hole, 0x20)
                }
                mstore(hole, value)
            }
        }
    }
}
