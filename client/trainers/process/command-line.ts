import { ProcessTrainerError } from './process-error.ts';

/** Characters that a shell would act on. No shell reads the command, so each asks for quotes. */
const SHELL_SYNTAX = '|&;<>()$`*?[]{}!#~';

/**
 * Splits a command into program and arguments by the quoting rules of the POSIX shell (XCU 2.2), and does nothing else
 * that a shell does: no variables, wildcards, pipes or redirections. Unquoted, what would ask for one is refused rather
 * than taken to the letter.
 *
 * @param command - such as `python train.py --name "two words"`
 * @returns program and arguments, at least the program
 * @throws ProcessTrainerError `trainer/process-bad-command`
 */
export function splitCommand(command: string): [string, ...string[]] {
  const words: string[] = [];
  let word: string | undefined;
  let at = 0;
  const until = (quote: string): string => {
    const end = command.indexOf(quote, at);
    if (end < 0) throw refuse(command, `a ${quote} is opened and never closed`);
    const text = command.slice(at, end);
    at = end + 1;
    return text;
  };
  while (at < command.length) {
    const character = command[at++] as string;
    if (character === '\0') throw refuse(command, 'it holds a zero byte');
    if (' \t\n'.includes(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (character === "'") {
      word = (word ?? '') + until("'");
    } else if (character === '"') {
      word = (word ?? '') + doubleQuoted();
    } else if (character === '\\') {
      if (at === command.length) throw refuse(command, 'it ends with a backslash');
      const escaped = command[at++] as string;
      // A backslash and the end of a line are no character at all.
      if (escaped !== '\n') word = (word ?? '') + escaped;
    } else {
      if (SHELL_SYNTAX.includes(character)) {
        throw refuse(
          command,
          `no shell reads it, so ${character} would mean nothing: quote it if it is to be passed on`,
        );
      }
      word = (word ?? '') + character;
    }
  }
  if (word !== undefined) words.push(word);
  const [program, ...rest] = words;
  if (program === undefined || program === '') throw refuse(command, 'it names no program');
  return [program, ...rest];

  function doubleQuoted(): string {
    let text = '';
    for (;;) {
      if (at >= command.length) throw refuse(command, 'a " is opened and never closed');
      const character = command[at++] as string;
      if (character === '"') return text;
      if (character === '$' || character === '`') {
        throw refuse(command, `no shell reads it, so ${character} would mean nothing: put it into single quotes`);
      }
      const next = command[at];
      if (character !== '\\' || next === undefined || !'$`"\\\n'.includes(next)) {
        text += character;
      } else {
        at++;
        if (next !== '\n') text += next;
      }
    }
  }
}

function refuse(command: string, why: string): ProcessTrainerError {
  return new ProcessTrainerError(
    'trainer/process-bad-command',
    `the trainer's command cannot be split into words: ${why}`,
    { command },
  );
}
