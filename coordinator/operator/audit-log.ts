import { createHash } from 'node:crypto';
import { open, readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { Hex } from '../../shared/bytes.ts';
import { FedanchorError } from '../../shared/errors.ts';

/** Thrown when the audit log cannot be continued. */
export class AuditLogError extends FedanchorError<'audit-log/broken' | 'audit-log/unavailable'> {}

/** One thing that an operator did. */
export interface AuditEntry {
  /** When, in milliseconds since 1970. */
  readonly at: number;
  /** Which operator, or `coordinator` for the program itself. */
  readonly operator: string;
  /** What, such as `job.pause`. */
  readonly action: string;
  /** To which job. */
  readonly job?: Hex;
  /** What goes with it, such as the participant and the reason. */
  readonly details?: Readonly<Record<string, string>>;
}

/** An append-only log of what operators did. */
export interface AuditLog {
  /** Writes an entry; it is on disk when this resolves. */
  append(entry: AuditEntry): Promise<void>;
}

const lineSchema = z.looseObject({ previous: z.string(), hash: z.string() });

/** What the first entry follows. */
const BEGINNING = '0'.repeat(64);

/**
 * Opens the audit log: one line of JSON an entry, each carrying the SHA-256 of the line before it, so that a line that
 * is changed, taken out or put in breaks the chain. A line that a crash has torn was never acknowledged and is dropped.
 *
 * @param file - created if missing, readable by its owner only
 * @throws AuditLogError `audit-log/broken` if the file is not a chain of entries, `audit-log/unavailable`
 */
export async function openAuditLog(file: string): Promise<AuditLog> {
  const { last, length } = await checkAuditLog(file);
  let previous = last;
  let end = length;
  let queue: Promise<unknown> = Promise.resolve();
  const write = async (entry: AuditEntry): Promise<void> => {
    const body = JSON.stringify({ ...entry, previous });
    const hash = sha256(body);
    const line = Buffer.from(`${body.slice(0, -1)},"hash":"${hash}"}\n`);
    try {
      const handle = await open(file, end === 0 ? 'w' : 'r+', 0o600);
      try {
        // Whatever lies behind the last whole line was never acknowledged.
        await handle.truncate(end);
        await handle.write(line, 0, line.length, end);
        await handle.sync();
      } finally {
        await handle.close();
      }
    } catch (cause) {
      const message = `the audit log ${file} cannot be written, so nothing was done: ${(cause as Error).message}`;
      throw new AuditLogError('audit-log/unavailable', message, { file }, cause);
    }
    previous = hash;
    end += line.length;
  };
  return {
    append: (entry) => {
      const written = queue.then(() => write(entry));
      queue = written.catch(() => {});
      return written;
    },
  };
}

/**
 * Checks the chain of an audit log.
 *
 * @returns how many entries it holds, the hash of the last and the bytes up to its end
 * @throws AuditLogError `audit-log/broken`, naming the line
 */
export async function checkAuditLog(
  file: string,
): Promise<{ readonly entries: number; readonly last: string; readonly length: number }> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw new AuditLogError('audit-log/unavailable', `the audit log ${file} cannot be read`, { file }, error);
  });
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  const lines = whole.split('\n').slice(0, -1);
  let last = BEGINNING;
  lines.forEach((line, index) => {
    const found = lineSchema.safeParse(parseJson(line));
    const body = line.replace(/,"hash":"[0-9a-f]{64}"\}$/, '}');
    if (!found.success || found.data.previous !== last || found.data.hash !== sha256(body)) {
      throw new AuditLogError(
        'audit-log/broken',
        `line ${index + 1} of ${file} does not follow from the line before it: somebody has changed the file; keep it as evidence, move it away, and a new one is begun`,
        { file, line: index + 1 },
      );
    }
    last = found.data.hash;
  });
  return { entries: lines.length, last, length: Buffer.byteLength(whole) };
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
