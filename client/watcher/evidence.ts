import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Hex } from '../../shared/bytes.ts';
import { int16Vector, int32Vector, vectorBytes } from '../../shared/commitments/vector-trees.ts';
import { BLOCK } from '../../shared/fixed-point/constants.ts';
import { memoryBlocks, type RoundPosition, type RoundView } from '../../shared/openings/round-view.ts';
import { decodeDocument, encodeDocument } from '../../shared/round/document.ts';

/**
 * Keeps what a watcher needs to see a dispute through: whoever lies about a round has every reason to take its data away
 * once the lie is challenged.
 */
export interface EvidenceShelf {
  /** Keeps a round's updates, aggregate and document, durably enough to outlive the process. */
  keep(head: Hex, view: RoundView): Promise<void>;
  /** A round that was kept, undefined if it was not. */
  find(head: Hex, position: RoundPosition): Promise<RoundView | undefined>;
  /** Drops what is no longer disputed. */
  drop(head: Hex): Promise<void>;
}

/** Keeps evidence in a folder, a sub-folder for each round by its head. */
export function createEvidenceShelf(folder: string): EvidenceShelf {
  const place = (head: Hex): string => join(folder, head.slice(2));
  return {
    keep: async (head, view) => {
      const { updates } = view;
      const draft = `${place(head)}.draft`;
      await rm(draft, { recursive: true, force: true });
      await mkdir(draft, { recursive: true });
      await writeFile(join(draft, 'document.json'), encodeDocument(view.document));
      const aggregate = await view.vector('aggregate');
      if (aggregate) await writeFile(join(draft, 'aggregate.i32'), vectorBytes(aggregate));
      for (let row = 0; row < (updates?.n ?? 0); row++) {
        const update = await updates?.read(row, 0, updates.blocks);
        if (update) await writeFile(join(draft, `${row}.i16`), vectorBytes(update));
      }
      // It is there whole or not at all.
      await rm(place(head), { recursive: true, force: true });
      await rename(draft, place(head));
    },
    find: async (head, position) => {
      const names = await readdir(place(head)).catch(() => undefined);
      if (names === undefined) return undefined;
      const document = decodeDocument(await readFile(join(place(head), 'document.json')));
      const count = names.filter((name) => name.endsWith('.i16')).length;
      const rows: Int16Array[] = [];
      for (let row = 0; row < count; row++) rows.push(int16Vector(await readFile(join(place(head), `${row}.i16`))));
      const aggregate = names.includes('aggregate.i32')
        ? int32Vector(await readFile(join(place(head), 'aggregate.i32')))
        : null;
      const isWhole = count === document.contributions.length && (rows[0]?.length ?? 0) % BLOCK === 0;
      return {
        ...position,
        document,
        parentRewards: [],
        updates: isWhole ? memoryBlocks(rows) : null,
        vector: async (name) => (name === 'aggregate' ? aggregate : null),
      };
    },
    drop: async (head) => {
      await rm(place(head), { recursive: true, force: true });
    },
  };
}
