// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.35;

import {Strings} from "@openzeppelin/contracts/utils/Strings.sol";
import {GramRules} from "./GramRules.sol";
import {Plans} from "./Plans.sol";

/**
 * @title Selections
 * @dev Rules that average the best of n updates by one figure: Krum, Multi-Krum, CGE, MoNNA. Their parameters are
 * committed to by the hash of their canonical JSON; the few spellings there are are tried.
 */
library Selections {
    /// @dev What a plan selects by.
    struct Selection {
        /// @dev keccak256 of the rule's name.
        bytes32 rule;
        /// @dev How many updates are selected; zero where the chain cannot tell.
        uint256 count;
        /// @dev For Krum: how many neighbours a score sums. For MoNNA: the trusted row.
        uint256 setting;
    }

    uint256 private constant MAX_PARTICIPANTS = 64;

    /// @dev Reads the selection of a plan for n updates; a count of zero where it is none, or beyond its bound.
    function read(bytes32[] memory plan, uint256 n) internal pure returns (Selection memory selection) {
        uint256 f = Plans.faulty(plan);
        bytes32 rule = Plans.rule(plan);
        bytes32 parameters = Plans.parameters(plan);
        selection.rule = rule;
        if (f >= n) return selection;
        if (rule == Plans.CGE && parameters == keccak256("{}")) {
            selection.count = n - f;
        } else if (rule == Plans.MONNA) {
            (bool known, uint256 pivot) = _number("{\"idx\":", "}", parameters);
            if (known && pivot < n) (selection.count, selection.setting) = (n - f, pivot);
        } else if (rule == Plans.KRUM && 2 * f + 2 < n) {
            selection.setting = _neighbours("{", parameters, n, f);
            if (selection.setting > 0) selection.count = 1;
        } else if (rule == Plans.MULTI_KRUM && 2 * f + 2 < n) {
            _readMultiKrum(selection, parameters, n, f);
        }
    }

    /// @dev Whether row i comes before row j: a smaller figure, or the same and a lower index.
    function precedes(Selection memory selection, int256[] memory gram, uint256 n, uint256 i, uint256 j)
        internal
        pure
        returns (bool)
    {
        int256 first = _figure(selection, gram, n, i);
        int256 second = _figure(selection, gram, n, j);
        return first < second || (first == second && i < j);
    }

    function _figure(Selection memory selection, int256[] memory gram, uint256 n, uint256 i)
        private
        pure
        returns (int256)
    {
        uint256 width = n + 1;
        if (selection.rule == Plans.CGE) return gram[i * width + i];
        uint256 pivot = selection.setting;
        if (selection.rule != Plans.MONNA) return GramRules.krumScore(gram, n, i, pivot);
        int256 squared = gram[i * width + i] + gram[pivot * width + pivot] - 2 * gram[pivot * width + i];
        return squared < 0 ? int256(0) : squared;
    }

    function _readMultiKrum(Selection memory selection, bytes32 parameters, uint256 n, uint256 f) private pure {
        selection.setting = _neighbours("{\"m\":\"n-f\",", parameters, n, f);
        if (selection.setting > 0) {
            selection.count = n - f;
            return;
        }
        selection.setting = _neighbours("{\"m\":\"n-f-2\",", parameters, n, f);
        if (selection.setting > 0) {
            selection.count = n - f - 2;
            return;
        }
        for (uint256 m = 1; m <= n - f; ++m) {
            selection.setting = _neighbours(string.concat("{\"m\":", Strings.toString(m), ","), parameters, n, f);
            if (selection.setting == 0) continue;
            selection.count = m;
            return;
        }
    }

    /// @dev Neighbours that a score sums, zero where the parameters do not begin so.
    function _neighbours(string memory start, bytes32 parameters, uint256 n, uint256 f) private pure returns (uint256) {
        if (parameters == keccak256(bytes.concat(bytes(start), "\"neighbours\":\"byzfl\"}"))) return n - f - 1;
        if (parameters == keccak256(bytes.concat(bytes(start), "\"neighbours\":\"original\"}"))) return n - f - 2;
        return 0;
    }

    function _number(string memory start, string memory end, bytes32 hash)
        private
        pure
        returns (bool known, uint256 number)
    {
        for (; number < MAX_PARTICIPANTS; ++number) {
            if (keccak256(bytes(string.concat(start, Strings.toString(number), end))) == hash) return (true, number);
        }
        return (false, 0);
    }
}
