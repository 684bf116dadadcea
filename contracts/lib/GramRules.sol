// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.35;

import {FixedPoint} from "./FixedPoint.sol";
import {Sort} from "./Sort.sol";

/**
 * @title GramRules
 * @dev What follows from a round's matrix of exact inner products: scores, and who precedes whom in a selection. The same
 * bits as `shared/aggregation`. A matrix has n + 1 rows and columns in row-major order, the aggregate's last; a product
 * of updates is below 2^62 in magnitude and one with the aggregate 256 times that, so nothing here overflows.
 */
library GramRules {
    int256 private constant OUTLIER_FACTOR = 4;

    /**
     * @dev Scores of all n rows: `clamp(<q_i, a>, 0, 2 <a, a>)` in squared aggregate units for active rows no farther from
     * the aggregate than twice the lower median of the active rows' distances, 0 for the others.
     *
     * @param gram (n + 1)^2 inner products
     * @param active whether each row had a part in the aggregate
     */
    function scores(int256[] memory gram, bool[] memory active) internal pure returns (uint256[] memory result) {
        uint256 n = active.length;
        uint256 width = n + 1;
        int256 own = gram[n * width + n];
        int256[] memory distances = new int256[](n);
        uint256 count = 0;
        for (uint256 i = 0; i < n; ++i) {
            distances[i] = gram[i * width + i] * FixedPoint.FINER * FixedPoint.FINER - 2 * FixedPoint.FINER
                * gram[n * width + i] + own;
            if (active[i]) ++count;
        }
        int256 farthest = OUTLIER_FACTOR * _lowerMedian(distances, active, count);
        result = new uint256[](n);
        for (uint256 i = 0; i < n; ++i) {
            if (!active[i] || distances[i] > farthest) continue;
            result[i] = uint256(FixedPoint.clamp(FixedPoint.FINER * gram[n * width + i], 0, 2 * own));
        }
    }

    /**
     * @dev Krum's score of row i: the sum of the `count` smallest squared distances to other updates (Blanchard et al.
     * 2017).
     */
    function krumScore(int256[] memory gram, uint256 n, uint256 i, uint256 count) internal pure returns (int256 sum) {
        uint256 width = n + 1;
        int256[] memory distances = new int256[](n - 1);
        uint256 next = 0;
        for (uint256 j = 0; j < n; ++j) {
            if (j == i) continue;
            int256 squared = gram[i * width + i] + gram[j * width + j] - 2 * gram[i * width + j];
            distances[next] = squared < 0 ? int256(0) : squared;
            ++next;
        }
        Sort.ascending(distances);
        for (uint256 k = 0; k < count; ++k) {
            sum += distances[k];
        }
    }

    function _lowerMedian(int256[] memory values, bool[] memory active, uint256 count) private pure returns (int256) {
        if (count == 0) return 0;
        int256[] memory sorted = new int256[](count);
        uint256 next = 0;
        for (uint256 i = 0; i < values.length; ++i) {
            if (!active[i]) continue;
            sorted[next] = values[i];
            ++next;
        }
        Sort.ascending(sorted);
        return sorted[(count - 1) / 2];
    }
}
