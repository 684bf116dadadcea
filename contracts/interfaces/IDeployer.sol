// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.35;

/**
 * @title IDeployer
 * @dev Creates contracts at addresses that depend on who creates them and on a salt, and on nothing else. So contracts
 * that name each other in their constructors can be created one after the other, and creating again what is there
 * already is seen before it is paid for.
 */
interface IDeployer {
    /// @dev `sender` has created `deployed` under `salt`.
    event Deployed(address indexed sender, bytes32 indexed salt, address deployed);

    /**
     * @dev Creates a contract under the caller's salt. A salt can be used once; what the constructor reverts with is
     * passed on.
     *
     * @param creationCode code with its constructor's arguments
     */
    function deploy(bytes32 salt, bytes calldata creationCode) external returns (address deployed);

    /// @dev Where {deploy} puts what `sender` creates under `salt`.
    function addressOf(address sender, bytes32 salt) external view returns (address);
}
