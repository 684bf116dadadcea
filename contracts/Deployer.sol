// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.35;

import {Create3} from "@openzeppelin/contracts/utils/Create3.sol";
import {IDeployer} from "./interfaces/IDeployer.sol";

/**
 * @title Deployer
 * @dev See {IDeployer}. One for a chain, without state or owner. It is created itself through the deterministic deployment
 * proxy (https://github.com/Arachnid/deterministic-deployment-proxy), hence at the same address on every chain.
 *
 * The pattern is known as CREATE3 (EIP-3171, as 0xsequence and solady have it): CREATE2 of a proxy that is always the
 * same, which creates the contract as its first. The sender is part of the salt, so nobody can take another's address.
 */
contract Deployer is IDeployer {
    /// @inheritdoc IDeployer
    function deploy(bytes32 salt, bytes calldata creationCode) external returns (address deployed) {
        deployed = Create3.deploy(0, _saltOf(msg.sender, salt), creationCode);
        emit Deployed(msg.sender, salt, deployed);
    }

    /// @inheritdoc IDeployer
    function addressOf(address sender, bytes32 salt) external view returns (address) {
        return Create3.computeAddress(_saltOf(sender, salt));
    }

    function _saltOf(address sender, bytes32 salt) private pure returns (bytes32) {
        return keccak256(abi.encode(sender, salt));
    }
}
