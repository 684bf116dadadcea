// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.35;

/**
 * @title IParams
 * @dev What the token's holders decide about jobs to come. Only the timelock changes it, and only within bounds that are
 * code. Every change makes a new version and leaves the old ones readable: a job is held to the version it was registered
 * under, so no vote reaches a job, let alone a round, that is open.
 */
interface IParams {
    /// @dev One version of everything that is a number.
    struct Values {
        /// @dev Shortest challenge window of a job, in seconds: 32 to `maxWindowS`.
        uint32 minWindowS;
        /// @dev Longest challenge window of a job, in seconds: 90 days at most, so that stakes get free.
        uint32 maxWindowS;
        /// @dev Shortest time for a move in a dispute, in seconds: 12 to `maxAnswerS`.
        uint32 minAnswerS;
        /// @dev Longest time for a move in a dispute, in seconds: 7 days at most, so that disputes end.
        uint32 maxAnswerS;
        /// @dev What a conviction must cost, in 1/10,000 of all rewards that a rewind can erase: 10,000 to 1,000,000.
        uint32 slashCoverBps;
        /// @dev Greatest bond of a challenger, in 1/10,000 of what a conviction costs: 1 to 5,000, so that judges are
        /// within the reach of those who are wronged.
        uint16 challengerBondBps;
        /// @dev Part of a licence's price that goes to the timelock, in 1/10,000: 1,000 at most.
        uint16 feeBps;
        /// @dev Whether jobs without disputes are refused.
        bool courtRequired;
        /// @dev Locked by whoever registers a job until the job has ended, in the voting token's smallest unit: 10,000
        /// tokens of 18 decimals at most.
        uint96 registrationBond;
    }

    /// @dev `version` is in force from now on.
    event ValuesSet(uint256 indexed version, Values values);

    /// @dev Jobs may, or may not, be registered with the rule whose name has this hash.
    event RuleSet(bytes32 indexed rule, bool allowed);

    /// @dev The contract known by this name is at `target` from now on.
    event PointerSet(bytes32 indexed name, address target);

    /// @dev A value is outside its bounds.
    error ParamsOutOfBounds(string parameter);

    /// @dev `account` is not the timelock.
    error ParamsUnauthorizedAccount(address account);

    /// @dev There is no such version.
    error ParamsUnknownVersion(uint256 version);

    /// @dev Puts a new version in force. Timelock only.
    function set(Values calldata values) external;

    /// @dev Allows or forbids a rule, by keccak256 of its name, for jobs to come. Timelock only.
    function setRule(bytes32 rule, bool allowed) external;

    /// @dev Says where the current deployment of a contract is, by keccak256 of its name. Timelock only.
    function setPointer(bytes32 name, address target) external;

    /// @dev The version in force and its number; the first is 1.
    function current() external view returns (uint256 version, Values memory values);

    /// @dev Any version there was.
    function valuesAt(uint256 version) external view returns (Values memory);

    /// @dev Whether new jobs may use a rule.
    function isAllowed(bytes32 rule) external view returns (bool);

    /// @dev Where the current deployment of a contract is; zero if it was never said.
    function pointer(bytes32 name) external view returns (address);

    /// @dev Who alone changes anything here, and receives fees.
    function timelock() external view returns (address);
}
