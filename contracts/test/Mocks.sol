// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.35;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {IRewardVault} from "../interfaces/IRewardVault.sol";

contract PlainToken is ERC20("Plain", "PLN") {
    function mint(address account, uint256 amount) external {
        _mint(account, amount);
    }

    function burn(address account, uint256 amount) external {
        _burn(account, amount);
    }
}

/// @dev Keeps a tenth of each transfer.
contract FeeToken is ERC20("Fee", "FEE") {
    function mint(address account, uint256 amount) external {
        _mint(account, amount);
    }

    function _update(address from, address to, uint256 value) internal override {
        super._update(from, to, value);
        if (from != address(0) && to != address(0)) super._update(to, address(0), value / 10);
    }
}

/// @dev Refuses transfers to blocked accounts.
contract BlockingToken is ERC20("Blocking", "BLK") {
    mapping(address => bool) public blocked;

    function mint(address account, uint256 amount) external {
        _mint(account, amount);
    }

    function setBlocked(address account, bool yes) external {
        blocked[account] = yes;
    }

    function _update(address from, address to, uint256 value) internal override {
        require(!blocked[to], "blocked");
        super._update(from, to, value);
    }
}

/// @dev Calls the recipient after each transfer, as ERC-777 does.
contract HookToken is ERC20("Hook", "HOOK") {
    function mint(address account, uint256 amount) external {
        _mint(account, amount);
    }

    function _update(address from, address to, uint256 value) internal override {
        super._update(from, to, value);
        if (to.code.length != 0 && from != address(0)) {
            (bool done, bytes memory reason) = to.call(abi.encodeWithSignature("tokensReceived()"));
            if (!done && reason.length != 0) {
                assembly ("memory-safe") {
                    revert(add(reason, 0x20), mload(reason))
                }
            }
        }
    }
}

/// @dev Calls the vault again from within its payment.
contract Reenterer {
    IRewardVault public vault;
    bytes public call;
    uint256 public entered;

    function prepare(IRewardVault vault_, bytes calldata call_) external {
        vault = vault_;
        call = call_;
    }

    function tokensReceived() external {
        if (msg.sender == address(vault) || address(vault) == address(0)) return;
        (bool done,) = address(vault).call(call);
        if (done) ++entered;
    }
}
