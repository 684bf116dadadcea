// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.35;

/**
 * @title Sort
 * @dev Shell's sort of at most 64 numbers in memory, with gaps of 23, 10, 4 and 1 (Ciura 2001). Insertion sort alone takes
 * twice as long on numbers that fall, and whoever sends updates can make them fall.
 */
library Sort {
    /// @dev Sorts `values` in place, smallest first.
    function ascending(int256[] memory values) internal pure {
        assembly ("memory-safe") {
            let start := add(values, 0x20)
            let end := add(start, shl(5, mload(values)))
            // One byte a gap, the first lowest.
            for { let gaps := 0x01040a17 } gaps { gaps := shr(8, gaps) } {
                let gap := shl(5, and(gaps, 0xff))
                let least := add(start, gap)
                for { let at := least } lt(at, end) { at := add(at, 0x20) } {
                    let value := mload(at)
                    let hole := at
                    for {} iszero(lt(hole, least)) {} {
                        let before := mload(sub(hole, gap))
                        if iszero(sgt(before, value)) { break }
                        mstore(hole, before)
                        hole := sub(hole, gap)
                    }
                    mstore(hole, value)
                }
            }
        }
    }
}
