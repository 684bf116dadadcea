// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.35;

/**
 * @dev What the coordinator anchors for one round: every input and output of the round function, by commitment.
 * A static ABI struct of 21 words. Its hash is `keccak256(abi.encode(record))`.
 */
struct RoundRecord {
    /// @dev The job this round belongs to.
    bytes32 job;
    /// @dev Round number, from 1.
    uint64 round;
    /// @dev How many times work on this job was restarted before.
    uint32 attempt;
    /// @dev Admitted participants: rows of the matrix.
    uint32 participants;
    /// @dev Binary places of the updates.
    uint8 updateBits;
    /// @dev Position of the seed in the job's committed seed chain.
    uint32 seedIndex;
    /// @dev The seed of this round, revealed after collection closed.
    bytes32 seed;
    /// @dev Hash of the part of the plan that the manifest fixes.
    bytes32 fixedPlanHash;
    /// @dev Root over the manifest's table of tensors.
    bytes32 tensorTableRoot;
    /// @dev Model the updates were trained from.
    bytes32 parentModelRoot;
    /// @dev Model after the server step.
    bytes32 modelRoot;
    /// @dev Server optimizer's state after the step; zero where the step keeps none.
    bytes32 serverStateRoot;
    /// @dev The aggregate of the admitted updates.
    bytes32 aggregateRoot;
    /// @dev The matrix of admitted updates.
    bytes32 matrixRoot;
    /// @dev Who contributed what, by signature.
    bytes32 contributionsRoot;
    /// @dev The Gram matrix of the updates and the aggregate.
    bytes32 gramRoot;
    /// @dev Aggregation weights; zero where the rule has none.
    bytes32 weightsRoot;
    /// @dev Integer scores that split the round's pot.
    bytes32 scoresRoot;
    /// @dev Cumulative rewards of every account, in the form OpenZeppelin's `MerkleProof` verifies; zero only where
    /// nobody has earned anything.
    bytes32 rewardsRoot;
    /// @dev Sum of all rewards since round 1, in the token's smallest unit.
    uint256 rewardsTotal;
    /// @dev SHA-256 of the round's document, under which anybody finds the data behind the roots.
    bytes32 location;
}

/**
 * @title IRoundAnchor
 * @dev One job's hash chain of round records, kept in a ring of packed slots.
 *
 * Heads are 26 bytes (208 bits), so that one storage slot also holds the round and the time it was anchored:
 *
 * - `head208(0)` = first 26 bytes of
 *   `keccak256(abi.encode(block.chainid, address(anchor), job, manifestHash, genesisModelRoot))`
 * - `head208(r)` = first 26 bytes of `keccak256(abi.encode(head208(r - 1), keccak256(abi.encode(record))))`, where the
 *   previous head is a `bytes26`, left-aligned in its word and followed by six zero bytes.
 *
 * A birthday collision of 208 bits costs 2^104 hashes. No timestamp enters the chain: a record that a reorganization
 * puts into another block gets the same head again.
 *
 * Only the head is stored. The record travels as calldata and in the event; whoever needs it later supplies it again.
 */
interface IRoundAnchor {
    /// @dev What a job is created with; everything but the coordinator is immutable.
    struct Job {
        /// @dev Identifier of the job.
        bytes32 job;
        /// @dev Hash of the job's manifest.
        bytes32 manifestHash;
        /// @dev Hash of the part of the plan every round must repeat.
        bytes32 fixedPlanHash;
        /// @dev Root over the manifest's table of tensors.
        bytes32 tensorTableRoot;
        /// @dev Model before round 1.
        bytes32 genesisModelRoot;
        /// @dev Upper bound of the rewards of one round, in the token's smallest unit.
        uint96 pricePerRound;
        /// @dev Last round there can be.
        uint24 maxRounds;
        /// @dev Challenge window in ticks of 16 seconds.
        uint24 windowTicks;
        /// @dev Rounds that the ring holds; no more rounds than this can be in their window at once.
        uint16 ringSize;
        /// @dev Who anchors.
        address coordinator;
        /// @dev Who may replace the coordinator and pause anchoring for a bounded time.
        address guardian;
        /// @dev Who may hold and rewind rounds that are not final (the disputes contract); zero where nobody may.
        address arbiter;
        /// @dev Who keeps the list of those whose attestations count; may be zero where none are needed.
        address roster;
        /// @dev Attestations that a round needs to become final; zero where its window suffices.
        uint16 attestationQuorum;
        /// @dev For how many ticks after its window a round may wait for them before anyone may rewind it.
        uint24 attestationTicks;
    }

    /// @dev A record was appended; `head` is the chain's head after it.
    event RoundAnchored(bytes32 indexed job, uint64 indexed round, bytes26 head, RoundRecord record);

    /// @dev Rounds `firstRound` to `lastRound` were taken back; they are anchored again with `minAttempt` at least.
    event RoundsRewound(uint64 indexed firstRound, uint64 lastRound, uint32 minAttempt);

    /// @dev `count` attestations over `head` arrived: no round up to `round` lacks any more.
    event RoundsAttested(uint64 indexed round, bytes26 head, uint256 count);

    /// @dev No round from `round` on becomes final for now; zero: none is held.
    event RoundsHeld(uint64 indexed round);

    /// @dev The coordinator changed.
    event CoordinatorChanged(address indexed previousCoordinator, address indexed newCoordinator);

    /// @dev Anchoring stopped until `until`, in seconds since 1970.
    event AnchoringPaused(uint40 until);

    /// @dev Anchoring may go on.
    event AnchoringResumed();

    /// @dev A constructor parameter is outside its bounds.
    error RoundAnchorInvalidParameter(string parameter);

    /// @dev `account` does not hold the role that this call needs.
    error RoundAnchorUnauthorizedAccount(address account);

    /// @dev Anchoring is paused until `until`, in seconds since 1970.
    error RoundAnchorPaused(uint256 until);

    /// @dev A new pause may not begin before `notBefore`, in seconds since 1970.
    error RoundAnchorPauseTooSoon(uint256 notBefore);

    /// @dev A pause may last `maximum` seconds at most.
    error RoundAnchorPauseTooLong(uint256 secondsAsked, uint256 maximum);

    /// @dev `anchorMany` was called with nothing to anchor.
    error RoundAnchorEmptyBatch();

    /// @dev The record belongs to another job.
    error RoundAnchorWrongJob(bytes32 job);

    /// @dev The record's fixed plan is not the manifest's.
    error RoundAnchorWrongPlan(bytes32 fixedPlanHash);

    /// @dev The record's tensor table is not the manifest's.
    error RoundAnchorWrongTensorTable(bytes32 tensorTableRoot);

    /// @dev The round does not follow the latest anchored one (skipped, repeated or zero).
    error RoundAnchorOutOfOrder(uint256 round);

    /// @dev The job ends with round `maxRounds`.
    error RoundAnchorBeyondLastRound(uint256 round, uint256 maxRounds);

    /// @dev The ring slot of `round` still holds a round that is in its window.
    error RoundAnchorRingFull(uint256 round, uint256 heldRound);

    /// @dev The attempt is lower than the last rewind demands, or implausibly far above it.
    error RoundAnchorInvalidAttempt(uint256 attempt, uint256 minAttempt);

    /// @dev A record without participants.
    error RoundAnchorNoParticipants();

    /// @dev A root that every round has is zero.
    error RoundAnchorZeroRoot();

    /// @dev The record does not continue from the model before it.
    error RoundAnchorWrongParent(bytes32 parentModelRoot);

    /// @dev The cumulative rewards exceed `pricePerRound * round`, or fall within a batch.
    error RoundAnchorInvalidRewards(uint256 rewardsTotal, uint256 bound);

    /// @dev The 24-bit clock of the ring has run out (8.5 years after deployment).
    error RoundAnchorClockExhausted();

    /// @dev The round is not anchored, or not with this record.
    error RoundAnchorUnknownRecord(uint256 round);

    /// @dev The round is not the first without attestations, or it may still get them until `deadline`.
    error RoundAnchorNotOverdue(uint256 round, uint256 deadline);

    /// @dev The round needs no attestations, or no more.
    error RoundAnchorAlreadyAttested(uint256 round);

    /// @dev There are `count` good attestations where `quorum` are needed.
    error RoundAnchorTooFewAttestations(uint256 count, uint256 quorum);

    /// @dev The round has left its window and cannot be rewound.
    error RoundAnchorFinal(uint256 round);

    /// @dev Appends the next round's record. Coordinator only.
    function anchor(RoundRecord calldata record) external;

    /// @dev Appends several consecutive records; within the batch models must connect and rewards may not fall.
    function anchorMany(RoundRecord[] calldata records) external;

    /**
     * @dev Takes back the rounds from `first` to `last`, the latest one. Arbiter only, and only while `first` is not
     * final. Every later record needs an attempt above that of `first` and of `last`.
     *
     * @param first the record of the earliest round to take back
     * @param parentHead the head before `first`: its slot may have been reused meanwhile and is then restored
     * @param last the record of the latest anchored round (equal to `first` where that is the latest)
     */
    function rewind(RoundRecord calldata first, bytes26 parentHead, RoundRecord calldata last) external;

    /// @dev The same by anyone, once `first`, the earliest round without attestations, has missed its deadline.
    function rewindUnattested(RoundRecord calldata first, bytes26 parentHead, RoundRecord calldata last) external;

    /**
     * @dev Shows that enough participants have fetched and recomputed everything up to `head`. Every round up to it is
     * final as soon as its window has passed and nothing holds it. Anyone.
     *
     * @param round the round after which the chain has this head
     * @param head the head that was signed
     * @param attestations 66 bytes each, in ascending order of position: position in the roster (2), r (32), and s with
     * the parity of v in its highest bit (EIP-2098, 32)
     */
    function finalize(uint64 round, bytes26 head, bytes calldata attestations) external;

    /// @dev Keeps the rounds from `round` on from becoming final; zero lets go. Arbiter only.
    function hold(uint64 round) external;

    /// @dev Replaces the coordinator. Guardian only.
    function setCoordinator(address newCoordinator) external;

    /// @dev Stops anchoring for `duration` seconds (7 days at most, and not again for 7 days after). Guardian only.
    function pause(uint40 duration) external;

    /// @dev Ends a pause early. Guardian only.
    function resume() external;

    /**
     * @dev Whether exactly this record is part of the chain, its window has passed, it has the attestations it needs and
     * nothing holds it. False for a record that the ring
     * no longer remembers, be it the record's own head or the one before: rewards are cumulative, so a later record
     * always stands for it.
     */
    function isFinal(RoundRecord calldata record) external view returns (bool);

    /// @dev Head after `round`, zero where the ring does not hold that round. Round 0 is the genesis.
    function headOf(uint64 round) external view returns (bytes26);

    /// @dev Who anchored `round` if it is anchored.
    function coordinatorOf(uint64 round) external view returns (address);

    /// @dev Last attested round, earliest held one (0: none), and the last that can be final by the two of them.
    function progress() external view returns (uint64 attested, uint64 heldFrom, uint64 limit);

    /// @dev Whether the ring holds `round`, and when (seconds since 1970) its window ends.
    function finality(uint64 round) external view returns (bool anchored, uint256 finalAt);

    /// @dev The latest anchored round, 0 before the first. Reads the whole ring: meant for calls, not transactions.
    function latestRound() external view returns (uint64);

    /// @dev The parameters the job was created with; `coordinator` is the current one.
    function jobParameters() external view returns (Job memory);

    /// @dev Lowest attempt that the next record may carry.
    function minAttempt() external view returns (uint32);

    /// @dev When the current pause ends or the last one ended, in seconds since 1970; zero if there was none.
    function pausedUntil() external view returns (uint40);

    /// @dev Block and time (seconds since 1970) of the deployment: where a reader of the events begins.
    function deployment() external view returns (uint256 blockNumber, uint256 timestamp);
}
