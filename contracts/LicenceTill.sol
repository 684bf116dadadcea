// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.35;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ILicenceTill} from "./interfaces/ILicenceTill.sol";
import {IRewardVault} from "./interfaces/IRewardVault.sol";

/**
 * @title LicenceTill
 * @dev See {ILicenceTill}.
 */
contract LicenceTill is ILicenceTill {
    using SafeERC20 for IERC20;

    IERC20 private immutable _token;
    IRewardVault private immutable _vault;
    uint256 private immutable _endsAt;
    address private immutable _owner;

    /**
     * @param vault the job's vault
     * @param owner who gets what comes after the job's end
     */
    constructor(IRewardVault vault, address owner) {
        (address token,, uint256 endsAt) = vault.terms();
        _token = IERC20(token);
        _vault = vault;
        _endsAt = endsAt;
        _owner = owner;
        _token.forceApprove(address(vault), type(uint256).max);
    }

    /// @inheritdoc ILicenceTill
    function pass() external {
        if (block.timestamp < _endsAt) {
            uint256 amount = _token.balanceOf(address(this));
            if (amount == 0) return;
            emit Passed(address(_vault), amount);
            _vault.fund(amount);
            return;
        }
        (uint256 funded, uint256 activated,,) = _vault.totals();
        uint256 paid = _vault.contributionOf(address(this));
        // Anyone may have returned it already, and of what is all activated nothing returns.
        if (paid * (funded - activated) >= funded && paid != 0) _vault.refund(address(this));
        uint256 rest = _token.balanceOf(address(this));
        if (rest == 0) return;
        emit Passed(_owner, rest);
        _token.safeTransfer(_owner, rest);
    }

    /// @inheritdoc ILicenceTill
    function terms() external view returns (address token, address vault, address owner) {
        return (address(_token), address(_vault), _owner);
    }
}
