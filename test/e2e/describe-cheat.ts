import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Finished, run } from './fedanchor-process.ts';

interface Books {
  readonly bond: string;
  readonly stakes: string;
  readonly bonds: string;
  readonly locked: string;
  readonly pots: string;
  readonly owed: string;
  readonly burned: string;
  readonly balance: string;
}

interface Run {
  readonly rounds: readonly { readonly round: number; readonly attempt: number }[];
  readonly audit: { readonly holds: boolean };
  readonly pot: { readonly funded: string; readonly spent: string };
  readonly trial: { readonly round: number; readonly kind: string; readonly before: Books; readonly after: Books };
}

const ROUNDS = 3;
const FED = 10n ** 18n;

/** The demonstration's terms: 100 FED a round, 64 rounds in the ring, a fifth each to prover and participants. */
const SLASH = ((100n * FED * 64n + 1n) * 10_000n + 5_999n) / 6_000n;
const PROVEN = (SLASH * 2_000n) / 10_000n;

const amounts = (books: Books) =>
  Object.fromEntries(Object.entries(books).map(([name, amount]) => [name, BigInt(amount as string)])) as Record<
    keyof Books,
    bigint
  >;

/** What came of a demonstration whose coordinator lies. */
interface Outcome {
  finished: Finished;
  found: Run;
}

/**
 * What must come of a coordinator that lies: a whole demonstration, every party a process of its own.
 *
 * @param cheat - the lie
 * @param rule - the rule that it is told of
 * @param kind - the dispute that must show it
 */
export function describeCheat(cheat: string, rule: string, kind = cheat): void {
  describe(`a coordinator that lies: ${cheat}`, () => {
    const outcome = demonstrate(cheat, rule);

    it('is caught by a watcher in a process of its own', () => {
      const { finished, found } = outcome;
      expect(finished.code).toBe(0);
      expect(found.trial).toMatchObject({ round: 2, kind });
      expect(finished.stdout).toMatch(/✗ round 2 · .+ · the chain settles it/);
      expect(finished.stdout).toMatch(/dispute 1 won/);
      expect(finished.stdout.match(/dispute \d+ opened/g)).toHaveLength(1);
    });

    it('is punished, and every token is where the books say', () => {
      const { before, after } = booksOf(outcome);
      expect(before.bond - after.bond).toBe(SLASH);
      expect(after.burned - before.burned + PROVEN + after.pots).toBe(SLASH);
      // More than a rewind can ever erase in rewards.
      expect(after.burned - before.burned).toBeGreaterThan(64n * 100n * FED);
      for (const { balance, stakes, bonds, locked, pots, owed } of [before, after]) {
        expect(stakes + bonds + locked + pots + owed).toBe(balance);
      }
      expect([before.locked, after.locked, after.owed]).toEqual([50n * FED, 0n, 0n]);
      // Whoever trained honestly keeps its stake.
      expect(after.stakes).toBe(before.stakes);
    });

    worksOnHonestly(outcome);
  });
}

/** What must come of a coordinator that shows nobody what a round was made of. */
export function describeWithholding(rule: string): void {
  describe('a coordinator that withholds an update', () => {
    const outcome = demonstrate('withhold', rule);

    it('has its round taken back, and is paid nothing for it', () => {
      const { finished, found } = outcome;
      expect(finished.code).toBe(0);
      expect(found.trial).toMatchObject({ round: 2, kind: 'withheld' });
      expect(finished.stdout).toMatch(/✗ round 2 · .+ · a lie that cannot be seen cannot be named/);
      expect(finished.stdout).toMatch(/round 2 was never attested: rewound/);
      expect(finished.stdout).not.toMatch(/dispute \d+ opened/);
    });

    it('keeps its bond, for an absence proves no guilt; nobody else loses anything', () => {
      const { before, after } = booksOf(outcome);
      expect(after).toEqual(before);
    });

    worksOnHonestly(outcome);
  });
}

function worksOnHonestly(outcome: Outcome): void {
  it('works on honestly after its round was taken back', () => {
    const { found } = outcome;
    expect(found.rounds.map(({ round }) => round)).toEqual([1, 2, 3]);
    expect(found.rounds[0]?.attempt).toBe(0);
    expect(found.rounds[1]?.attempt).toBeGreaterThan(0);
    expect(found.audit.holds).toBe(true);
    expect(found.pot.spent).toBe(found.pot.funded);
  });
}

function booksOf({ found }: Outcome) {
  return { before: amounts(found.trial.before), after: amounts(found.trial.after) };
}

/** Runs the demonstration before the tests of a suite. */
function demonstrate(cheat: string, rule: string): Outcome {
  const outcome = {} as Outcome;
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'fedanchor-cheat-'));
    const file = join(folder, `${cheat}.json`);
    const asked = ['--rounds', String(ROUNDS), '--clients', '5', '--attackers', '0', '--rule', rule, '--f', '1'];
    outcome.finished = await run(['demo', '--cheat', cheat, ...asked, '--seed', '21', '--json', file]);
    outcome.found = JSON.parse(await readFile(file, 'utf8')) as Run;
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));
  return outcome;
}
