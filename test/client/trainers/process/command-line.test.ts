import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { splitCommand } from '../../../../client/trainers/process/command-line.ts';

/** The words that a shell makes of a command. */
function wordsOfShell(command: string): string[] {
  const printed = execFileSync('/bin/sh', ['-c', `printf '%s\\0' ${command}`], { encoding: 'utf8' });
  return printed.split('\0').slice(0, -1);
}

const text = fc.string({ unit: fc.constantFrom(...`ab.-/=:,%é'"\\ \t`), maxLength: 8 });
const plain = fc.string({ unit: fc.constantFrom(...'ab.-/=:,%é'), minLength: 1, maxLength: 8 });
const single = text.map((inner) => `'${inner.replaceAll("'", '')}'`);
const double = text.map((inner) => `"${inner.replace(/[\\"]/g, '\\$&')}"`);
const doubleRaw = plain.map((inner) => `"\\${inner}"`);
const escaped = fc.constantFrom(...` '"\\$*;a`).map((character) => `\\${character}`);
const word = fc
  .array(fc.oneof(plain, single, double, doubleRaw, escaped), { minLength: 1, maxLength: 4 })
  .map((parts) => parts.join(''));
const commands = fc
  .array(word, { minLength: 1, maxLength: 5 })
  .map((words) => words.join('  '))
  .filter((command) => !/^(''|"")+( |$)/.test(command));

describe('splitCommand', () => {
  it('makes the words that a shell makes', () => {
    fc.assert(
      fc.property(fc.array(commands, { minLength: 20, maxLength: 20 }), (many) => {
        // One shell for many commands.
        const sentinel = 'END-OF-COMMAND';
        const words = wordsOfShell(many.join(` ${sentinel} `))
          .join('\0')
          .split(`\0${sentinel}\0`);
        expect(many.map((command) => splitCommand(command).join('\0'))).toEqual(words);
      }),
      { numRuns: 30 },
    );
  });

  it('gives back any words that were quoted', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.array(fc.string()), (program, rest) => {
        const words = [program, ...rest].map((each) => each.replaceAll('\0', ''));
        fc.pre(words[0] !== '');
        const quoted = words.map((each) => `'${each.replaceAll("'", `'\\''`)}'`).join(' ');
        expect(splitCommand(quoted)).toEqual(words);
      }),
    );
  });

  it.each([
    ['', 'names no program'],
    ['   ', 'names no program'],
    ["'' train.py", 'names no program'],
    ["python 'train.py", "a ' is opened"],
    ['python "train.py', 'a " is opened'],
    ['python train.py\\', 'ends with a backslash'],
    ['python train.py | tee log', '|'],
    ['python train.py && rm log', '&'],
    ['python $HOME/train.py', '$'],
    ['python "$HOME/train.py"', '$'],
    ['python `which train.py`', '`'],
    ['python ~/train.py', '~'],
    ['python *.py', '*'],
    ['python train.py 2> log', '>'],
    ['python a\0b', 'zero byte'],
  ])('refuses %j', (command, why) => {
    expect(() => splitCommand(command)).toThrow(
      expect.objectContaining({ code: 'trainer/process-bad-command', message: expect.stringContaining(why) }),
    );
  });
});
