// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.35;

/**
 * @title ILicenceTill
 * @dev What one job's licences have earned, on its way to the job's vault. Each job has its own, so that a token or a vault
 * that misbehaves touches no other job's money.
 */
interface ILicenceTill {
    /// @dev `amount` went on to `recipient`: the vault while the job lasts, the job's owner after its end.
    event Passed(address indexed recipient, uint256 amount);

    /// @dev Sends on all there is; after the job's end also what the vault returns. Anyone.
    function pass() external;

    /// @dev The token sold for, the vault that is funded, who gets what comes after the job's end.
    function terms() external view returns (address token, address vault, address owner);
}
