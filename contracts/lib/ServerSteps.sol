// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.35;

import {FixedPoint} from "./FixedPoint.sol";

/**
 * @title ServerSteps
 * @dev One coordinate of the server's step, the same bits as `shared/fixed-point`. Exponents come from a record (64 at
 * most) and a manifest's tensor table (30 and 16 at most), so every term stays far below 2^255.
 */
library ServerSteps {
    /// @dev The scales that meet at one coordinate, as binary places.
    struct Scales {
        /// @dev Of the tensor's model coordinates.
        uint256 fractionBits;
        /// @dev By which the tensor's updates are finer than the round's.
        uint256 preScaleBits;
        /// @dev Of the round's updates.
        uint256 updateBits;
    }

    uint256 private constant AGGREGATE_BITS = 8;
    uint256 private constant RATE_BITS = 16;
    uint256 private constant MOMENTUM_BITS = 4;

    /// @dev FedAvg (McMahan et al. 2017): `model + rate * aggregate`, rounded once, cut to int32; rate in 2^-16.
    function fedAvg(int256 model, int256 aggregate, int256 rate, Scales memory scales) internal pure returns (int256) {
        (uint256 up, uint256 down) =
            _shift(scales.fractionBits, scales.updateBits + scales.preScaleBits + AGGREGATE_BITS + RATE_BITS);
        return FixedPoint.clampInt32(model + _scaled(aggregate * rate, up, down));
    }

    /**
     * @dev FedAvgM (Hsu, Qi and Brown 2019): `state' = momentum * state + aggregate`, `model' = model + rate * state'`,
     * each rounded once and cut to int32. Rate and momentum in 2^-16; the state is 16 times finer than the model.
     */
    function fedAvgM(int256 model, int256 state, int256 aggregate, int256 rate, int256 momentum, Scales memory scales)
        internal
        pure
        returns (int256 nextModel, int256 nextState)
    {
        (uint256 up, uint256 down) =
            _shift(scales.fractionBits + MOMENTUM_BITS, scales.updateBits + scales.preScaleBits + AGGREGATE_BITS);
        int256 sum = momentum * state * int256(1 << down) + aggregate * int256(1 << (RATE_BITS + up));
        nextState = FixedPoint.clampInt32(FixedPoint.roundDiv(sum, int256(1 << (RATE_BITS + down))));
        int256 step = FixedPoint.roundDiv(rate * nextState, int256(1 << (RATE_BITS + MOMENTUM_BITS)));
        nextModel = FixedPoint.clampInt32(model + step);
    }

    function _shift(uint256 finer, uint256 coarser) private pure returns (uint256 up, uint256 down) {
        return finer >= coarser ? (finer - coarser, uint256(0)) : (uint256(0), coarser - finer);
    }

    function _scaled(int256 value, uint256 up, uint256 down) private pure returns (int256) {
        return up > 0 ? value * int256(1 << up) : FixedPoint.roundDiv(value, int256(1 << down));
    }
}
