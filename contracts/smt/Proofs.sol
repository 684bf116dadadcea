// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.35;

import {FixedPoint} from "../lib/FixedPoint.sol";

/**
 * @title Proofs
 * @dev What solc's model checker proves of the arithmetic core for every input, not for some: each `assert` holds
 * whatever the arguments. Never deployed.
 *
 * The one rounding is `floorDiv(2a + b, 2b)`, so that the first proof is its proof: with A = 2a + b and B = 2b it says
 * `2bq <= 2a + b` and `2bq > 2a - b`, that is, to nearest and halves upwards.
 */
contract Proofs {
    /// @dev The floor of a quotient, of either sign.
    function floorDiv(int128 a, int64 b) external pure {
        require(b > 0);
        int256 q = FixedPoint.floorDiv(a, b);
        int256 rest = int256(a) - q * int256(b);
        assert(rest >= 0);
        assert(rest < int256(b));
    }

    /// @dev The mean of two middle values: exact, or half a unit upwards.
    function median(int64 a, int64 b) external pure {
        int256 sum = int256(a) + b;
        int256 q = FixedPoint.roundDiv(sum, 2);
        assert(2 * q == sum || 2 * q == sum + 1);
    }

    /// @dev A sum by weights comes back to aggregate units within half of one.
    function weighted(int128 sum) external pure {
        int256 one = FixedPoint.WEIGHT_ONE / FixedPoint.FINER;
        int256 q = FixedPoint.roundDiv(sum, one);
        assert(2 * (q * one - sum) <= one);
        assert(2 * (sum - q * one) < one);
    }

    /// @dev Cutting to an int32 changes nothing that fits, and nothing else comes out.
    function clamp(int256 value) external pure {
        int256 cut = FixedPoint.clampInt32(value);
        assert(cut >= type(int32).min && cut <= type(int32).max);
        assert(value < type(int32).min || value > type(int32).max || cut == value);
        assert(value <= type(int32).max || cut == type(int32).max);
        assert(value >= type(int32).min || cut == type(int32).min);
    }

    /// @dev A score is never negative, nor above twice the aggregate's own square.
    function score(int256 product, int128 own) external pure {
        require(own >= 0);
        int256 cut = FixedPoint.clamp(product, 0, 2 * int256(own));
        assert(cut >= 0 && cut <= 2 * int256(own));
    }
}
