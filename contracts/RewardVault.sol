// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.35;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IRewardVault} from "./interfaces/IRewardVault.sol";
import {IRoundAnchor, RoundRecord} from "./interfaces/IRoundAnchor.sol";

/**
 * @title RewardVault
 * @dev See {IRewardVault}. One instance per job, so that jobs cannot drain each other.
 *
 * The anchor bounds every `rewardsTotal` by `pricePerRound * round` (120 bits); here totals are held in 96 bits, which
 * is 79 billion whole tokens of 18 decimals, so that each claim touches one slot of totals and one of its account.
 */
contract RewardVault is IRewardVault, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;
    using SafeCast for uint256;

    struct Totals {
        uint96 activated;
        uint96 paid;
        uint64 activatedRound;
    }

    struct Escrow {
        uint128 funded;
        uint128 refunded;
    }

    struct Account {
        uint96 claimed;
        address claimer;
    }

    IERC20 private immutable _token;
    IRoundAnchor private immutable _anchor;
    uint256 private immutable _refundsOpenAt;

    Totals private _totals;
    bytes32 private _rewardsRoot;
    Escrow private _escrow;
    mapping(address account => Account) private _accounts;
    mapping(address sponsor => uint256) private _contributions;

    /**
     * @param token the escrowed ERC-20
     * @param anchor the job's RoundAnchor
     * @param jobEndsAt when the last round should be final, in seconds since 1970
     * @param claimPeriod for how many seconds after that final records can still be activated
     */
    constructor(IERC20 token, IRoundAnchor anchor, uint64 jobEndsAt, uint64 claimPeriod) {
        if (address(token).code.length == 0) revert RewardVaultInvalidParameter("token");
        if (address(anchor).code.length == 0) revert RewardVaultInvalidParameter("anchor");
        if (jobEndsAt < block.timestamp) revert RewardVaultInvalidParameter("jobEndsAt");
        _token = token;
        _anchor = anchor;
        _refundsOpenAt = uint256(jobEndsAt) + claimPeriod;
    }

    /// @inheritdoc IRewardVault
    function fund(uint256 amount) external nonReentrant {
        if (block.timestamp >= _refundsOpenAt) revert RewardVaultEnded(_refundsOpenAt);
        uint256 balance = _token.balanceOf(address(this));
        _token.safeTransferFrom(msg.sender, address(this), amount);
        uint256 received = _token.balanceOf(address(this)) - balance;
        if (received == 0) revert RewardVaultNothingFunded();
        _escrow.funded = (_escrow.funded + received).toUint128();
        _contributions[msg.sender] += received;
        emit Funded(msg.sender, received);
    }

    /// @inheritdoc IRewardVault
    function activate(RoundRecord calldata record) external {
        if (block.timestamp >= _refundsOpenAt) revert RewardVaultEnded(_refundsOpenAt);
        Totals memory totals_ = _totals;
        if (record.round <= totals_.activatedRound) revert RewardVaultStaleRound(record.round, totals_.activatedRound);
        if (record.rewardsTotal < totals_.activated) {
            revert RewardVaultFallingTotal(record.rewardsTotal, totals_.activated);
        }
        if (record.rewardsTotal > _escrow.funded) {
            revert RewardVaultInsufficientFunds(record.rewardsTotal, _escrow.funded);
        }
        if (!_anchor.isFinal(record)) revert RewardVaultNotFinal(record.round);
        totals_.activatedRound = record.round;
        totals_.activated = record.rewardsTotal.toUint96();
        _totals = totals_;
        _rewardsRoot = record.rewardsRoot;
        emit RewardsActivated(record.round, record.rewardsRoot, record.rewardsTotal);
    }

    /// @inheritdoc IRewardVault
    function claim(address account, uint256 cumulative, bytes32[] calldata proof) external nonReentrant {
        if (!_proves(_rewardsRoot, account, cumulative, proof)) revert RewardVaultInvalidProof(account, cumulative);
        Account memory entry = _accounts[account];
        if (cumulative <= entry.claimed) revert RewardVaultNothingToClaim(account);
        uint256 amount = cumulative - entry.claimed;
        Totals memory totals_ = _totals;
        if (amount > totals_.activated - totals_.paid) {
            revert RewardVaultOverdrawn(amount, totals_.activated - totals_.paid);
        }
        address recipient = _recipient(account, entry.claimer);
        if (recipient == address(this)) revert RewardVaultInvalidRecipient(recipient);
        unchecked {
            // Both sums are bounded by `activated`, 96 bits.
            _accounts[account].claimed = uint96(cumulative);
            _totals.paid = uint96(totals_.paid + amount);
        }
        emit RewardsClaimed(account, recipient, amount);
        _token.safeTransfer(recipient, amount);
    }

    /// @inheritdoc IRewardVault
    function claimMany(Claim[] calldata claims) external nonReentrant returns (uint256 paid) {
        bytes32 root = _rewardsRoot;
        Totals memory totals_ = _totals;
        uint256 available = totals_.activated - totals_.paid;
        for (uint256 i = 0; i < claims.length; ++i) {
            Claim calldata one = claims[i];
            if (!_proves(root, one.account, one.cumulative, one.proof)) {
                revert RewardVaultInvalidProof(one.account, one.cumulative);
            }
            Account memory entry = _accounts[one.account];
            if (one.cumulative <= entry.claimed) continue;
            uint256 amount = one.cumulative - entry.claimed;
            address recipient = _recipient(one.account, entry.claimer);
            if (amount > available - paid || recipient == address(this)) continue;
            // Written before the transfer, as everywhere, and put back where the token refuses the recipient.
            _accounts[one.account].claimed = uint96(one.cumulative);
            if (_token.trySafeTransfer(recipient, amount)) {
                paid += amount;
                emit RewardsClaimed(one.account, recipient, amount);
            } else {
                _accounts[one.account].claimed = entry.claimed;
            }
        }
        _totals.paid = uint96(totals_.paid + paid);
    }

    /// @inheritdoc IRewardVault
    function setClaimer(address claimer) external nonReentrant {
        if (claimer == address(this)) revert RewardVaultInvalidRecipient(claimer);
        _accounts[msg.sender].claimer = claimer;
        emit ClaimerSet(msg.sender, claimer);
    }

    /// @inheritdoc IRewardVault
    function refund(address sponsor) external nonReentrant {
        if (block.timestamp < _refundsOpenAt) revert RewardVaultNotEnded(_refundsOpenAt);
        uint256 funded = _escrow.funded;
        // Rounded down: of what was never activated, less than one smallest unit per sponsor stays behind.
        uint256 amount = funded == 0 ? 0 : (_contributions[sponsor] * (funded - _totals.activated)) / funded;
        if (amount == 0) revert RewardVaultNothingToRefund(sponsor);
        delete _contributions[sponsor];
        _escrow.refunded += uint128(amount);
        emit Refunded(sponsor, amount);
        _token.safeTransfer(sponsor, amount);
    }

    /// @inheritdoc IRewardVault
    function terms() external view returns (address token, address anchor, uint256 refundsOpenAt) {
        return (address(_token), address(_anchor), _refundsOpenAt);
    }

    /// @inheritdoc IRewardVault
    function totals() external view returns (uint256 funded, uint256 activated, uint256 paid, uint256 refunded) {
        return (_escrow.funded, _totals.activated, _totals.paid, _escrow.refunded);
    }

    /// @inheritdoc IRewardVault
    function activation() external view returns (uint64 round, bytes32 rewardsRoot) {
        return (_totals.activatedRound, _rewardsRoot);
    }

    /// @inheritdoc IRewardVault
    function claimed(address account) external view returns (uint256) {
        return _accounts[account].claimed;
    }

    /// @inheritdoc IRewardVault
    function claimerOf(address account) external view returns (address) {
        return _accounts[account].claimer;
    }

    /// @inheritdoc IRewardVault
    function contributionOf(address sponsor) external view returns (uint256) {
        return _contributions[sponsor];
    }

    function _recipient(address account, address claimer) private pure returns (address) {
        return claimer == address(0) ? account : claimer;
    }

    function _proves(bytes32 root, address account, uint256 cumulative, bytes32[] calldata proof)
        private
        pure
        returns (bool)
    {
        // Hashed twice, so that no inner node (64 bytes, hashed once) can pose as a leaf.
        bytes32 leaf = keccak256(bytes.concat(keccak256(abi.encode(account, cumulative))));
        return MerkleProof.verifyCalldata(proof, root, leaf);
    }
}
