// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.35;

import {RoundRecord} from "./IRoundAnchor.sol";

/**
 * @title IRewardVault
 * @dev One job's escrow: sponsors fund it, final records release rewards from it, accounts claim them.
 *
 * Amounts are cumulative since round 1. A claim proves a leaf
 * `keccak256(bytes.concat(keccak256(abi.encode(account, cumulative))))` against the activated rewards root (sorted pairs,
 * as OpenZeppelin's `MerkleProof`) and pays what was not paid before, so one claim covers every skipped round.
 *
 * Always: `paid <= activated <= funded - refunded`, whatever the roots say. Until `refundsOpenAt` final records can be
 * activated and sponsors can fund; from that second on neither is possible and sponsors take back, each by its share of
 * the funding, what was never activated. Claims end never.
 *
 * The token should be a plain ERC-20. A fee on transfer is borne by whoever transfers; a token that lowers balances by
 * itself can leave later claims unpayable, which no escrow can heal.
 */
interface IRewardVault {
    /// @dev One account's claim.
    struct Claim {
        /// @dev Who earned it.
        address account;
        /// @dev Everything it earned since round 1, in the token's smallest unit.
        uint256 cumulative;
        /// @dev Merkle proof of the leaf.
        bytes32[] proof;
    }

    /// @dev `amount` arrived from `sponsor`.
    event Funded(address indexed sponsor, uint256 amount);

    /// @dev Rewards up to `round` may be claimed.
    event RewardsActivated(uint64 indexed round, bytes32 rewardsRoot, uint256 rewardsTotal);

    /// @dev `account` was paid `amount`, to `recipient`.
    event RewardsClaimed(address indexed account, address recipient, uint256 amount);

    /// @dev Payments to `account` go to `claimer` from now on; zero means to the account itself.
    event ClaimerSet(address indexed account, address indexed claimer);

    /// @dev `sponsor` took back `amount` that was never activated.
    event Refunded(address indexed sponsor, uint256 amount);

    /// @dev A constructor parameter is outside its bounds.
    error RewardVaultInvalidParameter(string parameter);

    /// @dev The call is not possible any more from `refundsOpenAt` (seconds since 1970) on.
    error RewardVaultEnded(uint256 refundsOpenAt);

    /// @dev The call is not possible before `refundsOpenAt` (seconds since 1970).
    error RewardVaultNotEnded(uint256 refundsOpenAt);

    /// @dev No tokens arrived.
    error RewardVaultNothingFunded();

    /// @dev The record is not final on this vault's anchor.
    error RewardVaultNotFinal(uint64 round);

    /// @dev The record's round is not above the activated one.
    error RewardVaultStaleRound(uint64 round, uint64 activatedRound);

    /// @dev The record's cumulative rewards are below those activated already.
    error RewardVaultFallingTotal(uint256 rewardsTotal, uint256 activatedTotal);

    /// @dev The record's cumulative rewards exceed what sponsors have put in.
    error RewardVaultInsufficientFunds(uint256 rewardsTotal, uint256 funded);

    /// @dev The proof does not lead to the activated rewards root.
    error RewardVaultInvalidProof(address account, uint256 cumulative);

    /// @dev The account has been paid all of it.
    error RewardVaultNothingToClaim(address account);

    /// @dev The root promises more than was activated in total.
    error RewardVaultOverdrawn(uint256 amount, uint256 available);

    /// @dev Payments cannot go to this address.
    error RewardVaultInvalidRecipient(address recipient);

    /// @dev The sponsor has nothing to take back.
    error RewardVaultNothingToRefund(address sponsor);

    /// @dev Puts `amount` of the token into the escrow; what arrives counts. Anyone may sponsor.
    function fund(uint256 amount) external;

    /// @dev Makes the rewards of a final record claimable. Anyone.
    function activate(RoundRecord calldata record) external;

    /// @dev Pays `account` (or the claimer it named) what it has earned and not received. Anyone may call.
    function claim(address account, uint256 cumulative, bytes32[] calldata proof) external;

    /**
     * @dev Pays several accounts, with the proofs of one root. Leaves out, instead of reverting, whoever has nothing to
     * get or cannot receive (so nobody can spoil a batch by claiming first, nor an account that the token blocks).
     * @return paid the sum paid
     */
    function claimMany(Claim[] calldata claims) external returns (uint256 paid);

    /// @dev Names who receives the caller's rewards; zero for the caller itself.
    function setClaimer(address claimer) external;

    /// @dev Returns the sponsor's share of what was never activated, to the sponsor. Anyone, once refunds are open.
    function refund(address sponsor) external;

    /// @dev The escrowed token, the anchor whose records count, and when refunds open (seconds since 1970).
    function terms() external view returns (address token, address anchor, uint256 refundsOpenAt);

    /// @dev Sums since the beginning, in the token's smallest unit.
    function totals() external view returns (uint256 funded, uint256 activated, uint256 paid, uint256 refunded);

    /// @dev The latest activated round (0 if none) and its rewards root.
    function activation() external view returns (uint64 round, bytes32 rewardsRoot);

    /// @dev What `account` was paid since the beginning.
    function claimed(address account) external view returns (uint256);

    /// @dev Who receives `account`'s payments; zero where the account itself does.
    function claimerOf(address account) external view returns (address);

    /// @dev What `sponsor` has put in and not been refunded for.
    function contributionOf(address sponsor) external view returns (uint256);
}
