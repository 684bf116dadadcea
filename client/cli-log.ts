import { pino } from 'pino';
import type { Log } from './log.ts';

const LEVELS: Readonly<Record<number, string>> = { 20: 'debug', 30: 'info', 40: 'warn', 50: 'error' };
const ENVELOPE: readonly string[] = ['level', 'time', 'msg', 'pid', 'hostname', 'name'];

/**
 * A log on standard error: one JSON object a line, or one line for people.
 *
 * @param level - the least important level told: `debug`, `info`, `warn`, `error`, or `silent`
 * @param isJson - whether programs read it
 */
export function createCliLog(level: string, isJson: boolean): Log {
  if (isJson) return pino({ name: 'client', level }, pino.destination({ dest: 2, sync: true }));
  return pino({ level, base: {} }, { write: (line: string) => process.stderr.write(humanLine(line)) });
}

/** A line of pino's as people read it: time, level, message, then the fields. */
export function humanLine(line: string): string {
  const entry = JSON.parse(line) as Record<string, unknown>;
  const time = new Date(Number(entry['time'])).toISOString().slice(11, 19);
  const level = LEVELS[Number(entry['level'])] ?? String(entry['level']);
  const fields = Object.entries(entry)
    .filter(([name]) => !ENVELOPE.includes(name))
    .map(([name, value]) => ` ${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  return `${plainText(`${time} ${level.padEnd(5)} ${String(entry['msg'])}${fields.join('')}`)}\n`;
}

/** Text without control characters: what others have written must not forge a line, nor steer a terminal. */
export function plainText(text: string): string {
  return text.replace(/\p{Cc}/gu, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`);
}
