// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.35;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {ERC20Votes} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Votes.sol";
import {Nonces} from "@openzeppelin/contracts/utils/Nonces.sol";

/**
 * @title FedToken
 * @dev The token jobs pay in and votes are counted in: a fixed supply, minted once, nothing but OpenZeppelin's logic.
 */
contract FedToken is ERC20, ERC20Permit, ERC20Votes {
    /**
     * @param treasury who receives the whole supply
     * @param supply in the smallest unit (18 decimals)
     */
    constructor(address treasury, uint256 supply) ERC20("Fedanchor", "FED") ERC20Permit("Fedanchor") {
        _mint(treasury, supply);
    }

    function _update(address from, address to, uint256 value) internal override(ERC20, ERC20Votes) {
        super._update(from, to, value);
    }

    /// @inheritdoc ERC20Permit
    function nonces(address owner) public view override(ERC20Permit, Nonces) returns (uint256) {
        return super.nonces(owner);
    }
}
