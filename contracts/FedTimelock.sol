// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.35;

import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";

/**
 * @title FedTimelock
 * @dev OpenZeppelin's timelock, nothing added: what was voted waits here before it happens, in everybody's sight. It has no
 * administrator but itself, so roles change by proposals only.
 */
contract FedTimelock is TimelockController {
    /**
     * @param minDelay how long everything waits, in seconds
     * @param governor who alone proposes and cancels; may be an address at which the governor is yet to be created
     */
    constructor(uint256 minDelay, address governor)
        TimelockController(minDelay, _only(governor), _only(address(0)), address(0))
    {}

    /// @dev Executors: anyone (the zero address), once the time has passed.
    function _only(address account) private pure returns (address[] memory list) {
        list = new address[](1);
        list[0] = account;
    }
}
