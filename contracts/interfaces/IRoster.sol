// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.35;

/// @title IRoster
/// @dev Keeps the list of those whose attestations count.
interface IRoster {
    /// @dev Account whose code is the list: a zero byte, then 20 bytes a participant. Zero before the first list.
    function rosterStore() external view returns (address);
}
