// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.35;

import {IParams} from "./interfaces/IParams.sol";

/**
 * @title Params
 * @dev See {IParams}. The timelock is immutable: who may propose to it can change, by its own roles; that it takes its
 * time cannot.
 */
contract Params is IParams {
    // Two ticks of the anchor's clock.
    uint256 private constant LEAST_WINDOW_S = 32;
    uint256 private constant MOST_WINDOW_S = 90 days;
    // One block of the main network.
    uint256 private constant LEAST_ANSWER_S = 12;
    uint256 private constant MOST_ANSWER_S = 7 days;
    uint256 private constant LEAST_COVER_BPS = 10_000;
    uint256 private constant MOST_COVER_BPS = 1_000_000;
    uint256 private constant MOST_CHALLENGER_BPS = 5_000;
    uint256 private constant MOST_FEE_BPS = 1_000;
    uint256 private constant MOST_BOND = 10_000 ether;

    address private immutable _timelock;

    Values[] private _versions;
    mapping(bytes32 rule => bool) private _allowed;
    mapping(bytes32 name => address) private _pointers;

    modifier onlyTimelock() {
        if (msg.sender != _timelock) revert ParamsUnauthorizedAccount(msg.sender);
        _;
    }

    /**
     * @param timelock_ who alone may change anything
     * @param values the first version
     * @param rules keccak256 of the names of the rules that are allowed at first
     */
    constructor(address timelock_, Values memory values, bytes32[] memory rules) {
        if (timelock_ == address(0)) revert ParamsOutOfBounds("timelock");
        _timelock = timelock_;
        _set(values);
        for (uint256 i = 0; i < rules.length; ++i) {
            _setRule(rules[i], true);
        }
    }

    /// @inheritdoc IParams
    function set(Values calldata values) external onlyTimelock {
        _set(values);
    }

    /// @inheritdoc IParams
    function setRule(bytes32 rule, bool allowed) external onlyTimelock {
        _setRule(rule, allowed);
    }

    /// @inheritdoc IParams
    function setPointer(bytes32 name, address target) external onlyTimelock {
        _pointers[name] = target;
        emit PointerSet(name, target);
    }

    /// @inheritdoc IParams
    function current() external view returns (uint256 version, Values memory values) {
        version = _versions.length;
        values = _versions[version - 1];
    }

    /// @inheritdoc IParams
    function valuesAt(uint256 version) external view returns (Values memory) {
        if (version == 0 || version > _versions.length) revert ParamsUnknownVersion(version);
        return _versions[version - 1];
    }

    /// @inheritdoc IParams
    function isAllowed(bytes32 rule) external view returns (bool) {
        return _allowed[rule];
    }

    /// @inheritdoc IParams
    function pointer(bytes32 name) external view returns (address) {
        return _pointers[name];
    }

    /// @inheritdoc IParams
    function timelock() external view returns (address) {
        return _timelock;
    }

    function _setRule(bytes32 rule, bool allowed) private {
        _allowed[rule] = allowed;
        emit RuleSet(rule, allowed);
    }

    function _set(Values memory values) private {
        _within("minWindowS", values.minWindowS, LEAST_WINDOW_S, values.maxWindowS);
        _within("maxWindowS", values.maxWindowS, LEAST_WINDOW_S, MOST_WINDOW_S);
        _within("minAnswerS", values.minAnswerS, LEAST_ANSWER_S, values.maxAnswerS);
        _within("maxAnswerS", values.maxAnswerS, LEAST_ANSWER_S, MOST_ANSWER_S);
        _within("slashCoverBps", values.slashCoverBps, LEAST_COVER_BPS, MOST_COVER_BPS);
        _within("challengerBondBps", values.challengerBondBps, 1, MOST_CHALLENGER_BPS);
        _within("feeBps", values.feeBps, 0, MOST_FEE_BPS);
        _within("registrationBond", values.registrationBond, 0, MOST_BOND);
        _versions.push(values);
        emit ValuesSet(_versions.length, values);
    }

    function _within(string memory parameter, uint256 value, uint256 least, uint256 most) private pure {
        if (value < least || value > most) revert ParamsOutOfBounds(parameter);
    }
}
