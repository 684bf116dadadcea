// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.35;

import {FixedPoint} from "./FixedPoint.sol";
import {Sort} from "./Sort.sol";

/**
 * @title CoordinateRules
 * @dev One coordinate of an aggregate from the n values that the updates have there, in aggregate units (256 a unit of an
 * update). The same bits as `shared/aggregation/rules`; `values` serve as scratch and come back sorted.
 */
library CoordinateRules {
    /// @dev `f` is not below half of the values, so the rule has no value.
    error CoordinateRulesTooManyFaulty(uint256 n, uint256 f);

    /// @dev Middle value, or the mean of the two middle ones (Yin et al. 2018). 2f < n.
    function median(int256[] memory values, uint256 f) internal pure returns (int256) {
        uint256 n = _bounded(values, f);
        Sort.ascending(values);
        return FixedPoint.roundDiv(FixedPoint.FINER * (values[(n - 1) / 2] + values[n / 2]), 2);
    }

    /// @dev Mean of what is left without the f smallest and the f largest (Yin et al. 2018). 2f < n.
    function trimmedMean(int256[] memory values, uint256 f) internal pure returns (int256) {
        uint256 n = _bounded(values, f);
        Sort.ascending(values);
        return _mean(values, f, n - 2 * f);
    }

    /// @dev Mean of the n - f values nearest the median (Xie, Koyejo and Gupta 2018). 2f < n.
    function meamed(int256[] memory values, uint256 f) internal pure returns (int256) {
        uint256 n = _bounded(values, f);
        Sort.ascending(values);
        uint256 start = _nearestWindow(values, n - f, 2, values[(n - 1) / 2] + values[n / 2]);
        return _mean(values, start, n - f);
    }

    /// @dev Mean of the n - f values nearest the f-trimmed mean (Xie, Koyejo and Gupta 2018). 2f < n.
    function phocas(int256[] memory values, uint256 f) internal pure returns (int256) {
        uint256 n = _bounded(values, f);
        Sort.ascending(values);
        uint256 kept = n - 2 * f;
        uint256 start = _nearestWindow(values, n - f, int256(kept), _sum(values, f, kept));
        return _mean(values, start, n - f);
    }

    /// @dev One update unit in the direction most values point to (Bernstein et al. 2019). 2f < n.
    function signMajority(int256[] memory values, uint256 f) internal pure returns (int256) {
        uint256 n = _bounded(values, f);
        int256 votes = 0;
        for (uint256 i = 0; i < n; ++i) {
            if (values[i] != 0) votes += values[i] > 0 ? int256(1) : int256(-1);
        }
        if (votes == 0) return 0;
        return votes > 0 ? FixedPoint.FINER : -FixedPoint.FINER;
    }

    /// @dev Sum of the values by integer weights in units of 2^-30, cut to an update's range.
    function weightedSum(int256[] memory values, int256[] memory weights) internal pure returns (int256) {
        int256 sum = 0;
        for (uint256 i = 0; i < values.length; ++i) {
            sum += weights[i] * values[i];
        }
        int256 most = FixedPoint.MAX_UPDATE * FixedPoint.FINER;
        return FixedPoint.clamp(FixedPoint.roundDiv(sum, FixedPoint.WEIGHT_ONE / FixedPoint.FINER), -most, most);
    }

    function _bounded(int256[] memory values, uint256 f) private pure returns (uint256 n) {
        n = values.length;
        if (2 * f >= n) revert CoordinateRulesTooManyFaulty(n, f);
    }

    /// @dev Where the `count` values nearest `centre / scale` begin; of two equally far the smaller is taken.
    function _nearestWindow(int256[] memory values, uint256 count, int256 scale, int256 centre)
        private
        pure
        returns (uint256 start)
    {
        while (start + count < values.length) {
            if (values[start + count] * scale - centre >= centre - values[start] * scale) break;
            ++start;
        }
    }

    function _sum(int256[] memory values, uint256 start, uint256 count) private pure returns (int256 sum) {
        for (uint256 i = start; i < start + count; ++i) {
            sum += values[i];
        }
    }

    function _mean(int256[] memory values, uint256 start, uint256 count) private pure returns (int256) {
        return FixedPoint.roundDiv(FixedPoint.FINER * _sum(values, start, count), int256(count));
    }
}
