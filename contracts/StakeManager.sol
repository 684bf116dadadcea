// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.35;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {IRoster} from "./interfaces/IRoster.sol";
import {IRoundAnchor} from "./interfaces/IRoundAnchor.sol";
import {IStakeManager} from "./interfaces/IStakeManager.sol";
import {SignedData} from "./lib/SignedData.sol";

/**
 * @title StakeManager
 * @dev See {IStakeManager}. One instance per job, so that jobs cannot drain each other.
 */
contract StakeManager is IStakeManager, IRoster, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;
    using SafeCast for uint256;

    struct Stake {
        uint96 amount;
        uint40 joinedAt;
        uint40 exitRequestedAt;
        // Place in `_participants`, from 1; zero for who is not on it.
        uint16 place;
    }

    struct Bond {
        uint96 amount;
        uint40 exitRequestedAt;
    }

    uint256 private constant WHOLE = 10_000;
    // A list of them has to fit the code of one account (24,576 bytes).
    uint256 private constant MAX_PARTICIPANTS = 1000;
    // Not every token can destroy itself; nobody can have the key of this address.
    address private constant NOWHERE = address(0xdEaD);

    IERC20 private immutable _token;
    IRoundAnchor private immutable _anchor;
    bytes32 private immutable _job;
    address private immutable _arbiter;
    uint256 private immutable _minStake;
    uint256 private immutable _longestRoundS;
    uint256 private immutable _longestDisputeS;
    uint256 private immutable _faultBps;
    uint256 private immutable _proverBps;
    uint256 private immutable _compensationBps;
    uint256 private immutable _exitDelay;

    Totals private _totals;
    address private _rosterStore;
    address[] private _participants;
    mapping(address account => Stake) private _stakes;
    mapping(address account => Bond) private _bonds;
    mapping(address account => uint256) private _owed;
    mapping(bytes32 fault => bool) private _punished;

    modifier onlyArbiter() {
        if (msg.sender != _arbiter) revert StakeManagerUnauthorizedAccount(msg.sender);
        _;
    }

    constructor(Terms memory terms_) {
        if (terms_.token.code.length == 0) revert StakeManagerInvalidParameter("token");
        if (terms_.anchor.code.length == 0) revert StakeManagerInvalidParameter("anchor");
        if (terms_.minStake == 0) revert StakeManagerInvalidParameter("minStake");
        if (terms_.faultBps == 0 || terms_.faultBps > WHOLE) revert StakeManagerInvalidParameter("faultBps");
        // Whoever proves its own fault must lose by it.
        if (terms_.proverBps >= WHOLE / 2) revert StakeManagerInvalidParameter("proverBps");
        if (uint256(terms_.proverBps) + terms_.compensationBps >= WHOLE) {
            revert StakeManagerInvalidParameter("compensationBps");
        }
        IRoundAnchor.Job memory job = IRoundAnchor(terms_.anchor).jobParameters();
        _token = IERC20(terms_.token);
        _anchor = IRoundAnchor(terms_.anchor);
        _job = job.job;
        _arbiter = job.arbiter;
        _minStake = terms_.minStake;
        _longestRoundS = terms_.longestRoundS;
        _longestDisputeS = terms_.longestDisputeS;
        _faultBps = terms_.faultBps;
        _proverBps = terms_.proverBps;
        _compensationBps = terms_.compensationBps;
        uint256 windowS = (uint256(job.windowTicks) + 1) * 16;
        _exitDelay = uint256(terms_.longestRoundS) + windowS + terms_.longestDisputeS;
    }

    /// @inheritdoc IStakeManager
    function stake(uint256 amount) external nonReentrant {
        Stake memory entry = _stakes[msg.sender];
        // Who has left altogether may come again.
        if (entry.exitRequestedAt != 0 && entry.amount != 0) revert StakeManagerExiting(msg.sender);
        uint256 received = _pull(msg.sender, amount);
        uint256 total = entry.amount + received;
        if (received == 0 || total < _minStake) revert StakeManagerTooLittle(total, _minStake);
        if (entry.place == 0) {
            if (_participants.length == MAX_PARTICIPANTS) revert StakeManagerFull();
            _participants.push(msg.sender);
            entry.place = _participants.length.toUint16();
            entry.joinedAt = uint40(block.timestamp);
            entry.exitRequestedAt = 0;
        }
        entry.amount = total.toUint96();
        _stakes[msg.sender] = entry;
        _totals.stakes += received;
        emit Staked(msg.sender, received);
    }

    /// @inheritdoc IStakeManager
    function requestExit() external {
        Stake storage entry = _stakes[msg.sender];
        if (entry.amount == 0) revert StakeManagerNothingThere(msg.sender);
        if (entry.exitRequestedAt != 0) revert StakeManagerExiting(msg.sender);
        entry.exitRequestedAt = uint40(block.timestamp);
        _unlist(msg.sender);
        emit ExitRequested(msg.sender, block.timestamp + _exitDelay);
    }

    /// @inheritdoc IStakeManager
    function exit() external nonReentrant {
        Stake storage entry = _stakes[msg.sender];
        uint256 amount = entry.amount;
        if (amount == 0 || entry.exitRequestedAt == 0) revert StakeManagerNothingThere(msg.sender);
        uint256 freeAt = entry.exitRequestedAt + _exitDelay;
        if (block.timestamp < freeAt) revert StakeManagerStillBound(freeAt);
        entry.amount = 0;
        _totals.stakes -= amount;
        emit Exited(msg.sender, amount);
        _token.safeTransfer(msg.sender, amount);
    }

    /// @inheritdoc IStakeManager
    function postBond(uint256 amount) external nonReentrant {
        uint256 received = _pull(msg.sender, amount);
        if (received == 0) revert StakeManagerTooLittle(0, 1);
        Bond storage entry = _bonds[msg.sender];
        entry.amount = (entry.amount + received).toUint96();
        entry.exitRequestedAt = 0;
        _totals.bonds += received;
        emit BondPosted(msg.sender, received);
    }

    /// @inheritdoc IStakeManager
    function requestBondExit() external {
        if (_isCoordinator(msg.sender)) revert StakeManagerStillBound(type(uint256).max);
        Bond storage entry = _bonds[msg.sender];
        if (entry.amount == 0) revert StakeManagerNothingThere(msg.sender);
        if (entry.exitRequestedAt != 0) revert StakeManagerExiting(msg.sender);
        entry.exitRequestedAt = uint40(block.timestamp);
        emit BondExitRequested(msg.sender, block.timestamp + _exitDelay);
    }

    /// @inheritdoc IStakeManager
    function returnBond() external nonReentrant {
        Bond storage entry = _bonds[msg.sender];
        uint256 amount = entry.amount;
        if (amount == 0 || entry.exitRequestedAt == 0) revert StakeManagerNothingThere(msg.sender);
        uint256 freeAt = entry.exitRequestedAt + _exitDelay;
        // Made coordinator again meanwhile, it answers for new rounds.
        if (_isCoordinator(msg.sender)) freeAt = type(uint256).max;
        if (block.timestamp < freeAt) revert StakeManagerStillBound(freeAt);
        delete _bonds[msg.sender];
        _totals.bonds -= amount;
        emit BondReturned(msg.sender, amount);
        _token.safeTransfer(msg.sender, amount);
    }

    /// @inheritdoc IStakeManager
    function withdraw() external nonReentrant {
        uint256 amount = _owed[msg.sender];
        if (amount == 0) revert StakeManagerNothingThere(msg.sender);
        delete _owed[msg.sender];
        _totals.owed -= amount;
        emit Withdrawn(msg.sender, amount);
        _token.safeTransfer(msg.sender, amount);
    }

    /// @inheritdoc IStakeManager
    function proveEquivocation(
        address account,
        SignedData.Update calldata updateA,
        bytes calldata signatureA,
        SignedData.Update calldata updateB,
        bytes calldata signatureB
    ) external nonReentrant {
        bytes32 hashA = SignedData.hash(updateA);
        bytes32 hashB = SignedData.hash(updateB);
        // Another attempt is another question: a client asked again after a rewind answers again, and honestly.
        if (
            updateA.job != _job || updateB.job != _job || updateA.round != updateB.round
                || updateA.attempt != updateB.attempt || hashA == hashB
        ) revert StakeManagerNoEquivocation();
        _requireSigned(account, hashA, signatureA);
        _requireSigned(account, hashB, signatureB);
        bytes32 fault = keccak256(abi.encode(account, updateA.round, updateA.attempt));
        if (_punished[fault]) revert StakeManagerAlreadySlashed(account, updateA.round, updateA.attempt);
        _punished[fault] = true;

        Stake storage entry = _stakes[account];
        uint256 amount = entry.amount;
        if (amount == 0) revert StakeManagerNothingThere(account);
        // Up, so that no stake is too small to lose anything.
        uint256 cut = Math.mulDiv(amount, _faultBps, WHOLE, Math.Rounding.Ceil);
        entry.amount = uint96(amount - cut);
        _totals.stakes -= cut;
        if (entry.amount < _minStake && entry.exitRequestedAt == 0) {
            entry.exitRequestedAt = uint40(block.timestamp);
            _unlist(account);
            emit ExitRequested(account, block.timestamp + _exitDelay);
        }
        uint256 reward = cut * _proverBps / WHOLE;
        _credit(msg.sender, reward);
        emit EquivocationProven(account, updateA.round, updateA.attempt);
        emit Slashed(account, msg.sender, cut, reward, 0);
        _burn(cut - reward);
    }

    /// @inheritdoc IStakeManager
    function publishRoster() external returns (address store) {
        address[] memory list = _participants;
        bytes memory data = new bytes(1 + 20 * list.length);
        for (uint256 i = 0; i < list.length; ++i) {
            address each = list[i];
            assembly ("memory-safe") {
                // From the last byte but 20 of its word on; what lies behind is written by the next or is padding.
                let place := add(add(data, 0x21), mul(i, 20))
                mstore(place, or(shl(96, each), shr(160, mload(add(place, 20)))))
            }
        }
        // PUSH2 size, DUP1, PUSH1 10, PUSH0, CODECOPY, PUSH0, RETURN: the account's code is what follows these.
        bytes memory code = abi.encodePacked(hex"61", uint16(data.length), hex"80600a5f395ff3", data);
        assembly ("memory-safe") {
            store := create(0, add(code, 0x20), mload(code))
        }
        if (store == address(0)) revert StakeManagerFull();
        _rosterStore = store;
        emit RosterPublished(store, list.length);
    }

    /// @inheritdoc IStakeManager
    function lock(address challenger, uint256 amount) external onlyArbiter nonReentrant {
        uint256 received = _pull(challenger, amount);
        if (received != amount) revert StakeManagerIncompleteTransfer(received, amount);
        _totals.locked += amount;
    }

    /// @inheritdoc IStakeManager
    function unlock(address account, uint256 amount) external onlyArbiter {
        _totals.locked -= amount;
        _credit(account, amount);
    }

    /// @inheritdoc IStakeManager
    function slash(address accused, uint256 amount, address reporter)
        external
        onlyArbiter
        nonReentrant
        returns (uint256 compensation)
    {
        Bond storage entry = _bonds[accused];
        uint256 cut = Math.min(amount, entry.amount);
        entry.amount -= uint96(cut);
        _totals.bonds -= cut;
        uint256 reward = cut * _proverBps / WHOLE;
        compensation = cut * _compensationBps / WHOLE;
        _totals.pots += compensation;
        _credit(reporter, reward);
        emit Slashed(accused, reporter, cut, reward, compensation);
        _burn(cut - reward - compensation);
    }

    /// @inheritdoc IStakeManager
    function compensate(address account, uint256 amount) external onlyArbiter {
        _totals.pots -= amount;
        _credit(account, amount);
    }

    /// @inheritdoc IStakeManager
    function isEligible(address account, uint256 time) external view returns (bool) {
        Stake memory entry = _stakes[account];
        if (entry.joinedAt == 0 || entry.joinedAt > time) return false;
        return entry.exitRequestedAt == 0 || entry.exitRequestedAt + _longestRoundS >= time;
    }

    /// @inheritdoc IStakeManager
    function hasJoined(address account) external view returns (bool) {
        return _stakes[account].joinedAt != 0;
    }

    /// @inheritdoc IStakeManager
    function stakeOf(address account) external view returns (uint256, uint256, uint256) {
        Stake memory entry = _stakes[account];
        return (entry.amount, entry.joinedAt, entry.exitRequestedAt);
    }

    /// @inheritdoc IStakeManager
    function bondOf(address account) external view returns (uint256, uint256) {
        return (_bonds[account].amount, _bonds[account].exitRequestedAt);
    }

    /// @inheritdoc IStakeManager
    function owedTo(address account) external view returns (uint256) {
        return _owed[account];
    }

    /// @inheritdoc IStakeManager
    function participants() external view returns (address[] memory) {
        return _participants;
    }

    /// @inheritdoc IStakeManager
    function totals() external view returns (Totals memory) {
        return _totals;
    }

    /// @inheritdoc IStakeManager
    function terms() external view returns (Terms memory) {
        return Terms({
            token: address(_token),
            anchor: address(_anchor),
            minStake: uint96(_minStake),
            longestRoundS: uint32(_longestRoundS),
            longestDisputeS: uint32(_longestDisputeS),
            faultBps: uint16(_faultBps),
            proverBps: uint16(_proverBps),
            compensationBps: uint16(_compensationBps)
        });
    }

    /// @inheritdoc IStakeManager
    function exitDelay() external view returns (uint256) {
        return _exitDelay;
    }

    /// @inheritdoc IRoster
    function rosterStore() external view returns (address) {
        return _rosterStore;
    }

    function _pull(address from, uint256 amount) private returns (uint256) {
        uint256 balance = _token.balanceOf(address(this));
        _token.safeTransferFrom(from, address(this), amount);
        return _token.balanceOf(address(this)) - balance;
    }

    function _credit(address account, uint256 amount) private {
        if (amount == 0) return;
        _owed[account] += amount;
        _totals.owed += amount;
        emit Credited(account, amount);
    }

    function _burn(uint256 amount) private {
        _totals.burned += amount;
        _token.safeTransfer(NOWHERE, amount);
    }

    function _unlist(address account) private {
        uint256 place = _stakes[account].place;
        if (place == 0) return;
        address last = _participants[_participants.length - 1];
        _participants[place - 1] = last;
        _stakes[last].place = uint16(place);
        _participants.pop();
        _stakes[account].place = 0;
    }

    function _isCoordinator(address account) private view returns (bool) {
        return _anchor.jobParameters().coordinator == account;
    }

    /// @dev The key first: code that an account delegates to (EIP-7702) must not disown what its key has signed.
    function _requireSigned(address account, bytes32 structHash, bytes calldata signature) private view {
        bytes32 digest = SignedData.digest(address(_anchor), structHash);
        (address signer, ECDSA.RecoverError failure,) = ECDSA.tryRecover(digest, signature);
        if (failure == ECDSA.RecoverError.NoError && signer == account) return;
        if (account.code.length != 0) {
            (bool done, bytes memory answer) =
                account.staticcall(abi.encodeCall(IERC1271.isValidSignature, (digest, signature)));
            bytes32 magic = bytes32(IERC1271.isValidSignature.selector);
            if (done && answer.length == 32 && abi.decode(answer, (bytes32)) == magic) return;
        }
        revert StakeManagerForeignSignature(account);
    }
}
