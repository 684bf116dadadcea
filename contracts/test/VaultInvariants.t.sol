// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.35;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {RewardVault} from "../RewardVault.sol";
import {RoundAnchor} from "../RoundAnchor.sol";
import {IRewardVault} from "../interfaces/IRewardVault.sol";
import {RoundRecord} from "../interfaces/IRoundAnchor.sol";
import {Base} from "./Base.sol";
import {PlainToken} from "./Mocks.sol";
import {Tree} from "./Tree.sol";

/// @dev Drives a job's anchor and vault at random: honest roots, roots that promise too much, rewinds, refunds.
contract VaultHandler is Base {
    // Short enough that refunds open in the middle of most runs.
    uint64 private constant LIFE = 600;

    RoundAnchor public immutable anchor;
    RewardVault public immutable vault;
    PlainToken public immutable token;

    struct Anchored {
        RoundRecord record;
        Tree.Four tree;
        uint256[4] earned;
        uint256 anchoredAtTick;
        bool rewound;
    }

    Anchored[] private _anchored;
    uint256[] private _standing;
    uint32 private _attempt;
    uint256 private _active = type(uint256).max;

    uint256 public funded;
    uint256 public refunded;
    mapping(address account => uint256) public entitled;
    mapping(address account => uint256) public received;
    address[4] public accounts = [address(0xA1), address(0xA2), address(0xA3), address(0xA4)];
    address[3] public sponsors = [address(0x51), address(0x52), address(0x53)];

    constructor() {
        anchor = new RoundAnchor(jobOf(RING, WINDOW));
        token = new PlainToken();
        vault = new RewardVault(IERC20(address(token)), anchor, uint64(time()) + LIFE, 200);
        _fund(sponsors[0], 1000);
    }

    function warp(uint16 duration) external {
        skip(bound(duration, 0, 200));
    }

    function fund(uint8 who, uint16 amount) external {
        _fund(sponsors[who % 3], bound(amount, 1, 500));
    }

    /// @dev A round's whole way at once, so that runs see many activations and not only beginnings.
    function finishRound(uint8 whose, uint16 amount, uint8 greed) external {
        anchorRound(whose, amount, greed);
        skip((WINDOW + 1) * TICK);
        activate(0);
    }

    function anchorRound(uint8 whose, uint16 amount, uint8 greed) public {
        uint64 round = uint64(_standing.length) + 1;
        Anchored memory entry;
        if (round > 1) entry.earned = _anchored[_standing[round - 2]].earned;
        uint256[4] memory amounts = entry.earned;
        amounts[whose % 4] += bound(amount, 0, uint256(PRICE) * round - _sum(amounts));
        entry.record = recordOf(round);
        entry.record.attempt = _attempt;
        entry.record.rewardsTotal = _sum(amounts);
        // A copy: arrays in memory are references.
        amounts = [amounts[0], amounts[1], amounts[2], amounts[3]];
        // Now and then the coordinator's tree promises more than its total, or takes back what was earned.
        if (greed % 8 == 0) amounts[greed % 4] += 1000;
        if (greed % 8 == 1) amounts[greed % 4] /= 2;
        entry.tree = Tree.four(accounts, amounts);
        entry.record.rewardsRoot = entry.tree.root;
        entry.anchoredAtTick = (time() - _start()) / TICK;
        vm.prank(COORDINATOR);
        try anchor.anchor(entry.record) {
            _standing.push(_anchored.length);
            _anchored.push(entry);
        } catch {}
    }

    function rewind(uint8 depth) external {
        if (_standing.length == 0) return;
        uint256 latest = _standing.length;
        uint256 first = latest - bound(depth, 0, latest < RING ? latest - 1 : RING - 1);
        bytes26 parent = anchor.headOf(uint64(first - 1));
        vm.prank(ARBITER);
        try anchor.rewind(_anchored[_standing[first - 1]].record, parent, _anchored[_standing[latest - 1]].record) {
            for (uint256 round = latest; round >= first; --round) {
                _anchored[_standing[round - 1]].rewound = true;
                _standing.pop();
            }
            ++_attempt;
        } catch {}
    }

    /// @dev Any record ever anchored, the rewound ones among them.
    function activate(uint16 which) public {
        if (_anchored.length == 0) return;
        uint256 back = bound(which, 0, _anchored.length < 6 ? _anchored.length - 1 : 5);
        uint256 index = _anchored.length - 1 - back;
        Anchored memory entry = _anchored[index];
        bool due = _isDue(entry);
        try vault.activate(entry.record) {
            check(!entry.rewound, "I4: a rewound record was activated");
            check(
                (time() - _start()) / TICK > entry.anchoredAtTick + WINDOW, "I4: a record in its window was activated"
            );
            _active = index;
            for (uint256 i = 0; i < 4; ++i) {
                if (entry.tree.amounts[i] > entitled[accounts[i]]) entitled[accounts[i]] = entry.tree.amounts[i];
            }
        } catch {
            check(!due, "I8: a final record could not be activated");
        }
    }

    /// @dev Whether a record is final and its rewards are there, whether anchoring is paused or not.
    function _isDue(Anchored memory entry) private view returns (bool) {
        (uint256 funded_, uint256 activated,,) = vault.totals();
        (uint64 round,) = vault.activation();
        (,, uint256 refundsOpenAt) = vault.terms();
        RoundRecord memory record = entry.record;
        // The contract needs the head before to recognize a record.
        bool remembered = anchor.headOf(record.round) != 0 && anchor.headOf(record.round - 1) != 0;
        return remembered && !entry.rewound && (time() - _start()) / TICK > entry.anchoredAtTick + WINDOW
            && record.round > round && record.rewardsTotal >= activated && record.rewardsTotal <= funded_
            && time() < refundsOpenAt;
    }

    /// @dev The last activated record; whether there is one.
    function active() external view returns (bool exists, Anchored memory entry) {
        exists = _active != type(uint256).max;
        if (exists) entry = _anchored[_active];
    }

    /// @dev Mostly short, now and then as long as anyone could wish.
    function pause(uint40 duration, bool short) external {
        if (short) duration = uint40(bound(duration, 0, 200));
        uint256 previous = anchor.pausedUntil();
        vm.prank(GUARDIAN);
        try anchor.pause(duration) {
            check(duration <= 7 days, "I8: a pause without bound");
            check(previous == 0 || time() >= previous + 7 days, "I8: pauses without a gap");
        } catch {
            check(duration > 7 days || (previous != 0 && time() < previous + 7 days), "a pause was refused");
        }
    }

    function resume() external {
        vm.prank(GUARDIAN);
        anchor.resume();
    }

    function claim(uint8 who, bool withProofOfAnother) external {
        if (_active == type(uint256).max) return;
        Tree.Four memory tree = _anchored[_active].tree;
        uint256 i = who % 4;
        uint256 before = token.balanceOf(accounts[i]);
        (, uint256 activated, uint256 paid,) = vault.totals();
        uint256 held = vault.claimed(accounts[i]);
        bool due = !withProofOfAnother && tree.amounts[i] > held && tree.amounts[i] - held <= activated - paid;
        try vault.claim(accounts[i], tree.amounts[i], tree.proofs[withProofOfAnother ? (i + 1) % 4 : i]) {
            check(!withProofOfAnother, "a foreign proof was accepted");
        } catch {
            check(!due, "I8: a claim of a final round is blocked");
        }
        received[accounts[i]] += token.balanceOf(accounts[i]) - before;
    }

    function claimMany(uint8 a, uint8 b, uint8 c) external {
        if (_active == type(uint256).max) return;
        Tree.Four memory tree = _anchored[_active].tree;
        IRewardVault.Claim[] memory claims = new IRewardVault.Claim[](3);
        uint256[3] memory chosen = [uint256(a) % 4, uint256(b) % 4, uint256(c) % 4];
        uint256[4] memory before;
        for (uint256 i = 0; i < 4; ++i) {
            before[i] = token.balanceOf(accounts[i]);
        }
        for (uint256 i = 0; i < 3; ++i) {
            claims[i] = IRewardVault.Claim(accounts[chosen[i]], tree.amounts[chosen[i]], tree.proofs[chosen[i]]);
        }
        vault.claimMany(claims);
        for (uint256 i = 0; i < 4; ++i) {
            received[accounts[i]] += token.balanceOf(accounts[i]) - before[i];
        }
    }

    function refund(uint8 who, bool all) external {
        for (uint256 i = 0; i < 3; ++i) {
            if (!all && i != who % 3) continue;
            uint256 before = token.balanceOf(sponsors[i]);
            try vault.refund(sponsors[i]) {} catch {}
            refunded += token.balanceOf(sponsors[i]) - before;
        }
    }

    function _fund(address sponsor, uint256 sum) private {
        token.mint(sponsor, sum);
        vm.startPrank(sponsor);
        token.approve(address(vault), sum);
        try vault.fund(sum) {
            funded += sum;
        } catch {}
        vm.stopPrank();
    }

    function _sum(uint256[4] memory amounts) private pure returns (uint256) {
        return amounts[0] + amounts[1] + amounts[2] + amounts[3];
    }

    function _start() private view returns (uint256 timestamp) {
        (, timestamp) = anchor.deployment();
    }
}

contract VaultInvariants is Base {
    VaultHandler private handler;
    RewardVault private vault;

    function setUp() public {
        vm.warp(1_700_000_000);
        handler = new VaultHandler();
        vault = handler.vault();
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function sumReceived() private view returns (uint256 sum) {
        for (uint256 i = 0; i < 4; ++i) {
            sum += handler.received(handler.accounts(i));
        }
    }

    /// @dev I1: vault balance + claimed + refunded == funded, by the token's own books.
    function invariant_I1_EveryUnitIsAccountedFor() public view {
        (uint256 funded,, uint256 paid, uint256 refunded) = vault.totals();
        check(funded == handler.funded(), "I1: funded");
        check(paid == sumReceived(), "I1: paid");
        check(refunded == handler.refunded(), "I1: refunded");
        check(handler.token().balanceOf(address(vault)) + paid + refunded == funded, "I1: balance");
    }

    /// @dev I2: per account paid <= entitled; claimed <= activated <= funded - refunded.
    function invariant_I2_NobodyGetsMoreThanWasActivated() public view {
        for (uint256 i = 0; i < 4; ++i) {
            address account = handler.accounts(i);
            check(handler.received(account) <= handler.entitled(account), "I2: paid more than entitled");
            check(handler.received(account) == vault.claimed(account), "I2: claimed differs from received");
        }
        (uint256 funded, uint256 activated, uint256 paid, uint256 refunded) = vault.totals();
        check(paid <= activated, "I2: paid more than activated");
        check(activated + refunded <= funded, "I2: activated more than was left");
    }

    /// @dev I4: what is activated is no rewound record, and none in its window.
    function invariant_I4_NothingActivatesFromARewoundOrOpenRound() public view {
        (bool exists, VaultHandler.Anchored memory entry) = handler.active();
        (uint64 round, bytes32 root) = vault.activation();
        check(exists == (round != 0), "I4: an activation from nowhere");
        if (!exists) return;
        check(round == entry.record.round && root == entry.record.rewardsRoot, "I4: another record was activated");
        check(!entry.rewound, "I4: an activated record was rewound");
        (, uint256 startedAt) = handler.anchor().deployment();
        check((time() - startedAt) / TICK > entry.anchoredAtTick + WINDOW, "I4: activated in its window");
    }

    /// @dev I8: no pause lasts longer than its bound; that none blocks what is due is checked with each claim.
    function invariant_I8_PausesAreBoundedAndBlockNoClaim() public view {
        check(handler.anchor().pausedUntil() <= time() + 7 days, "I8: a pause without bound");
    }
}
