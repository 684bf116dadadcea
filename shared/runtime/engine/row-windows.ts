import { open } from 'node:fs/promises';
import type { FileRows, MemoryRows } from '../../aggregation/engine.ts';
import { EngineError } from '../../aggregation/engine-error.ts';
import { int16Vector } from '../../commitments/vector-trees.ts';

/**
 * Reads updates from files into memory: all of them, or a stretch of coordinates.
 *
 * @param from - first coordinate
 * @param to - the coordinate after the last
 * @throws EngineError `engine/unreadable-row`
 */
export async function loadRows({ paths, dimension }: FileRows, from = 0, to: number = dimension): Promise<MemoryRows> {
  const rows: Int16Array[] = [];
  for (const [row, path] of paths.entries()) {
    try {
      await using file = await open(path, 'r');
      const bytes = new Uint8Array((to - from) * 2);
      const { bytesRead } = await file.read(bytes, 0, bytes.length, from * 2);
      if (bytesRead < bytes.length) throw new Error(`the file ends after ${from * 2 + bytesRead} bytes`);
      rows.push(int16Vector(bytes));
    } catch (error) {
      const said = error instanceof Error ? error.message : String(error);
      const sentence = `update ${row} cannot be read from its file: ${said}`;
      throw new EngineError('engine/unreadable-row', sentence, { row }, error);
    }
  }
  return { place: 'memory', rows };
}
