// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.35;

import {IRoundAnchor, RoundRecord} from "./interfaces/IRoundAnchor.sol";
import {IRoster} from "./interfaces/IRoster.sol";
import {Attestations} from "./lib/Attestations.sol";

/**
 * @title RoundAnchor
 * @dev See {IRoundAnchor}. One instance per job.
 *
 * A ring slot packs `head (208 bits) | round (24) | tick (24)`; a tick is 16 seconds since deployment. An empty slot is
 * zero, and no head is zero, so "holds a round" is "is not zero".
 *
 * The chain is sequential without a counter in storage: round r may be anchored only if the slot of r - 1 holds r - 1
 * and the slot of r holds r - ringSize or nothing.
 *
 * The models' continuity (`parentModelRoot` is the `modelRoot` before) is compared here for round 1 and within a batch,
 * where it costs nothing. Between two transactions the previous record would have to be sent again (8,700 gas a round);
 * both records are in the hash chain, so a break is plain to every auditor and provable within the window.
 */
contract RoundAnchor is IRoundAnchor {
    uint256 private constant TICK_SECONDS = 16;
    uint256 private constant RECORD_BYTES = 672;
    uint256 private constant MAX_RING_SIZE = 1024;
    uint256 private constant MAX_PAUSE_SECONDS = 7 days;
    // Bounds how fast attempts are used up, so that no coordinator can exhaust the 32 bits and block its successor.
    uint256 private constant MAX_ATTEMPT_STEP = type(uint16).max;
    uint256 private constant MAX_UPDATE_BITS = 64;
    uint256 private constant HEAD_MASK = 0xffffffffffffffffffffffffffffffffffffffffffffffffffff000000000000;

    bytes32 private immutable _job;
    bytes32 private immutable _manifestHash;
    bytes32 private immutable _fixedPlanHash;
    bytes32 private immutable _tensorTableRoot;
    bytes32 private immutable _genesisModelRoot;
    uint256 private immutable _pricePerRound;
    uint256 private immutable _maxRounds;
    uint256 private immutable _windowTicks;
    uint256 private immutable _ringSize;
    address private immutable _guardian;
    address private immutable _arbiter;
    address private immutable _roster;
    uint256 private immutable _attestationQuorum;
    uint256 private immutable _attestationTicks;
    uint256 private immutable _deployedAt;
    uint256 private immutable _deploymentBlock;

    struct Control {
        address coordinator;
        uint32 minAttempt;
        uint40 pausedUntil;
        // No round above it is final: what `_progress` comes to, kept here where anchoring reads it anyway.
        uint24 limit;
    }

    struct Progress {
        // Rounds up to this one are attested.
        uint24 attested;
        // The earliest round in dispute; zero if there is none.
        uint24 heldFrom;
    }

    struct Term {
        address coordinator;
        uint24 sinceRound;
    }

    Control private _control;
    Progress private _progress;
    Term[] private _terms;
    uint256[MAX_RING_SIZE] private _ring;

    modifier onlyGuardian() {
        if (msg.sender != _guardian) revert RoundAnchorUnauthorizedAccount(msg.sender);
        _;
    }

    constructor(Job memory parameters) {
        if (parameters.job == 0) revert RoundAnchorInvalidParameter("job");
        if (parameters.genesisModelRoot == 0) revert RoundAnchorInvalidParameter("genesisModelRoot");
        if (parameters.maxRounds == 0) revert RoundAnchorInvalidParameter("maxRounds");
        if (parameters.ringSize < 2 || parameters.ringSize > MAX_RING_SIZE) {
            revert RoundAnchorInvalidParameter("ringSize");
        }
        if (parameters.attestationQuorum > 0 && parameters.roster == address(0)) {
            revert RoundAnchorInvalidParameter("roster");
        }
        if (parameters.coordinator == address(0)) revert RoundAnchorInvalidParameter("coordinator");

        _job = parameters.job;
        _manifestHash = parameters.manifestHash;
        _fixedPlanHash = parameters.fixedPlanHash;
        _tensorTableRoot = parameters.tensorTableRoot;
        _genesisModelRoot = parameters.genesisModelRoot;
        _pricePerRound = parameters.pricePerRound;
        _maxRounds = parameters.maxRounds;
        _windowTicks = parameters.windowTicks;
        _ringSize = parameters.ringSize;
        _guardian = parameters.guardian;
        _arbiter = parameters.arbiter;
        _roster = parameters.roster;
        _attestationQuorum = parameters.attestationQuorum;
        _attestationTicks = parameters.attestationTicks;
        _deployedAt = block.timestamp;
        _deploymentBlock = block.number;

        _control.coordinator = parameters.coordinator;
        _control.limit = parameters.attestationQuorum == 0 ? type(uint24).max : 0;
        _terms.push(Term(parameters.coordinator, 0));
        bytes32 genesis = keccak256(
            abi.encode(
                block.chainid, address(this), parameters.job, parameters.manifestHash, parameters.genesisModelRoot
            )
        );
        _ring[0] = uint256(genesis) & HEAD_MASK;
        emit CoordinatorChanged(address(0), parameters.coordinator);
    }

    /// @inheritdoc IRoundAnchor
    function anchor(RoundRecord calldata record) external {
        uint256 bounds = _authorizeAnchoring();
        uint256 round = record.round;
        uint256 parentHead = _parentHead(round);
        if (round == 1 && record.parentModelRoot != _genesisModelRoot) {
            revert RoundAnchorWrongParent(record.parentModelRoot);
        }
        _append(record, round, parentHead, bounds, _currentTick());
    }

    /// @inheritdoc IRoundAnchor
    function anchorMany(RoundRecord[] calldata records) external {
        if (records.length == 0) revert RoundAnchorEmptyBatch();
        uint256 bounds = _authorizeAnchoring();
        uint256 tick = _currentTick();
        uint256 round = records[0].round;
        uint256 head = _parentHead(round);
        bytes32 parentModelRoot = round == 1 ? _genesisModelRoot : records[0].parentModelRoot;
        uint256 rewardsTotal = 0;
        for (uint256 i = 0; i < records.length; ++i) {
            RoundRecord calldata record = records[i];
            if (record.round != round) revert RoundAnchorOutOfOrder(record.round);
            if (record.parentModelRoot != parentModelRoot) revert RoundAnchorWrongParent(record.parentModelRoot);
            if (record.rewardsTotal < rewardsTotal) {
                revert RoundAnchorInvalidRewards(record.rewardsTotal, rewardsTotal);
            }
            head = _append(record, round, head, bounds, tick);
            parentModelRoot = record.modelRoot;
            rewardsTotal = record.rewardsTotal;
            unchecked {
                ++round;
            }
        }
    }

    /// @inheritdoc IRoundAnchor
    function rewind(RoundRecord calldata first, bytes26 parentHead, RoundRecord calldata last) external {
        if (msg.sender != _arbiter) revert RoundAnchorUnauthorizedAccount(msg.sender);
        _rewind(first, parentHead, last);
    }

    /// @inheritdoc IRoundAnchor
    function rewindUnattested(RoundRecord calldata first, bytes26 parentHead, RoundRecord calldata last) external {
        uint256 round = first.round;
        if (_attestationQuorum == 0 || round != uint256(_progress.attested) + 1) {
            revert RoundAnchorNotOverdue(round, 0);
        }
        uint256 deadline = _endOf(_slotOf(round)) + _attestationTicks * TICK_SECONDS;
        if (block.timestamp < deadline) revert RoundAnchorNotOverdue(round, deadline);
        _rewind(first, parentHead, last);
    }

    /// @inheritdoc IRoundAnchor
    function finalize(uint64 round, bytes26 head, bytes calldata attestations) external {
        if (round == 0 || bytes26(bytes32(_slotOf(round))) != head) revert RoundAnchorUnknownRecord(round);
        if (round <= _progress.attested || _attestationQuorum == 0) revert RoundAnchorAlreadyAttested(round);
        bytes32 digest = Attestations.digest(_job, round, head);
        uint256 count = Attestations.count(digest, attestations, IRoster(_roster).rosterStore());
        if (count < _attestationQuorum) revert RoundAnchorTooFewAttestations(count, _attestationQuorum);
        _progress.attested = uint24(round);
        _updateLimit();
        emit RoundsAttested(round, head, count);
    }

    /// @inheritdoc IRoundAnchor
    function hold(uint64 round) external {
        if (msg.sender != _arbiter) revert RoundAnchorUnauthorizedAccount(msg.sender);
        _progress.heldFrom = uint24(round);
        _updateLimit();
        emit RoundsHeld(round);
    }

    function _rewind(RoundRecord calldata first, bytes26 parentHead, RoundRecord calldata last) private {
        uint256 firstRound = first.round;
        uint256 lastRound = last.round;
        uint256 slot = _slotOf(firstRound);
        uint256 parent = uint256(bytes32(parentHead));
        if (firstRound == 0 || slot == 0 || _nextHead(parent, _hash(first)) != slot & HEAD_MASK) {
            revert RoundAnchorUnknownRecord(firstRound);
        }
        if (_isSettled(slot)) revert RoundAnchorFinal(firstRound);
        if (lastRound < firstRound || _slotOf(lastRound + 1) != 0) revert RoundAnchorUnknownRecord(lastRound);
        uint256 beforeLast = lastRound == firstRound ? parent : _slotOf(lastRound - 1) & HEAD_MASK;
        if (_nextHead(beforeLast, _hash(last)) != _slotOf(lastRound) & HEAD_MASK) {
            revert RoundAnchorUnknownRecord(lastRound);
        }

        for (uint256 round = firstRound; round <= lastRound; ++round) {
            _ring[round % _ringSize] = 0;
        }
        // Rounds that ran a whole ring ahead have reused the parent's slot. The parent was past its window by then, so
        // the earliest tick there is stands for it.
        _ring[(firstRound - 1) % _ringSize] =
            _slotOf(firstRound - 1) == 0 ? parent | ((firstRound - 1) << 24) : _slotOf(firstRound - 1);

        // Whoever anchors these rounds again answers for them.
        Term storage term = _terms[_terms.length - 1];
        if (term.sinceRound > firstRound) term.sinceRound = uint24(firstRound);
        if (_progress.attested >= firstRound) {
            _progress.attested = uint24(firstRound - 1);
            _updateLimit();
        }

        // Above both, so that neither the record taken back nor the latest one can come again as it was.
        uint32 minimum = (first.attempt > last.attempt ? first.attempt : last.attempt) + 1;
        if (minimum > _control.minAttempt) _control.minAttempt = minimum;
        emit RoundsRewound(uint64(firstRound), uint64(lastRound), _control.minAttempt);
    }

    function _updateLimit() private {
        Progress memory now_ = _progress;
        uint24 limit = _attestationQuorum == 0 ? type(uint24).max : now_.attested;
        if (now_.heldFrom != 0 && now_.heldFrom <= limit) limit = now_.heldFrom - 1;
        _control.limit = limit;
    }

    /// @inheritdoc IRoundAnchor
    function setCoordinator(address newCoordinator) external onlyGuardian {
        if (newCoordinator == address(0)) revert RoundAnchorInvalidParameter("coordinator");
        emit CoordinatorChanged(_control.coordinator, newCoordinator);
        _terms.push(Term(newCoordinator, uint24(_latestRound() + 1)));
        _control.coordinator = newCoordinator;
    }

    /// @inheritdoc IRoundAnchor
    function pause(uint40 duration) external onlyGuardian {
        if (duration > MAX_PAUSE_SECONDS) revert RoundAnchorPauseTooLong(duration, MAX_PAUSE_SECONDS);
        uint256 previous = _control.pausedUntil;
        if (previous != 0 && block.timestamp < previous + MAX_PAUSE_SECONDS) {
            revert RoundAnchorPauseTooSoon(previous + MAX_PAUSE_SECONDS);
        }
        _control.pausedUntil = uint40(block.timestamp + duration);
        emit AnchoringPaused(_control.pausedUntil);
    }

    /// @inheritdoc IRoundAnchor
    function resume() external onlyGuardian {
        // Shortening the pause to now keeps the time before the next one counting from here.
        if (block.timestamp < _control.pausedUntil) {
            _control.pausedUntil = uint40(block.timestamp);
            emit AnchoringResumed();
        }
    }

    /// @inheritdoc IRoundAnchor
    function isFinal(RoundRecord calldata record) external view returns (bool) {
        uint256 round = record.round;
        if (round == 0) return false;
        uint256 slot = _slotOf(round);
        uint256 parent = _slotOf(round - 1);
        return slot != 0 && parent != 0 && _isSettled(slot)
            && _nextHead(parent & HEAD_MASK, _hash(record)) == slot & HEAD_MASK;
    }

    /// @inheritdoc IRoundAnchor
    function headOf(uint64 round) external view returns (bytes26) {
        return bytes26(bytes32(_slotOf(round)));
    }

    /// @inheritdoc IRoundAnchor
    function finality(uint64 round) external view returns (bool anchored, uint256 finalAt) {
        uint256 slot = _slotOf(round);
        if (slot == 0) return (false, 0);
        return (true, _endOf(slot));
    }

    /// @inheritdoc IRoundAnchor
    function latestRound() external view returns (uint64) {
        return uint64(_latestRound());
    }

    /// @inheritdoc IRoundAnchor
    function coordinatorOf(uint64 round) external view returns (address) {
        uint256 index = _terms.length - 1;
        while (_terms[index].sinceRound > round) --index;
        return _terms[index].coordinator;
    }

    /// @inheritdoc IRoundAnchor
    function progress() external view returns (uint64 attested, uint64 heldFrom, uint64 limit) {
        return (_progress.attested, _progress.heldFrom, _control.limit);
    }

    /// @inheritdoc IRoundAnchor
    function jobParameters() external view returns (Job memory) {
        return Job({
            job: _job,
            manifestHash: _manifestHash,
            fixedPlanHash: _fixedPlanHash,
            tensorTableRoot: _tensorTableRoot,
            genesisModelRoot: _genesisModelRoot,
            pricePerRound: uint96(_pricePerRound),
            maxRounds: uint24(_maxRounds),
            windowTicks: uint24(_windowTicks),
            ringSize: uint16(_ringSize),
            coordinator: _control.coordinator,
            guardian: _guardian,
            arbiter: _arbiter,
            roster: _roster,
            attestationQuorum: uint16(_attestationQuorum),
            attestationTicks: uint24(_attestationTicks)
        });
    }

    /// @inheritdoc IRoundAnchor
    function minAttempt() external view returns (uint32) {
        return _control.minAttempt;
    }

    /// @inheritdoc IRoundAnchor
    function pausedUntil() external view returns (uint40) {
        return _control.pausedUntil;
    }

    /// @inheritdoc IRoundAnchor
    function deployment() external view returns (uint256 blockNumber, uint256 timestamp) {
        return (_deploymentBlock, _deployedAt);
    }

    /**
     * @dev Checks the sender and the pause with one storage read. Returns the lowest attempt allowed (32 bits) and above it
     * the last round that can be final, in one word: a struct in memory would cost every round 150 gas.
     */
    function _authorizeAnchoring() private view returns (uint256) {
        Control memory control = _control;
        if (msg.sender != control.coordinator) revert RoundAnchorUnauthorizedAccount(msg.sender);
        if (block.timestamp < control.pausedUntil) revert RoundAnchorPaused(control.pausedUntil);
        return control.minAttempt | uint256(control.limit) << 32;
    }

    /// @dev Head of the round before `round`, which must be in the ring.
    function _parentHead(uint256 round) private view returns (uint256) {
        unchecked {
            // For round 0 this wraps around to a round that no slot can hold.
            uint256 parent = _slotOf(round - 1);
            if (parent == 0) revert RoundAnchorOutOfOrder(round);
            return parent & HEAD_MASK;
        }
    }

    /**
     * @dev Validates `record`, stores its head, emits the event. The caller has read `round` from it and established
     * `parentHead`. Nothing here can overflow: rounds, ticks and attempts are far below 2^64.
     */
    function _append(RoundRecord calldata record, uint256 round, uint256 parentHead, uint256 bounds, uint256 tick)
        private
        returns (uint256 head)
    {
        if (record.job != _job) revert RoundAnchorWrongJob(record.job);
        if (record.fixedPlanHash != _fixedPlanHash) revert RoundAnchorWrongPlan(record.fixedPlanHash);
        if (record.tensorTableRoot != _tensorTableRoot) revert RoundAnchorWrongTensorTable(record.tensorTableRoot);
        if (round > _maxRounds) revert RoundAnchorBeyondLastRound(round, _maxRounds);
        if (record.participants == 0) revert RoundAnchorNoParticipants();
        // Reading the remaining short fields makes the decoder refuse dirty high bits, which would otherwise enter the
        // hash of a record that nobody can write down. (No seed index is out of range.)
        if (record.updateBits > MAX_UPDATE_BITS || record.seedIndex > type(uint32).max) {
            revert RoundAnchorInvalidParameter("updateBits");
        }
        _requireRoots(record);

        uint256 index = round % _ringSize;
        uint256 held = _ring[index];
        unchecked {
            uint256 attempt = record.attempt;
            uint256 minimum = uint32(bounds);
            // One comparison for both ends: below the minimum the difference wraps around.
            if (attempt - minimum > MAX_ATTEMPT_STEP) revert RoundAnchorInvalidAttempt(attempt, minimum);
            // 96 bits times 24 bits.
            uint256 bound = _pricePerRound * round;
            if (record.rewardsTotal > bound) revert RoundAnchorInvalidRewards(record.rewardsTotal, bound);
            if (held != 0) {
                uint256 heldRound = uint24(held >> 24);
                if (heldRound + _ringSize != round) revert RoundAnchorOutOfOrder(round);
                // The genesis is nobody's to dispute: its slot may be reused at once.
                if (heldRound != 0 && (tick <= uint256(uint24(held)) + _windowTicks || heldRound > bounds >> 32)) {
                    revert RoundAnchorRingFull(round, heldRound);
                }
            }
        }

        bytes32 topic = RoundAnchored.selector;
        bytes32 job = _job;
        assembly ("memory-safe") {
            // The event's data is the head followed by the record, both static: one copy of the calldata serves the
            // hash and the log. Nothing is kept in memory afterwards.
            let data := mload(0x40)
            calldatacopy(add(data, 0x20), record, RECORD_BYTES)
            mstore(0x00, parentHead)
            mstore(0x20, keccak256(add(data, 0x20), RECORD_BYTES))
            head := and(keccak256(0x00, 0x40), HEAD_MASK)
            mstore(data, head)
            log3(data, add(RECORD_BYTES, 0x20), topic, job, round)
        }
        _ring[index] = head | (round << 24) | tick;
    }

    /// @dev Checks the roots that every round has, without a branch for each.
    function _requireRoots(RoundRecord calldata record) private pure {
        bytes32 parentModelRoot = record.parentModelRoot;
        bytes32 modelRoot = record.modelRoot;
        bytes32 aggregateRoot = record.aggregateRoot;
        bytes32 matrixRoot = record.matrixRoot;
        bytes32 contributionsRoot = record.contributionsRoot;
        // Only where nobody has earned anything is there no rewards tree.
        uint256 rewards = record.rewardsTotal;
        bytes32 rewardsRoot = record.rewardsRoot;
        bool missing;
        assembly ("memory-safe") {
            missing := or(iszero(parentModelRoot), iszero(modelRoot))
            missing := or(missing, or(iszero(aggregateRoot), iszero(matrixRoot)))
            missing := or(missing, or(iszero(contributionsRoot), gt(iszero(rewardsRoot), iszero(rewards))))
        }
        if (missing) revert RoundAnchorZeroRoot();
    }

    /// @dev The packed slot of `round` if the ring holds that round, else zero.
    function _slotOf(uint256 round) private view returns (uint256) {
        uint256 slot = _ring[round % _ringSize];
        return uint24(slot >> 24) == round ? slot : 0;
    }

    /// @dev Whether a slot's window has passed: at least `windowTicks` whole ticks lie between then and now.
    function _isPast(uint256 slot) private view returns (bool) {
        return (block.timestamp - _deployedAt) / TICK_SECONDS > uint24(slot) + _windowTicks;
    }

    /// @dev Whether a slot's round can be disputed no more and has the attestations it needs.
    function _isSettled(uint256 slot) private view returns (bool) {
        return uint24(slot >> 24) <= _control.limit && _isPast(slot);
    }

    /// @dev When a slot's window ends, in seconds since 1970.
    function _endOf(uint256 slot) private view returns (uint256) {
        return _deployedAt + (uint24(slot) + _windowTicks + 1) * TICK_SECONDS;
    }

    function _latestRound() private view returns (uint256 latest) {
        for (uint256 i = 0; i < _ringSize; ++i) {
            uint256 round = uint24(_ring[i] >> 24);
            if (round > latest) latest = round;
        }
    }

    function _currentTick() private view returns (uint256 tick) {
        unchecked {
            tick = (block.timestamp - _deployedAt) / TICK_SECONDS;
        }
        if (tick > type(uint24).max) revert RoundAnchorClockExhausted();
    }

    function _hash(RoundRecord calldata record) private pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            let data := mload(0x40)
            calldatacopy(data, record, RECORD_BYTES)
            hash := keccak256(data, RECORD_BYTES)
        }
    }

    function _nextHead(uint256 parentHead, bytes32 recordHash) private pure returns (uint256) {
        return uint256(keccak256(abi.encode(parentHead, recordHash))) & HEAD_MASK;
    }
}
