import { closeSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { SimulationError } from './simulation-error.ts';
import type { Bench } from './workshop.ts';

/** The vectors that clients keep from round to round (worker momentum), of which only some are in memory. */
export interface ClientRows {
  /**
   * Brings in the vectors of the clients of a round: zeros for one that was never there. They stay in memory until the
   * next call.
   *
   * @param clients - no more than there are rows
   * @throws SimulationError `simulation/state-unwritable`
   */
  load(clients: readonly number[]): readonly Bench[];
  /** Removes what lies on disk. */
  close(): void;
}

/** Name of the file in a run's folder. */
const FILE = 'client-state.f32';

/**
 * Keeps a vector for each of any number of clients in a fixed number of rows of memory: the ones that were away longest make
 * room, and wait in one file with a place for each client, which is made when the first must leave.
 *
 * @param rows - where vectors lie in memory; at least as many as clients take part in a round
 * @param folder - where the file goes; it must be there, and nobody else's
 */
export function createClientRows(rows: readonly Bench[], folder: string): ClientRows {
  /** Client by row, in the order of use: the first was away longest. */
  const held = new Map<number, Bench>();
  const onDisk = new Set<number>();
  const free = [...rows];
  const path = join(folder, FILE);
  let file: number | null = null;

  const bytesOf = ({ values }: Bench): Uint8Array =>
    new Uint8Array(values.buffer, values.byteOffset, values.byteLength);

  const evict = (needed: ReadonlySet<number>): Bench => {
    for (const [client, row] of held) {
      if (needed.has(client)) continue;
      const bytes = bytesOf(row);
      try {
        file ??= openSync(path, 'w+', 0o600);
        let done = 0;
        while (done < bytes.length) {
          done += writeSync(file, bytes, done, bytes.length - done, client * bytes.length + done);
        }
      } catch (error) {
        const sentence = `the state of client ${client} cannot be written to ${path}: make room there, and run again`;
        throw new SimulationError('simulation/state-unwritable', sentence, { client, path }, error);
      }
      onDisk.add(client);
      held.delete(client);
      return row;
    }
    throw new RangeError('a round has more participants than there are rows');
  };

  const bringIn = (client: number, row: Bench): void => {
    if (!onDisk.has(client)) {
      row.values.fill(0);
      return;
    }
    const bytes = bytesOf(row);
    let done = 0;
    while (done < bytes.length) {
      const read = readSync(file as number, bytes, done, bytes.length - done, client * bytes.length + done);
      if (read === 0) throw new RangeError('the file of client states is shorter than what was written to it');
      done += read;
    }
  };

  return {
    load: (clients) => {
      const needed = new Set(clients);
      return clients.map((client) => {
        const known = held.get(client);
        const row = known ?? free.pop() ?? evict(needed);
        if (known === undefined) bringIn(client, row);
        held.delete(client);
        held.set(client, row);
        return row;
      });
    },
    close: () => {
      if (file === null) return;
      closeSync(file);
      unlinkSync(path);
      file = null;
    },
  };
}
