// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.35;

/**
 * @title FixedPoint
 * @dev The integer arithmetic of a round: one rounding, one cut. Solidity's `/` truncates towards zero, hence the floor
 * that is spelt out here. The same bits as `shared/fixed-point`.
 */
library FixedPoint {
    /// @dev Coordinates in a block: what one leaf of a vector's tree holds.
    uint256 internal constant BLOCK = 64;

    /// @dev Largest magnitude of one coordinate of an update.
    int256 internal constant MAX_UPDATE = 8191;

    /// @dev Aggregate units in one update unit, 2^8.
    int256 internal constant FINER = 256;

    /// @dev The whole of a weight vector, 2^30.
    int256 internal constant WEIGHT_ONE = 2 ** 30;

    /// @dev Quotient of `a` and `b` rounded down, b > 0.
    function floorDiv(int256 a, int256 b) internal pure returns (int256 quotient) {
        quotient = a / b;
        if (a % b < 0) --quotient;
    }

    /// @dev The one rounding: `floor((2a + b) / 2b)`, to nearest with halves upwards; b > 0.
    function roundDiv(int256 a, int256 b) internal pure returns (int256) {
        return floorDiv(2 * a + b, 2 * b);
    }

    /// @dev `value` cut to what an int32 holds.
    function clampInt32(int256 value) internal pure returns (int256) {
        return clamp(value, type(int32).min, type(int32).max);
    }

    /// @dev `value` cut to `least` and `most`.
    function clamp(int256 value, int256 least, int256 most) internal pure returns (int256) {
        if (value < least) return least;
        return value > most ? most : value;
    }

    /// @dev Value `index` of little-endian int16 in `data`. The caller has checked the length.
    function int16At(bytes memory data, uint256 index) internal pure returns (int256 value) {
        assembly ("memory-safe") {
            let word := mload(add(add(data, 0x20), shl(1, index)))
            value := signextend(1, or(byte(0, word), shl(8, byte(1, word))))
        }
    }

    /// @dev Value `index` of little-endian int32 in `data`. The caller has checked the length.
    function int32At(bytes memory data, uint256 index) internal pure returns (int256 value) {
        assembly ("memory-safe") {
            let word := mload(add(add(data, 0x20), shl(2, index)))
            let low := or(byte(0, word), shl(8, byte(1, word)))
            value := signextend(3, or(low, or(shl(16, byte(2, word)), shl(24, byte(3, word)))))
        }
    }
}
