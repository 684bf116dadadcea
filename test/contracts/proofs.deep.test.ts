import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../contracts/package-root.ts';

const contracts = join(packageRoot(), 'contracts');
const proofs = readFileSync(join(contracts, 'smt', 'Proofs.sol'), 'utf8');
const core = readFileSync(join(contracts, 'lib', 'FixedPoint.sol'), 'utf8');
const solc = createRequire(import.meta.url)('solc') as { compile(input: string): string };

/**
 * Asks solc's model checker about every assertion. Bounded model checking proves here as well as unbounded: there are no
 * loops, and it follows calls into libraries exactly.
 */
function prove(fixedPoint: string): { safe: number; unproved: string[] } {
  const output = JSON.parse(
    solc.compile(
      JSON.stringify({
        language: 'Solidity',
        sources: { 'smt/Proofs.sol': { content: proofs }, 'lib/FixedPoint.sol': { content: fixedPoint } },
        settings: {
          modelChecker: {
            engine: 'bmc',
            solvers: ['z3'],
            targets: ['assert'],
            showProvedSafe: true,
            showUnproved: true,
            contracts: { 'smt/Proofs.sol': ['Proofs'] },
          },
          outputSelection: { '*': { '*': ['abi'] } },
        },
      }),
    ),
  ) as { errors?: { message: string; severity: string; formattedMessage: string }[] };
  const messages = output.errors ?? [];
  const errors = messages.filter(({ severity }) => severity === 'error');
  expect(errors.map(({ formattedMessage }) => formattedMessage)).toEqual([]);
  return {
    safe: messages.filter(({ message }) => message.startsWith('BMC: Assertion violation check is safe')).length,
    unproved: messages
      .filter(({ message }) => /Assertion violation (might happen|happens)/.test(message))
      .map(({ formattedMessage }) => formattedMessage),
  };
}

describe('the arithmetic core, for every input', () => {
  it('rounds, cuts and scores as it says', () => {
    const { safe, unproved } = prove(core);
    expect(unproved).toEqual([]);
    expect(safe).toBe(proofs.split('assert(').length - 1);
  });

  it.each([
    { bug: 'truncation towards zero', find: 'if (a % b < 0) --quotient;', replace: '' },
    { bug: 'halves downwards', find: 'floorDiv(2 * a + b, 2 * b)', replace: 'floorDiv(2 * a + b - 1, 2 * b)' },
    {
      bug: 'a cut that wraps',
      find: 'return value > most ? most : value;',
      replace: 'return value > most ? least : value;',
    },
  ])('is seen not to, with $bug', ({ find, replace }) => {
    expect(core.split(find)).toHaveLength(2);
    expect(prove(core.replace(find, replace)).unproved).not.toEqual([]);
  });
});
