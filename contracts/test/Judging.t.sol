// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.35;

import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {Apportionment} from "../lib/Apportionment.sol";
import {CoordinateRules} from "../lib/CoordinateRules.sol";
import {FixedPoint} from "../lib/FixedPoint.sol";
import {GramRules} from "../lib/GramRules.sol";
import {ServerSteps} from "../lib/ServerSteps.sol";
import {SignedData} from "../lib/SignedData.sol";
import {Trees} from "../lib/Trees.sol";
import {Base} from "./Base.sol";

/// @dev The cheat codes that read vectors.
interface VmJson {
    function readFile(string calldata path) external view returns (string memory);
    function parseJsonUintArray(string calldata json, string calldata key) external pure returns (uint256[] memory);
    function parseJsonIntArray(string calldata json, string calldata key) external pure returns (int256[] memory);
    function parseJsonBytesArray(string calldata json, string calldata key) external pure returns (bytes[] memory);
    function parseJsonBytes32Array(string calldata json, string calldata key) external pure returns (bytes32[] memory);
    function parseJsonAddressArray(string calldata json, string calldata key) external pure returns (address[] memory);
    function parseJsonStringArray(string calldata json, string calldata key) external pure returns (string[] memory);
}

/// @dev Holds the arithmetic of disputes to the vectors of the TypeScript reference, bit for bit.
contract JudgingTest is Base {
    VmJson private constant json = VmJson(0x7109709ECfa91a80626fF3989D68f67F5b1DD12D);

    function _file(string memory name) private view returns (string memory) {
        return json.readFile(string.concat("test/vectors/coordinate/", name, ".json"));
    }

    function _same(string memory a, string memory b) private pure returns (bool) {
        return keccak256(bytes(a)) == keccak256(bytes(b));
    }

    /// @dev Decimal integers with a space between them.
    function _integers(string memory text) private pure returns (int256[] memory values) {
        bytes memory data = bytes(text);
        uint256 count = 1;
        for (uint256 i = 0; i < data.length; ++i) {
            if (data[i] == " ") ++count;
        }
        values = new int256[](count);
        uint256 next = 0;
        int256 sign = 1;
        for (uint256 i = 0; i < data.length; ++i) {
            if (data[i] == " ") {
                values[next++] *= sign;
                sign = 1;
            } else if (data[i] == "-") {
                sign = -1;
            } else {
                values[next] = values[next] * 10 + int256(uint256(uint8(data[i])) - 48);
            }
        }
        values[next] *= sign;
    }

    function _naturals(string memory text) private pure returns (uint256[] memory values) {
        int256[] memory signed = _integers(text);
        assembly ("memory-safe") {
            values := signed
        }
    }

    function _words(bytes memory data) private pure returns (bytes32[] memory words) {
        words = new bytes32[](data.length / 32);
        for (uint256 i = 0; i < words.length; ++i) {
            bytes32 word;
            assembly ("memory-safe") {
                word := mload(add(add(data, 0x20), shl(5, i)))
            }
            words[i] = word;
        }
    }

    function test_RoundingMatchesTheReference() public view {
        string memory file = _file("rounding");
        int256[] memory a = json.parseJsonIntArray(file, ".a");
        int256[] memory b = json.parseJsonIntArray(file, ".b");
        int256[] memory quotient = json.parseJsonIntArray(file, ".quotient");
        check(a.length > 100, "vectors");
        for (uint256 i = 0; i < a.length; ++i) {
            check(FixedPoint.roundDiv(a[i], b[i]) == quotient[i], "roundDiv");
        }
    }

    /// @dev Signed division rounding: the nearest integer, and halves upwards on both sides of zero.
    function testFuzz_RoundDivIsTheNearestInteger(int128 a, uint64 b) public pure {
        vm.assume(b != 0);
        int256 divisor = int256(uint256(b));
        int256 gap = 2 * (FixedPoint.roundDiv(a, divisor) * divisor - a);
        check(gap > -divisor && gap <= divisor, "further than a half");
    }

    function _rule(string memory name, int256[] memory values, uint256 f) private pure returns (int256) {
        if (_same(name, "Median")) return CoordinateRules.median(values, f);
        if (_same(name, "TrMean")) return CoordinateRules.trimmedMean(values, f);
        if (_same(name, "Meamed")) return CoordinateRules.meamed(values, f);
        if (_same(name, "Phocas")) return CoordinateRules.phocas(values, f);
        check(_same(name, "SignMajority"), name);
        return CoordinateRules.signMajority(values, f);
    }

    function test_CoordinateRulesMatchTheReference() public view {
        string memory file = _file("rules");
        string[] memory rules = json.parseJsonStringArray(file, ".rule");
        uint256[] memory f = json.parseJsonUintArray(file, ".f");
        uint256[] memory n = json.parseJsonUintArray(file, ".n");
        bytes[] memory matrices = json.parseJsonBytesArray(file, ".matrix");
        bytes[] memory aggregates = json.parseJsonBytesArray(file, ".aggregate");
        check(rules.length == 50, "vectors");
        for (uint256 i = 0; i < rules.length; ++i) {
            for (uint256 spot = 0; spot < 64; ++spot) {
                int256[] memory values = new int256[](n[i]);
                for (uint256 row = 0; row < n[i]; ++row) {
                    values[row] = FixedPoint.int16At(matrices[i], row * 64 + spot);
                }
                check(_rule(rules[i], values, f[i]) == FixedPoint.int32At(aggregates[i], spot), rules[i]);
            }
        }
    }

    function test_WeightedSumsMatchTheReference() public view {
        string memory file = _file("sums");
        string[] memory weights = json.parseJsonStringArray(file, ".weights");
        bytes[] memory matrices = json.parseJsonBytesArray(file, ".matrix");
        bytes[] memory aggregates = json.parseJsonBytesArray(file, ".aggregate");
        bytes32[] memory roots = json.parseJsonBytes32Array(file, ".weightsRoot");
        check(weights.length == 9, "vectors");
        for (uint256 i = 0; i < weights.length; ++i) {
            int256[] memory own = _integers(weights[i]);
            check(Trees.rootOfWords(Trees.WEIGHTS, _naturals(weights[i])) == roots[i], "weights root");
            for (uint256 spot = 0; spot < 64; ++spot) {
                int256[] memory values = new int256[](own.length);
                for (uint256 row = 0; row < own.length; ++row) {
                    values[row] = FixedPoint.int16At(matrices[i], row * 64 + spot);
                }
                int256 found = CoordinateRules.weightedSum(values, own);
                check(found == FixedPoint.int32At(aggregates[i], spot), "weighted sum");
            }
        }
    }

    function _stepOf(string memory file, uint256 i)
        private
        pure
        returns (int256 rate, int256 momentum, ServerSteps.Scales memory scales)
    {
        rate = json.parseJsonIntArray(file, ".learningRate")[i];
        momentum = json.parseJsonIntArray(file, ".momentum")[i];
        scales.fractionBits = json.parseJsonUintArray(file, ".fractionBits")[i];
        scales.preScaleBits = json.parseJsonUintArray(file, ".preScaleBits")[i];
        scales.updateBits = json.parseJsonUintArray(file, ".updateBits")[i];
    }

    function test_ServerStepsMatchTheReference() public view {
        string memory file = _file("steps");
        bytes[] memory models = json.parseJsonBytesArray(file, ".model");
        bytes[] memory states = json.parseJsonBytesArray(file, ".state");
        bytes[] memory aggregates = json.parseJsonBytesArray(file, ".aggregate");
        bytes[] memory nextModels = json.parseJsonBytesArray(file, ".nextModel");
        bytes[] memory nextStates = json.parseJsonBytesArray(file, ".nextState");
        check(models.length == 24, "vectors");
        for (uint256 i = 0; i < models.length; ++i) {
            (int256 rate, int256 momentum, ServerSteps.Scales memory scales) = _stepOf(file, i);
            for (uint256 spot = 0; spot < 64; ++spot) {
                int256 model = FixedPoint.int32At(models[i], spot);
                int256 state = FixedPoint.int32At(states[i], spot);
                int256 aggregate = FixedPoint.int32At(aggregates[i], spot);
                if (momentum < 0) {
                    (model, state) = (ServerSteps.fedAvg(model, aggregate, rate, scales), 0);
                } else {
                    (model, state) = ServerSteps.fedAvgM(model, state, aggregate, rate, momentum, scales);
                }
                check(model == FixedPoint.int32At(nextModels[i], spot), "model");
                check(state == FixedPoint.int32At(nextStates[i], spot), "state");
            }
        }
    }

    function test_ScoresAndRankingsMatchTheReference() public view {
        string memory file = _file("gram");
        string[] memory grams = json.parseJsonStringArray(file, ".gram");
        check(grams.length == 5, "vectors");
        for (uint256 i = 0; i < grams.length; ++i) {
            int256[] memory gram = _integers(grams[i]);
            uint256 n = json.parseJsonUintArray(file, ".n")[i];
            _checkScores(file, i, gram, n);
            uint256 others = n - json.parseJsonUintArray(file, ".f")[i] - 1;
            _checkRanking(gram, n, others, _naturals(json.parseJsonStringArray(file, ".ranking")[i]));
            if (others == 0) continue;
            _checkRanking(gram, n, others - 1, _naturals(json.parseJsonStringArray(file, ".rankingOriginal")[i]));
        }
    }

    function _checkScores(string memory file, uint256 i, int256[] memory gram, uint256 n) private view {
        uint256[] memory activity = _naturals(json.parseJsonStringArray(file, ".active")[i]);
        bool[] memory active = new bool[](n);
        for (uint256 row = 0; row < n; ++row) {
            active[row] = activity[row] != 0;
        }
        uint256[] memory found = GramRules.confirmationScores(gram, active);
        uint256[] memory expected = _naturals(json.parseJsonStringArray(file, ".confirmation")[i]);
        for (uint256 row = 0; row < n; ++row) {
            check(found[row] == expected[row], "confirmation");
        }
        found = GramRules.alignmentScores(gram, active);
        expected = _naturals(json.parseJsonStringArray(file, ".scores")[i]);
        for (uint256 row = 0; row < n; ++row) {
            check(found[row] == expected[row], "alignment");
        }
        check(Trees.rootOfWords(Trees.SCORES, found) == json.parseJsonBytes32Array(file, ".scoresRoot")[i], "root");
        check(Trees.rootOfRows(Trees.GRAM, gram, n + 1) == json.parseJsonBytes32Array(file, ".gramRoot")[i], "gram");
    }

    function _checkRanking(int256[] memory gram, uint256 n, uint256 count, uint256[] memory ranking) private pure {
        for (uint256 spot = 1; spot < n; ++spot) {
            int256 before = GramRules.krumScore(gram, n, ranking[spot - 1], count);
            int256 after_ = GramRules.krumScore(gram, n, ranking[spot], count);
            check(before < after_ || (before == after_ && ranking[spot - 1] < ranking[spot]), "ranking");
        }
    }

    function test_SplitsMatchTheReference() public view {
        string memory file = _file("splits");
        string[] memory shares = json.parseJsonStringArray(file, ".shares");
        uint256[] memory totals = json.parseJsonUintArray(file, ".total");
        string[] memory amounts = json.parseJsonStringArray(file, ".amounts");
        check(shares.length == 29, "vectors");
        for (uint256 i = 0; i < shares.length; ++i) {
            uint256[] memory found = Apportionment.split(_naturals(shares[i]), totals[i]);
            uint256[] memory expected = _naturals(amounts[i]);
            for (uint256 j = 0; j < expected.length; ++j) {
                check(found[j] == expected[j], "amount");
            }
        }
    }

    /// @dev Whatever the shares, the whole pot is paid or nothing, and nobody gets more than a unit off its due.
    function testFuzz_ASplitPaysTheWholePot(uint64[] memory raw, uint96 pot) public pure {
        uint256 n = raw.length < 64 ? raw.length : 64;
        uint256[] memory shares = new uint256[](n);
        uint256 sum = 0;
        for (uint256 i = 0; i < n; ++i) {
            shares[i] = raw[i];
            sum += raw[i];
        }
        uint256[] memory amounts = Apportionment.split(shares, pot);
        uint256 paid = 0;
        for (uint256 i = 0; i < n; ++i) {
            paid += amounts[i];
            if (sum == 0) continue;
            uint256 due = shares[i] * pot / sum;
            check(amounts[i] == due || amounts[i] == due + 1, "off its due");
            check(shares[i] > 0 || amounts[i] == 0, "paid for nothing");
        }
        check(paid == (sum == 0 ? 0 : pot), "the pot");
    }

    function test_TreesMatchTheReference() public view {
        string memory file = _file("trees");
        uint256[] memory kinds = json.parseJsonUintArray(file, ".kind");
        bytes[] memory leaves = json.parseJsonBytesArray(file, ".leaf");
        string[] memory hashes = json.parseJsonStringArray(file, ".hashes");
        string[] memory proofs = json.parseJsonStringArray(file, ".proof");
        check(kinds.length == 60, "vectors");
        for (uint256 i = 0; i < kinds.length; ++i) {
            _checkTree(
                kinds[i],
                leaves[i],
                _words(_unhex(hashes[i])),
                _words(_unhex(proofs[i])),
                json.parseJsonUintArray(file, ".index")[i],
                json.parseJsonBytes32Array(file, ".root")[i]
            );
        }
    }

    function _checkTree(
        uint256 kind,
        bytes memory leaf,
        bytes32[] memory hashes,
        bytes32[] memory proof,
        uint256 index,
        bytes32 root
    ) private view {
        uint256 leaves = hashes.length;
        bytes32 hash = Trees.leafHash(kind, leaf);
        check(hash == hashes[index], "leaf hash");
        check(Trees.proves(kind, root, hash, index, leaves, proof), "proof");
        // Wrong depth, shifted index, another kind of tree, a leaf that is a node: none of it proves anything.
        check(!Trees.proves(kind, root, hash, index, 2 * leaves, proof), "another depth");
        check(!Trees.proves(kind, root, hash, index + (1 << proof.length), leaves, proof), "an index beyond");
        if (leaves > 1) check(!Trees.proves(kind, root, hash, index ^ 1, leaves, proof), "a shifted index");
        if (leaves > 1) check(!Trees.proves(kind % 10 + 1, root, hash, index, leaves, proof), "another kind");
        check(leaves == 1 || !Trees.proves(kind, root, root, 0, 1, new bytes32[](0)) || hash != root, "a node as leaf");
        check(Trees.rootOf(kind, hashes) == root, "root");
    }

    /// @dev Bytes of hexadecimal digits without prefix.
    function _unhex(string memory text) private pure returns (bytes memory data) {
        bytes memory digits = bytes(text);
        data = new bytes(digits.length / 2);
        for (uint256 i = 0; i < data.length; ++i) {
            data[i] = bytes1(_digit(digits[2 * i]) * 16 + _digit(digits[2 * i + 1]));
        }
    }

    function _digit(bytes1 digit) private pure returns (uint8) {
        uint8 code = uint8(digit);
        return code < 58 ? code - 48 : code - 87;
    }

    function test_SignedDataAndRewardsMatchTheReference() public {
        string memory file = _file("commitments");
        for (uint256 i = 0; i < 3; ++i) {
            vm.chainId(json.parseJsonUintArray(file, ".chainId")[i]);
            address anchor = json.parseJsonAddressArray(file, ".anchor")[i];
            SignedData.Update memory update = _updateAt(file, i);
            bytes32 digest = SignedData.digest(anchor, SignedData.hash(update));
            check(digest == json.parseJsonBytes32Array(file, ".updateDigest")[i], "update");
            SignedData.Receipt memory receipt = SignedData.Receipt(
                update.job,
                update.round,
                update.attempt,
                json.parseJsonAddressArray(file, ".participant")[i],
                update.updateRoot,
                uint8(json.parseJsonUintArray(file, ".verdict")[i]),
                json.parseJsonStringArray(file, ".code")[i]
            );
            digest = SignedData.digest(anchor, SignedData.hash(receipt));
            check(digest == json.parseJsonBytes32Array(file, ".receiptDigest")[i], "receipt");
            bytes26 head = bytes26(bytes32(json.parseJsonBytesArray(file, ".head")[i]));
            digest = SignedData.digest(anchor, SignedData.hashAttestation(update.job, update.round, head));
            check(digest == json.parseJsonBytes32Array(file, ".attestationDigest")[i], "attestation");
            _checkRewards(file, i, receipt.participant);
        }
    }

    function _updateAt(string memory file, uint256 i) private pure returns (SignedData.Update memory update) {
        update.job = json.parseJsonBytes32Array(file, ".job")[i];
        update.round = uint64(json.parseJsonUintArray(file, ".round")[i]);
        update.attempt = uint32(json.parseJsonUintArray(file, ".attempt")[i]);
        update.parentRoot = json.parseJsonBytes32Array(file, ".parentRoot")[i];
        update.updateRoot = json.parseJsonBytes32Array(file, ".updateRoot")[i];
        update.samples = uint32(json.parseJsonUintArray(file, ".samples")[i]);
        update.largestMagnitude = uint32(json.parseJsonUintArray(file, ".largestMagnitude")[i]);
        update.datasetCommitment = json.parseJsonBytes32Array(file, ".datasetCommitment")[i];
    }

    function _checkRewards(string memory file, uint256 i, address account) private pure {
        uint256 cumulative = json.parseJsonUintArray(file, ".cumulative")[i];
        bytes32 leaf = keccak256(bytes.concat(keccak256(abi.encode(account, cumulative))));
        bytes32[] memory proof = _words(_unhex(json.parseJsonStringArray(file, ".rewardsProof")[i]));
        check(MerkleProof.verify(proof, json.parseJsonBytes32Array(file, ".rewardsRoot")[i], leaf), "rewards");
    }
}
