// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.35;

/**
 * @title Apportionment
 * @dev Division of a total among shares by largest remainder (Hamilton's method), as `shared/aggregation/apportion`: each
 * gets the whole part of its due, what is left goes, one each, to the largest remainders, ties by lowest index.
 */
library Apportionment {
    /// @dev Amounts that sum to `total`, or only zeros where every share is zero. `share * total` must stay below 2^256.
    function split(uint256[] memory shares, uint256 total) internal pure returns (uint256[] memory amounts) {
        uint256 n = shares.length;
        amounts = new uint256[](n);
        uint256 sum = 0;
        for (uint256 i = 0; i < n; ++i) {
            sum += shares[i];
        }
        if (sum == 0) return amounts;
        uint256[] memory remainders = new uint256[](n);
        uint256 left = total;
        for (uint256 i = 0; i < n; ++i) {
            uint256 due = shares[i] * total;
            amounts[i] = due / sum;
            remainders[i] = due % sum;
            left -= amounts[i];
        }
        // Fewer are left than there are remainders above zero, so nobody is served twice and no zero share at all.
        for (; left > 0; --left) {
            uint256 largest = 0;
            for (uint256 i = 1; i < n; ++i) {
                if (remainders[i] > remainders[largest]) largest = i;
            }
            ++amounts[largest];
            remainders[largest] = 0;
        }
    }
}
