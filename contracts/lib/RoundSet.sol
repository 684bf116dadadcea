// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.35;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

/**
 * @title RoundSet
 * @dev Rounds that something is in flight for, how often, and the least of them. All rounds in a set lie within 1,024 of
 * each other: a RoundAnchor recycles no slot of a round that is held, and its ring has no more slots.
 */
library RoundSet {
    /// @dev The set.
    struct Set {
        /// @dev Round r is at bit r % 1024.
        uint256[4] bits;
        /// @dev How often each round was added and not removed.
        mapping(uint64 round => uint256) counts;
        /// @dev The least round, zero for none. Round 0 is never in a set.
        uint64 first;
    }

    uint256 private constant SPAN = 1024;

    /// @dev The least round, zero for none.
    function least(Set storage set) internal view returns (uint64) {
        return set.first;
    }

    /// @dev Adds a round once more; returns whether the least one has changed.
    function add(Set storage set, uint64 round) internal returns (bool changed) {
        ++set.counts[round];
        set.bits[round % SPAN / 256] |= 1 << round % 256;
        changed = set.first == 0 || round < set.first;
        if (changed) set.first = round;
    }

    /// @dev Removes a round once; returns whether the least one has changed.
    function remove(Set storage set, uint64 round) internal returns (bool changed) {
        if (--set.counts[round] > 0) return false;
        set.bits[round % SPAN / 256] &= ~(1 << round % 256);
        changed = round == set.first;
        if (changed) set.first = _after(set, round);
    }

    /// @dev The least round of the set above `round`, of which it was the least; zero for none.
    function _after(Set storage set, uint64 round) private view returns (uint64) {
        for (uint256 next = uint256(round) + 1; next < round + SPAN;) {
            uint256 rest = set.bits[next % SPAN / 256] >> next % 256;
            if (rest != 0) {
                next += Math.log2(rest & (~rest + 1));
                return next < round + SPAN ? uint64(next) : 0;
            }
            next += 256 - next % 256;
        }
        return 0;
    }
}
