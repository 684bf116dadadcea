// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.35;

import {SignedData} from "../lib/SignedData.sol";

/**
 * @title IStakeManager
 * @dev Holds all money that answers for one job: participants' stakes, coordinators' bonds, challengers' bonds, and what
 * is owed or to be shared out after a fault. Always
 * `balance >= stakes + bonds + locked + pots + owed`, with equality unless somebody gave tokens away.
 *
 * Payments are credited and fetched with {withdraw}: a receiver that cannot receive holds up nobody.
 */
interface IStakeManager {
    /// @dev What an instance is created with; all of it is immutable.
    struct Terms {
        /// @dev A plain ERC-20.
        address token;
        /// @dev The job's RoundAnchor, whose arbiter alone may slash.
        address anchor;
        /// @dev Least stake of a participant, in the token's smallest unit; not zero.
        uint96 minStake;
        /// @dev Longest time a round is open, in seconds.
        uint32 longestRoundS;
        /// @dev Longest time a dispute lasts, in seconds.
        uint32 longestDisputeS;
        /// @dev Part of a stake that one equivocation costs, in 1/10,000.
        uint16 faultBps;
        /// @dev Part of what is slashed that goes to whoever proved the fault, in 1/10,000; below half.
        uint16 proverBps;
        /// @dev Part of what is slashed that compensates the participants of rewound rounds, in 1/10,000.
        uint16 compensationBps;
    }

    /// @dev Sums of everything held, in the token's smallest unit.
    struct Totals {
        /// @dev Participants' stakes, exiting ones included.
        uint256 stakes;
        /// @dev Coordinators' bonds.
        uint256 bonds;
        /// @dev Challengers' bonds of disputes in flight.
        uint256 locked;
        /// @dev Compensation not yet credited.
        uint256 pots;
        /// @dev Credits not yet withdrawn.
        uint256 owed;
        /// @dev Slashed and destroyed since the beginning; no part of the balance.
        uint256 burned;
    }

    /// @dev `account` has staked `amount` more.
    event Staked(address indexed account, uint256 amount);

    /// @dev `account` takes part in no round that opens from now on; its stake is free at `freeAt` (seconds since 1970).
    event ExitRequested(address indexed account, uint256 freeAt);

    /// @dev `account` has left with `amount`.
    event Exited(address indexed account, uint256 amount);

    /// @dev A coordinator has posted `amount` more.
    event BondPosted(address indexed account, uint256 amount);

    /// @dev A coordinator's bond is free at `freeAt` (seconds since 1970).
    event BondExitRequested(address indexed account, uint256 freeAt);

    /// @dev A coordinator has taken its bond back.
    event BondReturned(address indexed account, uint256 amount);

    /// @dev A stake or bond of `account` was cut by `amount`; `reporter` gets `reward`, participants `compensation`.
    event Slashed(
        address indexed account, address indexed reporter, uint256 amount, uint256 reward, uint256 compensation
    );

    /// @dev Two statements of one participant for one round and attempt were shown.
    event EquivocationProven(address indexed account, uint64 indexed round, uint32 attempt);

    /// @dev A list of participants for attestations was published.
    event RosterPublished(address store, uint256 participants);

    /// @dev `account` was credited `amount`.
    event Credited(address indexed account, uint256 amount);

    /// @dev `account` took `amount` out.
    event Withdrawn(address indexed account, uint256 amount);

    /// @dev A constructor parameter is outside its bounds.
    error StakeManagerInvalidParameter(string parameter);

    /// @dev `account` is not the job's arbiter.
    error StakeManagerUnauthorizedAccount(address account);

    /// @dev The stake would be below the least, or nothing arrived.
    error StakeManagerTooLittle(uint256 amount, uint256 least);

    /// @dev The roster has no room for another participant.
    error StakeManagerFull();

    /// @dev The account is leaving already.
    error StakeManagerExiting(address account);

    /// @dev There is nothing to leave with, nothing to withdraw, or no exit was requested.
    error StakeManagerNothingThere(address account);

    /// @dev The stake or bond is bound until `freeAt` (seconds since 1970).
    error StakeManagerStillBound(uint256 freeAt);

    /// @dev The statements are not two different ones of this job for one round and attempt.
    error StakeManagerNoEquivocation();

    /// @dev A signature is not the account's.
    error StakeManagerForeignSignature(address account);

    /// @dev This fault was punished before.
    error StakeManagerAlreadySlashed(address account, uint64 round, uint32 attempt);

    /// @dev The token took a fee from a challenger's bond: only what arrives in full counts.
    error StakeManagerIncompleteTransfer(uint256 received, uint256 expected);

    /// @dev Adds to the caller's stake. With at least `minStake` it takes part in rounds that open from now on.
    function stake(uint256 amount) external;

    /// @dev Ends the caller's part; its stake stays slashable until it is taken out.
    function requestExit() external;

    /// @dev Pays the caller its stake, once the last window and dispute it can be part of are over.
    function exit() external;

    /// @dev Adds to the caller's bond as a coordinator.
    function postBond(uint256 amount) external;

    /// @dev Starts the clock of the caller's bond. Not while the caller is the job's coordinator.
    function requestBondExit() external;

    /// @dev Pays the caller its bond, once the last window and dispute it can be part of are over.
    function returnBond() external;

    /// @dev Pays the caller what was credited to it.
    function withdraw() external;

    /**
     * @dev Slashes a participant that signed two different statements for one round and attempt. Anyone. Signatures by
     * ECDSA or, for contracts, ERC-1271.
     */
    function proveEquivocation(
        address account,
        SignedData.Update calldata updateA,
        bytes calldata signatureA,
        SignedData.Update calldata updateB,
        bytes calldata signatureB
    ) external;

    /// @dev Writes the current list of participants where {IRoster-rosterStore} points. Anyone.
    function publishRoster() external returns (address store);

    /// @dev Takes a challenger's bond from its wallet. Arbiter only.
    function lock(address challenger, uint256 amount) external;

    /// @dev Credits a bond taken by {lock} to `account`. Arbiter only.
    function unlock(address account, uint256 amount) external;

    /**
     * @dev Cuts the bond of `accused` by `amount` or all there is. Arbiter only.
     * @return compensation what was set aside for participants
     */
    function slash(address accused, uint256 amount, address reporter) external returns (uint256 compensation);

    /// @dev Credits `amount` of what was set aside to `account`. Arbiter only.
    function compensate(address account, uint256 amount) external;

    /// @dev Whether `account` could contribute to a round that was anchored at `time` (seconds since 1970).
    function isEligible(address account, uint256 time) external view returns (bool);

    /// @dev Whether `account` ever staked enough to take part.
    function hasJoined(address account) external view returns (bool);

    /// @dev A participant's stake, when it joined, and when it asked to leave (0: it did not), in seconds since 1970.
    function stakeOf(address account) external view returns (uint256 amount, uint256 joinedAt, uint256 exitRequestedAt);

    /// @dev A coordinator's bond and when it asked for it back (0: it did not), in seconds since 1970.
    function bondOf(address account) external view returns (uint256 amount, uint256 exitRequestedAt);

    /// @dev What {withdraw} would pay.
    function owedTo(address account) external view returns (uint256);

    /// @dev Participants that may attest, in the order of the next roster.
    function participants() external view returns (address[] memory);

    /// @dev Sums of everything held.
    function totals() external view returns (Totals memory);

    /// @dev What the instance was created with.
    function terms() external view returns (Terms memory);

    /// @dev Seconds from a request to leave until stake or bond are free.
    function exitDelay() external view returns (uint256);
}
