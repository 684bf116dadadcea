// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.35;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
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
    // Squared sine of the angle up to which two updates are one and the same, as its inverse.
    int256 private constant INVERSE_SQUARED_SINE = 256;

    /**
     * @dev Scores of all n rows by alignment: `clamp(<q_i, a>, 0, 2 <a, a>)` in squared aggregate units for active rows no
     * farther from the aggregate than twice the lower median of the active rows' distances, 0 for the others.
     *
     * @param gram (n + 1)^2 inner products
     * @param active whether each row had a part in the aggregate
     */
    function alignmentScores(int256[] memory gram, bool[] memory active)
        internal
        pure
        returns (uint256[] memory result)
    {
        uint256 n = active.length;
        bool[] memory near = _near(gram, active);
        int256 most = 2 * gram[n * (n + 1) + n];
        result = new uint256[](n);
        for (uint256 i = 0; i < n; ++i) {
            if (near[i]) result[i] = uint256(FixedPoint.clamp(FixedPoint.FINER * gram[n * (n + 1) + i], 0, most));
        }
    }

    /**
     * @dev Scores of all n rows by what the others confirm: the lower median of `<q_i, q_j>` over the others j for rows that
     * are near as above and point along the aggregate, in squared update units; times `M / floor(sqrt(M <q_i, q_i>))` for
     * rows longer than the lower median M of all squares; shared among near-copies unless they are more than half of all.
     */
    function confirmationScores(int256[] memory gram, bool[] memory active)
        internal
        pure
        returns (uint256[] memory result)
    {
        uint256 n = active.length;
        bool[] memory near = _near(gram, active);
        int256[] memory squares = new int256[](n);
        for (uint256 i = 0; i < n; ++i) {
            squares[i] = gram[i * (n + 1) + i];
        }
        Sort.ascending(squares);
        uint256 typical = uint256(squares[(n - 1) / 2]);
        uint256[] memory confirmed = new uint256[](n);
        for (uint256 i = 0; i < n; ++i) {
            if (!near[i] || gram[n * (n + 1) + i] <= 0) continue;
            int256 peers = _peers(gram, n, i);
            if (peers <= 0) continue;
            uint256 square = uint256(gram[i * (n + 1) + i]);
            uint256 score = uint256(peers);
            confirmed[i] = square > typical ? score * typical / Math.sqrt(typical * square) : score;
        }
        result = new uint256[](n);
        for (uint256 i = 0; i < n; ++i) {
            if (confirmed[i] > 0) result[i] = _shareOf(gram, confirmed, i);
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

    /// @dev Active rows no farther from the aggregate than twice the lower median of the active rows' distances.
    function _near(int256[] memory gram, bool[] memory active) private pure returns (bool[] memory near) {
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
        near = new bool[](n);
        for (uint256 i = 0; i < n; ++i) {
            near[i] = active[i] && distances[i] <= farthest;
        }
    }

    /// @dev Lower median of row i's products with the others; its own square where it is alone.
    function _peers(int256[] memory gram, uint256 n, uint256 i) private pure returns (int256) {
        if (n == 1) return gram[0];
        int256[] memory products = new int256[](n - 1);
        uint256 next = 0;
        for (uint256 j = 0; j < n; ++j) {
            if (j == i) continue;
            products[next] = gram[i * (n + 1) + j];
            ++next;
        }
        Sort.ascending(products);
        return products[(n - 2) / 2];
    }

    /// @dev Row i's score divided by the near-copies that score as well, unless they are more than half of all rows.
    function _shareOf(int256[] memory gram, uint256[] memory confirmed, uint256 i) private pure returns (uint256) {
        uint256 n = confirmed.length;
        uint256 copies = 0;
        for (uint256 j = 0; j < n; ++j) {
            if (confirmed[j] == 0) continue;
            int256 inner = gram[i * (n + 1) + j];
            int256 norms = gram[i * (n + 1) + i] * gram[j * (n + 1) + j];
            bool near = inner > 0 && INVERSE_SQUARED_SINE * inner * inner >= (INVERSE_SQUARED_SINE - 1) * norms;
            if (i == j || near) ++copies;
        }
        return 2 * copies > n ? confirmed[i] : confirmed[i] / copies;
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
